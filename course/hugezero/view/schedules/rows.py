"""The rows of a schedule as a student reads them: who, which code, what it gave, what the shared cells hold then."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
    kind: str = ""  # what it is on, if it is part of none
    hardware: str = ""  # who did it, if no kernel did
    line: str = ""  # where in the code it was done

    @property
    def gave(self) -> str:
        """Its result alone."""
        return self.said.partition(": ")[0] if self.said.startswith("→") else ""

    @property
    def note(self) -> str:
        """What else there is to say."""
        return self.said.removeprefix(self.gave).removeprefix(": ")


@dataclass
class Told:
    """A schedule in words.

    *broke*: what goes wrong; empty if nothing does. *cross*: the same beside the last row. *harm*: the
    number of the row that did it, where that is another one than the last; else 0.
    """

    cells: list[str]
    before: list[str]  # what those hold before the first operation
    lines: list[Line] = field(default_factory=list)
    broke: str = ""
    cross: str = ""
    harm: int = 0

    @property
    def shown(self) -> list[Line]:
        """The rows of which somebody could learn something."""
        return [line for line in self.lines if line.shown]


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
    before: Mapping[Cell, Any] | None = None,
) -> Told:
    """*rows* in words, with what *cells* hold behind each.

    Names are given on the way; *after* is called behind each row, while they are what they were there.
    *before*: what cells hold before the first row, where that is known of others than those in *rows*.
    """
    first: dict[Cell, Any] = dict(before or {})
    for row in rows:
        first.setdefault(row.cell, row.old)
    holds = {cell: first.get(cell) for cell in cells}
    for value in holds.values():
        for folio in folios_in(value):
            names.folio(folio)
    told = Told(
        [_head(cell, cells, names) for cell in cells],
        [names.held(value, cell) if cell in first else "" for cell, value in holds.items()],
    )
    freed: dict[Folio, int] = {}
    values = list(told.before)
    changing = _changing(rows)
    for k, row in enumerate(rows):
        if row.verb == "new" and isinstance(row.result, Folio):
            names.born(row.result)
            freed.pop(row.result, None)
        if row.cell in changing:
            changing[row.cell] = row.new
        touched = cells.index(row.cell) if row.cell in holds else None
        if touched is not None:
            holds[row.cell] = row.new
            values[touched] = names.held(row.new, row.cell)
        culprit = bug is not None and k == len(rows) - 1 and forbidden(row, bug)
        said = "" if culprit else _said(rows, k, names, changing)
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


def _head(cell: Cell, cells: Sequence[Cell], names: Names) -> str:
    """What stands above a column: a lock that is the only one needs no name."""
    alone = is_lock(*cell) and sum(is_lock(*other) for other in cells) == 1
    return "lock" if alone else names.cell(cell)


def forbidden(row: Operation, bug: str) -> bool:
    """Is *row* itself what no kernel may do?"""
    if bug.endswith(USED) and row.cell[0].body is not None:
        return bug == f"{row.cell[0]!r}{USED}"
    try:
        OPERATIONS[row.verb](row.old, *row.args) if row.verb in OPERATIONS else None
    except KernelBug as kernel_bug:
        return kernel_bug.what == bug
    return False


def below_zero(row: Operation) -> bool:
    """Does *row* bring a count below zero?"""
    return "count" in str(row.cell[1]) and _number(row.old) >= 0 > _number(row.new)


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


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


def _changing(rows: Sequence[Operation]) -> dict[Cell, Any]:
    """The cells that *rows* change, but for those of folios, with what they hold before."""
    first: dict[Cell, Any] = {}
    for row in rows:
        if row.cell[0].body is None and row.verb != "new":
            first.setdefault(row.cell, row.old)
    changed = {row.cell for row in rows if row.old != row.new} | {row.cell for row in rows[-1:]}
    return {cell: value for cell, value in first.items() if cell in changed}


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
        case "read" if (until := stale_from(rows, k)) is not None:
            return f"{gave}: true until row {until + 1}"
        case "set" if (lost := forgotten(rows, k)) is not None:
            return f"forgets what row {lost + 1} did"
    if below_zero(row):
        return f"the count is {row.new}: more was given back than taken"
    return _words(row).gave(row.args, row.result, gave)


def _words(row: Operation) -> Words:
    """How *row* is told; a step of the hardware is no operation, and gives what it gives."""
    return DECLARED[row.verb].words if row.verb in DECLARED else SOMETHING


def stale_from(rows: Sequence[Operation], k: int) -> int | None:
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


def forgotten(rows: Sequence[Operation], k: int) -> int | None:
    """The row whose change row *k* overwrites without having seen it."""
    me, cell = rows[k].cpu, rows[k].cell
    for j in range(k - 1, -1, -1):
        row = rows[j]
        if row.cell == cell and row.cpu == me:
            return None
        if row.cell == cell and row.old != row.new:
            return j
    return None
