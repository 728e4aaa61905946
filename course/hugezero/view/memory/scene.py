"""What there is to draw at one moment: who → address range → entry → frame. No coordinates here."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ...block.bio import Bio, BlockDevice
from ...hw.ram import PAGE_SIZE, PTRS_PER_PTE
from ...mm.huge_memory import HUGE_ZERO, Deposits, HugeZero
from ...mm.mm_types import AddressSpace, Mm, Vma
from ...mm.page_alloc import ZERO_PAGE, Folio
from ...mm.pgtable import PmdTable, PteTable
from ...store import ALIVE, Cell
from ..moments import Film, State
from ..words import folio_name, hint, is_zeroes, size
from .mappings import Piece, Row, rows_of
from .owners import Owner, bios, caches, disks, processes


@dataclass
class Frame:
    """A folio, or some that are alike and follow each other; drawn once, whoever points at it."""

    key: str
    name: str
    words: str
    held: str  # how often; empty where nobody counts, or once
    look: str  # zero, data or freed
    huge: bool = False
    folios: list[Folio] = field(default_factory=list)
    holders: str = ""  # by name, where a count of its own is kept


@dataclass
class Scene:
    """Everything that one memory map shows."""

    owners: list[Owner]
    frames: list[Frame]
    state: State
    heads: tuple[str, str, str, str] = ("who", "address range", "entry", "frame")

    def keys(self, cell: Cell) -> list[str]:
        """What in this scene an operation on *cell* touches."""
        handle = cell[0]
        if isinstance(handle, Mm):
            return [f"o{handle!r}"]
        if isinstance(handle, PmdTable) and not isinstance(self.state.peek(cell), PteTable):
            rows = self._rows(f"o{Mm(handle.id)!r}", int(cell[1]) * PTRS_PER_PTE)
            if rows:
                return rows
        if isinstance(handle, (PmdTable, Deposits)):
            return [f"o{Mm(handle.id)!r}"]
        if isinstance(handle, HugeZero):
            return [
                frame.key for frame in self.frames if frame.folios[0] is self.state.peek((handle, "folio"))
            ]
        if isinstance(handle, (BlockDevice, Bio)):
            return [f"o{handle!r}"]
        if isinstance(handle, Vma):
            return [area.key for owner in self.owners for area in owner.areas if area.key == f"a{handle!r}"]
        if isinstance(handle, Folio):
            return [frame.key for frame in self.frames if handle in frame.folios]
        if isinstance(handle, PteTable) and handle in self.state.tables:
            mm, block = self.state.tables[handle]
            return self._rows(f"o{mm!r}", block * PTRS_PER_PTE + int(cell[1]))
        if isinstance(handle, AddressSpace) and isinstance(cell[1], int):
            return self._rows(f"o{handle!r}", cell[1])
        return []

    def _rows(self, owner: str, page: int) -> list[str]:
        return [
            row.key
            for o in self.owners
            if o.key == owner
            for area in o.areas
            for row in area.rows
            if row.first <= page < row.first + row.pages
        ]


def scene(film: Film, state: State, fold: int | None = 16, struck: Folio | None = None) -> Scene:
    """The memory map at one moment. An owner with more than *fold* rows has those in the middle folded.

    *struck* is a folio that a kernel bug hit: it is drawn, dead or alive.
    """
    owners = [*processes(film, state), *caches(state), *bios(state), *disks(state)]
    cells = state.cells
    pointers: dict[Folio, list[Any]] = {}
    for owner in owners:
        for area in owner.areas:
            for piece in area.pieces:
                if piece.folio is not None and piece.folio is not ZERO_PAGE:
                    pointers.setdefault(piece.folio, []).append((area.key, piece.words, piece.first))

    def alike(piece: Piece) -> Any:
        """Neighbours for which this is equal are drawn as one: same holders, same sort of bytes."""
        folio = piece.folio
        if folio is None or folio is ZERO_PAGE:
            return None
        held = pointers[folio]
        others = len(held) > 1 and [(key, words, first - piece.first) for key, words, first in held]
        alive = cells.get((folio, "state")) in ALIVE
        return others, alive, is_zeroes(state.peek((folio, "data"))), cells.get((folio, "refcount"), 1)

    frames: dict[Folio, Frame] = {}
    for owner in owners:
        for area in owner.areas:
            area.rows = rows_of(area.key, area.unit, area.pieces, alike)
        shown = _folded(owner, fold) if fold else [row for area in owner.areas for row in area.rows]
        for row in shown:
            if row.folios and row.folios[0] not in frames:
                frame = _frame(row.folios, state)
                frames.update(dict.fromkeys(row.folios, frame))
            row.frame = frames[row.folios[0]].key if row.folios else ""
    if (huge_zero := state.peek((HUGE_ZERO, "folio"))) in frames:
        frames[huge_zero].holders = _holders(film, state, owners, huge_zero)
    tables = {table.body for table in state.put_aside.values()}
    loose = [
        folio
        for folio in state.all(Folio)
        if folio not in pointers
        and state.peek((folio, "state")) == "live"
        and PteTable(folio.id) not in state.tables
        and folio not in tables
    ]
    if owners and ZERO_PAGE not in frames:  # there from boot, in use or not
        frames[ZERO_PAGE] = _frame([ZERO_PAGE], state)
    if struck is not None and struck not in frames and struck not in loose:
        frames[struck] = _frame([struck], state)
    for folio in loose[:fold]:
        frames[folio] = _frame([folio], state)
        if folio is huge_zero:
            frames[folio].holders = _holders(film, state, owners, folio)
        else:
            frames[folio].held = "not mapped"
    if rest := loose[fold:] if fold else []:
        frames[rest[0]] = Frame("f+", f"{len(rest)} more folios", "nobody maps them", "", "data", folios=rest)
    return Scene(owners, list({frame.key: frame for frame in frames.values()}.values()), state)


def _holders(film: Film, state: State, owners: list[Owner], folio: Folio) -> str:
    """Say whose references the huge zero folio's count is made of: of flags where there are any, else of entries."""
    count = state.peek((HUGE_ZERO, "refcount"))
    if count and count == state.at_start.get((HUGE_ZERO, "refcount")):
        return f"count {count}: kernel, since boot"
    flagged = (mm for mm in state.all(Mm) if state.peek((mm, "huge_zero")) and state.peek((mm, "users")) > 0)
    named = dict.fromkeys(map(film.who, flagged), 1)
    if not named:
        pieces = [(owner.name, piece) for owner in owners for area in owner.areas for piece in area.pieces]
        for name, piece in pieces:
            if piece.folio is folio and piece.each > 1:
                named[name] = named.get(name, 0) + piece.pages // piece.each
    rest = count - sum(named.values())
    words = [name if n == 1 else f"{name} {n} ×" for name, n in named.items()]
    if rest > 0:
        words.append("kernel" if rest == 1 else f"{rest} more")
    return "" if _set_aside(state, folio) else f"count {count}" + (f": {', '.join(words)}" if words else "")


def _set_aside(state: State, folio: Folio) -> bool:
    """Return whether the huge zero folio is there from boot, so that nobody counts."""
    return not state.peek((HUGE_ZERO, "refcount")) and folio is state.at_start.get((HUGE_ZERO, "folio"))


def _folded(owner: Owner, most: int) -> list[Row]:
    """Put the rows in the middle of *owner* away if they are too many; gives those that stay."""
    every = [row for area in owner.areas for row in area.rows]
    if len(every) <= most:
        return every
    away = every[most // 2 : 1 - most // 2]
    gone = {id(row) for row in away}
    first, last = away[0], away[-1]
    one = Row(
        f"{first.key}+",
        first.first,
        last.first + last.pages - first.first,
        f"… {len(away)} more ranges",
        "",
        f"{sum(len(r.folios) for r in away)} folios",
    )
    for area in owner.areas:
        kept = [one if row is first else row for row in area.rows if row is first or id(row) not in gone]
        area.rows = kept
    owner.areas = [area for area in owner.areas if area.rows]
    return [row for row in every if id(row) not in gone]


def _frame(folios: list[Folio], state: State) -> Frame:
    first = folios[0]
    key = f"f{first!r}"
    if first is ZERO_PAGE:
        return Frame(key, folio_name(first), "4 KiB · zeroes · not counted", "", "zero", folios=folios)
    contents = state.peek((first, "data"))
    hints = {hint(contents) for contents in {state.peek((folio, "data")) for folio in folios}}
    words = hints.pop() if len(hints) == 1 else "data"
    count = state.peek((first, "refcount"))
    held = "" if count == 1 else f"held {count} ×"
    huge_zero = first in state.huge_zeroes
    if first is state.peek((HUGE_ZERO, "folio")) and _set_aside(state, first):
        words += " · set aside at boot"
    look = "zero" if is_zeroes(contents) else "data"
    if state.peek((first, "state")) not in ALIVE:
        words, held, look = "not allocated any more ✗", "", "freed"
    long = size(first.nr_pages * PAGE_SIZE)
    if len(folios) == 1:
        return Frame(
            key, folio_name(first, huge_zero), f"{long} · {words}", held, look, first.order > 0, folios
        )
    numbers = sorted(folio.pfn for folio in folios)
    dense = all(b == a + 1 for a, b in pairwise(numbers))
    name = f"folios {numbers[0]:#x}{'–' if dense else ' … '}{numbers[-1]:#x}"
    return Frame(key, name, f"{len(folios)} × {long} · {words}", held and f"each {held}", look, True, folios)
