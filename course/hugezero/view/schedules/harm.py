"""Which row of a schedule did the harm: seldom the one at which it shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...mm.page_alloc import Folio
from ...store import Cell
from .names import Operation, folios_in
from .rows import forgotten


def meant(rows: Iterable[Operation], bug: str) -> list[Folio]:
    """The folios of *rows* that *bug* names."""
    found: dict[Folio, None] = {}
    for row in rows:
        for folio in folios_in((row.cell[0], row.old, row.new, row.result, row.args)):
            if f"{folio.pfn:#x})" in bug:
                found[folio] = None
    return list(found)


def harm(rows: Sequence[Operation], bug: str, named: Sequence[Cell]) -> int | None:
    """The number in *rows* of the one that made *bug* true; None if only the last one can be blamed.

    That is the free of what is used afterwards, the last change after which nobody knew of what
    is lost, or the store into one of the *named* cells that forgot what another CPU had stored.
    """
    done = None
    for folio in meant(rows, bug):
        done = _lost(rows, folio) if "is lost" in bug or "lost:" in bug else _freed(rows, folio)
    if done is None:
        blind = [k for k, row in enumerate(rows) if row.cell in named and forgets(rows, k)]
        done = blind[-1] if blind else None
    return None if done == len(rows) - 1 else done


def forgets(rows: Sequence[Operation], k: int) -> bool:
    """Does row *k* overwrite what its CPU has not seen?"""
    return rows[k].verb == "set" and rows[k].old != rows[k].new and forgotten(rows, k) is not None


def _freed(rows: Sequence[Operation], folio: Folio) -> int | None:
    freed = [k for k, row in enumerate(rows) if row.verb == "free" and row.cell[0] == folio]
    return freed[-1] if freed else None


def _lost(rows: Sequence[Operation], folio: Folio) -> int | None:
    """The row that took *folio* out of its last cell; if it never was in one, the last that had to do with it.

    A CPU that did nothing with what it had brought has forgotten it when it ended.
    """
    born = max((k for k, row in enumerate(rows) if row.verb == "new" and row.result == folio), default=-1)
    dropped = last = None
    for k, row in enumerate(rows[born + 1 :], max(0, born + 1)):
        before, after = folio in folios_in(row.old), folio in folios_in(row.new)
        if before and not after:
            dropped = k
        elif after and not before:
            dropped = None
        if before or after or folio in folios_in((row.args, row.result)):
            last = k
    if dropped is not None or last is not None:
        return last if dropped is None else dropped
    return max((k for k, row in enumerate(rows) if born >= 0 and row.cpu == rows[born].cpu), default=None)
