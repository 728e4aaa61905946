"""The small memory map of a schedule: which folios there are, and who knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...hw.ram import PAGE_SIZE
from ...hw.tlb import Tlb
from ...mm.page_alloc import Folio
from ...store import Cell, Handle
from ..memory.mappings import Row
from ..memory.owners import Area, Owner
from ..memory.scene import Frame, Scene
from ..moments import State
from ..words import size
from .harm import meant
from .names import Names, Operation, folios_in, is_lock
from .rows import scenery

HEADS = ("who", "knows", "as", "folio")


@dataclass
class _Life:
    """One folio."""

    folio: Folio
    freed: int = 0  # in which row; 0: it is in use
    born: bool = False  # in this schedule, so that all who know of it are shown?


@dataclass
class Known:
    """What the cells and the CPUs of a schedule know, brought forward row by row."""

    columns: Sequence[str]
    names: Names
    holds: dict[Cell, Any]
    lives: dict[str, _Life] = field(default_factory=dict)
    seen: dict[int, dict[str, tuple[str, int]]] = field(
        default_factory=dict
    )  # CPU: name of a folio: how it came to know it, and in which row
    done: dict[int, int] = field(default_factory=dict)  # CPU: how many operations
    changed: list[str] = field(default_factory=list)  # keys of what the last row changed
    lost: dict[Folio, int] = field(default_factory=dict)  # in which row each was lost that nobody knows of
    row: int = 0

    def __post_init__(self) -> None:
        for value in self.holds.values():
            self._meet(value)

    def apply(self, k: int, row: Operation) -> None:
        """Go on by row *k*, whose names have been given."""
        self.changed, self.row = [], k + 1
        self.done[row.cpu] = self.done.get(row.cpu, 0) + 1
        seen = self.seen.setdefault(row.cpu, {})
        handle = row.cell[0]
        if row.verb == "free" and isinstance(handle, Folio):
            name = self.names.folio(handle)
            self.lives.setdefault(name, _Life(handle)).freed = k + 1
            seen.pop(name, None)
            self.changed = [f"f{name}"]
            return
        if row.verb == "new" and isinstance(row.result, Folio):
            self.lives[self.names.folio(row.result)] = _Life(row.result, born=True)
            self.changed = [f"f{self.names.folio(row.result)}"]
        if row.cell in self.holds:
            self.holds[row.cell] = row.new
            if row.old != row.new:
                self.changed = [f"s{row.cell!r}", f"o{handle!r}"]
        for name in self._meet(row.result):
            if name not in seen:
                how = "its TLB" if isinstance(handle, Tlb) else self.names.code(row).split("(")[0]
                seen[name] = how, k + 1
                self.changed.append(f"c{row.cpu}{name}")

    def losing(self, rows: Sequence[Operation], bug: str | None, done: int | None) -> None:
        """*bug* says what goes wrong in *rows*, and row *done* does it: what is lost then is marked."""
        if bug is not None and " lost" in bug:
            self.lost = dict.fromkeys(meant(rows, bug), len(rows) if done is None else done + 1)

    def scene(self) -> Scene:
        """Everything that is known now."""
        owners = [*self._handles(), *self._cpus()]
        pointed = {row.frame for owner in owners for area in owner.areas for row in area.rows}
        frames = [
            self._frame(name, life)
            for name, life in self.lives.items()
            if not life.freed or f"f{name}" in pointed
        ]
        return Scene(owners, frames, State({}), HEADS)

    def _meet(self, value: Any) -> list[str]:
        """The names of the folios in *value*, each of which is one from now on."""
        met = []
        for folio in folios_in(value):
            name = self.names.folio(folio)
            self.lives.setdefault(name, _Life(folio))
            met.append(name)
        return met

    def _handles(self) -> list[Owner]:
        """What the shared cells hold: those that may hold a folio as rows, the others in words."""
        owners: dict[Any, Owner] = {}
        kinds = [type(handle) for handle in dict.fromkeys(cell[0] for cell in self.holds)]
        for cell, value in self.holds.items():
            handle = cell[0]
            name = _name(handle) if kinds.count(type(handle)) == 1 else repr(handle)
            owner = owners.setdefault(handle, Owner(f"o{handle!r}", name, []))
            folios = list(folios_in(value))
            if not folios and value is not None:
                field = "lock" if is_lock(*cell) else cell[1]
                owner.lines.append(f"{field} {self.names.held(value, cell)}")
                continue
            if not owner.areas:
                owner.areas.append(Area(f"a{handle!r}", "its cells", []))
            frame = f"f{self.names.folio(folios[0])}" if folios else ""
            entry = self.names.held(value, cell) if folios else ""
            owner.areas[0].rows.append(
                Row(f"s{cell!r}", 0, 1, self.names.cell(cell), "", entry, folios, frame)
            )
        return list(owners.values())

    def _cpus(self) -> list[Owner]:
        """Which folio each CPU has seen, and has not freed itself."""
        owners = []
        for cpu, seen in sorted(self.seen.items()):
            rows = [
                Row(f"c{cpu}{name}", 0, 1, how, f"row {k}", name, [self.lives[name].folio], f"f{name}")
                for name, (how, k) in seen.items()
            ]
            if rows:
                owners.append(
                    Owner(
                        f"C{cpu}",
                        self.columns[cpu],
                        [operations(self.done[cpu])],
                        [Area(f"A{cpu}", "has seen", [], rows)],
                    )
                )
        return owners

    def _frame(self, name: str, life: _Life) -> Frame:
        long = size(life.folio.nr_pages * PAGE_SIZE)
        if life.freed:
            return Frame(
                f"f{name}", name, f"{long} · freed in row {life.freed} ✗", "", "freed", True, [life.folio]
            )
        row = self.lost.get(life.folio, self.row + 1)
        if row <= self.row:
            words = f"{long} · lost in row {row} ✗"
            return Frame(f"f{name}", name, words, "", "freed", True, [life.folio])
        named = any(life.folio in folios_in(value) for value in self.holds.values())
        words = long
        if named or life.born:
            words += " · in use" if named else " · in no cell"
        return Frame(f"f{name}", name, words, "", "card", True, [life.folio])


def shared(rows: Sequence[Operation]) -> dict[Cell, Any]:
    """Every cell of *rows* that is not part of a folio, with what it holds before them."""
    found: dict[Cell, Any] = {}
    for row in rows:
        if row.cell[0].body is None and not scenery(row) and row.verb != "new":
            found.setdefault(row.cell, row.old)
    return found


def _name(handle: Handle) -> str:
    """What a student calls it."""
    name = type(handle).__name__
    return {"PmdTable": "huge entries", "Deposits": "put aside", "Tlb": "TLB", "Mm": "mm"}.get(name, name)


def operations(n: int) -> str:
    return f"{n} operation{'s' * (n != 1)}"
