"""Which cells stand beside the rows of a schedule, and which rows are part of no story."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...block.bio import Bio
from ...hw.tlb import Tlb
from ...mm.huge_memory import TRANSPARENT_HUGEPAGE, Deposits
from ...mm.page_alloc import Folio
from ...mm.pgtable import PmdTable, PteTable
from ...mm.shrinker import SHRINKERS
from ...mm.vmstat import VMSTAT
from ...store import KERNEL, Cell
from .harm import meant
from .names import Operation, folios_in, is_lock
from .rows import ONES_OWN, scenery

MANY = 5  # columns of values
CALLED = {  # how verdicts speak of cells
    "refcount": r"\bcount\b|reference",
    "folio": r"hz\.folio|\bpointer\b|no folio",
    "pfn": r"frame number|an entry for",
    "rss": r"\bRSS\b",
    "nr_ptes": r"page tables are counted",
    "page_table_lock": r"page table lock",
    "queue": r"\bthe disk reads\b",
}


def noise(row: Operation) -> str:
    """What *row* is on, if nobody learns anything from it: "statistics", "areas"; empty if somebody may."""
    handle, field = row.cell
    if handle is VMSTAT or field == "min_flt":
        return "statistics"
    if handle in (SHRINKERS, TRANSPARENT_HUGEPAGE):
        return "switches"
    if isinstance(handle, Bio) and field != "bi_io_vec":
        return "the fields of a bio"
    if isinstance(handle, Folio) and row.verb == "clear":
        return "the bytes of a page"
    if row.verb == "new" and row.args[0] == "Bio":
        return "the fields of a bio"
    return "areas" if scenery(row) else ""


def named(rows: Sequence[Operation], bug: str | None) -> list[Cell]:
    """The cells that the verdict *bug* is about, in order of appearance."""
    if not rows or bug is None:
        return []
    folios = set(meant(rows, bug))
    found: dict[Cell, bool] = {}
    for row in rows:
        spoken = _is_cell(row) and _speaks_of(bug, row.cell)
        if spoken or _may_stand(row):
            holds = bool(folios.intersection(folios_in((row.old, row.new))))
            last = row is rows[-1] and not is_lock(*row.cell)
            about = spoken or holds or last
            found[row.cell] = found.get(row.cell, False) or about
    return [cell for cell, about in found.items() if about]


def others(rows: Sequence[Operation], chosen: Sequence[Cell]) -> list[Cell]:
    """Further cells that *rows* change: first those that several CPUs touch."""
    changed: dict[Cell, set[int]] = {}
    touched: dict[Cell, set[int]] = {}
    for row in rows:
        if _may_stand(row):
            touched.setdefault(row.cell, set()).add(row.cpu)
            if row.old != row.new:
                changed.setdefault(row.cell, set()).add(row.cpu)

    def rank(cell: Cell) -> tuple[bool, bool, bool]:
        return isinstance(cell[0], PteTable), is_lock(*cell), len(touched[cell]) < 2

    cells = [
        cell
        for cell, by in changed.items()
        if cell not in chosen
        and (len(by) > 1 or cell[1] not in ONES_OWN)
        and (len(touched[cell]) > 1 or not isinstance(cell[0], PteTable))
    ]
    return sorted(cells, key=rank)[: max(0, MANY - len(chosen))]


def _may_stand(row: Operation) -> bool:
    """Could what *row* is on be a column, whatever the verdict says?"""
    return _is_cell(row) and not noise(row)


def _is_cell(row: Operation) -> bool:
    return row.cell[0] is not KERNEL and not isinstance(row.cell[0], Folio)


def _speaks_of(bug: str, cell: Cell) -> bool:
    handle, field = cell
    if isinstance(handle, PmdTable):
        return bool(re.search(r"the entry|huge entr", bug))
    if isinstance(handle, Deposits):
        return "aside" in bug
    if isinstance(handle, Tlb):
        return "remember" in bug
    if isinstance(field, int):
        return False
    return field in bug or bool(re.search(CALLED.get(field, r"(?!)"), bug))
