"""The rows of a schedule as a student reads them: who, which code, what it gave, what the shared cells hold then."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...block.bio import Bio
from ...hw.tlb import Tlb
from ...mm.huge_memory import TRANSPARENT_HUGEPAGE
from ...mm.mm_types import Vma
from ...mm.page_alloc import Folio
from ...mm.shrinker import SHRINKERS
from ...mm.vmstat import VMSTAT
from ...store import DECLARED, OPERATIONS, SOMETHING, Cell, KernelBug, Words
from .names import Names, Operation, folios_in, is_lock

USED = " was used after it was freed"


SCENERY = (VMSTAT, SHRINKERS, TRANSPARENT_HUGEPAGE)
FEW = 4  # columns of values
ONES_OWN = ("rss", "nr_ptes")  # of an address space: of interest where two CPUs change them


@dataclass
class Line:
    """One operation of a schedule, told."""

    number: int
    cpu: int
    code: str
    said: str  # what it gave, and what that means
    values: list[str]  # of the watched cells, behind it
    touched: int | None  # which of those it was on,
    changed: bool  # and did that change?
    culprit: bool = False  # is it the operation that no kernel may do?
    shown: bool = True  # or is it part of no story?


@dataclass
class Told:
    """A schedule in words. *broke*: what goes wrong; empty if nothing does. *cross*: the same beside the last row."""

    cells: list[str]
    before: list[str]  # what those hold before the first operation
    lines: list[Line] = field(default_factory=list)
    broke: str = ""
    cross: str = ""

    @property
    def shown(self) -> list[Line]:
        """The rows of which somebody could learn something."""
        return [line for line in self.lines if line.shown]


def watched(rows: Sequence[Operation]) -> list[Cell]:
    """The shared cells that *rows* change, and the one that the last of them is on, in order of appearance."""
    found: dict[Cell, bool] = {}
    changes: dict[Cell, set[int]] = {}
    for row in rows:
        handle, name = row.cell
        form = (
            isinstance(handle, Bio) and name != "bi_io_vec"
        )  # what stands on a bio, and changes nobody's mind
        if handle.body is None and not scenery(row) and row.verb != "new" and not form:
            found[row.cell] = found.get(row.cell, False) or row.old != row.new or row is rows[-1]
            changes.setdefault(row.cell, set()).add(row.cpu)
    cells = [
        cell
        for cell, wanted in found.items()
        if wanted and (cell[1] not in ONES_OWN or len(changes[cell]) > 1)
    ]
    if len(cells) > FEW:  # who takes a lock and who gives it back can be seen in the rows
        cells = [cell for cell in cells if not is_lock(*cell) or cell == rows[-1].cell]
    return cells


def scenery(row: Operation) -> bool:
    """Is *row* part of no story: areas, switches, statistics?"""
    handle, field = row.cell
    if row.verb == "new":
        return row.args[0] != "Folio"
    return handle in SCENERY or isinstance(handle, Vma) or field in ("mmap", "min_flt")


def tell(
    rows: Sequence[Operation],
    bug: str | None,
    cells: Sequence[Cell],
    names: Names,
    after: Callable[[int, Operation], None] = lambda k, row: None,
) -> Told:
    """*rows* in words, with what *cells* hold behind each.

    Names are given on the way; *after* is called behind each row, while they are what they were there.
    """
    first: dict[Cell, Any] = {}
    for row in rows:
        first.setdefault(row.cell, row.old)
    holds = {cell: first.get(cell) for cell in cells}
    for value in holds.values():
        for folio in folios_in(value):
            names.folio(folio)
    told = Told(
        [names.cell(cell) for cell in cells],
        [names.held(value, cell) if cell in first else "" for cell, value in holds.items()],
    )
    freed: dict[Folio, int] = {}
    values = list(told.before)
    for k, row in enumerate(rows):
        if row.verb == "new" and isinstance(row.result, Folio):
            names.born(row.result)
            freed.pop(row.result, None)
        touched = cells.index(row.cell) if row.cell in holds else None
        if touched is not None:
            holds[row.cell] = row.new
            values[touched] = names.held(row.new, row.cell)
        culprit = bug is not None and k == len(rows) - 1 and forbidden(row, bug)
        said = "" if culprit else _said(rows, k, names, holds)
        told.lines.append(
            Line(
                k + 1,
                row.cpu,
                names.code(row),
                said,
                list(values),
                touched,
                row.old != row.new,
                culprit,
                shown=k == len(rows) - 1 or not scenery(row),
            )
        )
        if row.verb == "free" and isinstance(row.cell[0], Folio):
            freed.setdefault(row.cell[0], k)
        after(k, row)
    if bug is not None:
        told.broke, told.cross = _broke(rows, bug, names, freed)
    return told


def forbidden(row: Operation, bug: str) -> bool:
    """Is *row* itself what no kernel may do?"""
    if bug.endswith(USED) and row.cell[0].body is not None:
        return bug == f"{row.cell[0]!r}{USED}"
    try:
        OPERATIONS[row.verb](row.old, *row.args) if row.verb in OPERATIONS else None
    except KernelBug as kernel_bug:
        return kernel_bug.what == bug
    return False


def _broke(rows: Sequence[Operation], bug: str, names: Names, freed: dict[Folio, int]) -> tuple[str, str]:
    """What goes wrong, in a sentence, and in the few words that stand beside the last row."""
    last = rows[-1] if rows else None
    handle: Any = None if last is None else last.cell[0]
    if last is not None and handle in freed and bug == f"{handle!r}{USED}":
        does = _words(last).does
        row = freed[handle]
        who = "it" if rows[row].cpu == last.cpu else f"CPU {rows[row].cpu}"
        return (
            f"CPU {last.cpu} {does} {names.folio(handle)}, which {who} freed in row {row + 1}",
            f"{does} a freed folio",
        )
    words = names.sentence(bug)
    code = re.search(r"[_.]", words.partition(" ")[0])  # a name of code keeps its letters
    return words if code else words[:1].upper() + words[1:], re.split(r"[:;,] ", words)[0]


def _said(rows: Sequence[Operation], k: int, names: Names, holds: dict[Cell, Any]) -> str:
    """What row *k* gave, and a short reading of that."""
    row = rows[k]
    gave = f"→ {names.value(row.result)}"
    match row.verb:
        case "new":
            return f"{gave}: no memory" if row.result is None else gave
        case "free":
            still = [cell for cell, value in holds.items() if row.cell[0] in set(folios_in(value))]
            if still and isinstance(still[0][0], Tlb):
                return "a CPU still remembers it"
            return f"{names.cell(still[0])} still names it" if still else ""
        case "read" if (until := _stale_from(rows, k)) is not None:
            return f"{gave}: true until row {until + 1}"
        case "set" if (lost := _forgotten(rows, k)) is not None:
            return f"forgets what row {lost + 1} did"
    return _words(row).gave(row.args, row.result, gave)


def _words(row: Operation) -> Words:
    """How *row* is told; a step of the hardware is no operation, and gives what it gives."""
    return DECLARED[row.verb].words if row.verb in DECLARED else SOMETHING


def _stale_from(rows: Sequence[Operation], k: int) -> int | None:
    """The row with which what row *k* read is no longer so, if its CPU goes on without looking again."""
    me, cell = rows[k].cpu, rows[k].cell
    changed = None
    for j in range(k + 1, len(rows)):
        row = rows[j]
        if row.cpu != me:
            if changed is None and row.cell == cell and row.old != row.new:
                changed = j
        elif row.cell == cell and row.verb in DECLARED and DECLARED[row.verb].reads == "all":
            return None
        elif changed is not None:
            return changed
    return None


def _forgotten(rows: Sequence[Operation], k: int) -> int | None:
    """The row whose change row *k* overwrites without having seen it."""
    me, cell = rows[k].cpu, rows[k].cell
    for j in range(k - 1, -1, -1):
        row = rows[j]
        if row.cell == cell and row.cpu == me:
            return None
        if row.cell == cell and row.old != row.new:
            return j
    return None
