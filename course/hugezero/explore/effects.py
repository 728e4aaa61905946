"""What one operation, or one step of the hardware, does to the cells of a state; and who could tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..mm.page_alloc import Folio
from ..mm.vmstat import VMSTAT
from ..store import DECLARED, KERNEL, OPERATIONS, Cell, KernelBug
from .allocator import Allocator
from .calltree import Action
from .sharing import ADDED, LOOKED, OBSERVER, WROTE, Sharing
from .state import Cells, Peek
from .threads import Row

MANY = 3  # events, of which more are not told apart
NOWHERE: Cell = (KERNEL, "functions")


class Doing:
    """Carries out what threads do. *always* says what is wrong behind an operation, if anything is."""

    def __init__(
        self,
        cells: Cells,
        allocator: Allocator,
        sharing: Sharing,
        always: Callable[[Peek], str | None] | None,
    ) -> None:
        self.cells, self.allocator, self.sharing, self.always = cells, allocator, sharing, always

    def waits(self, values: Sequence[Any], action: Action) -> bool:
        """Is this somebody who wants a lock that is held, or hardware that has nothing to do yet?"""
        if action[2] == "hardware":
            step, *args = action[3]
            return not step.ready(lambda cell: self.cells.get(values, cell), *args)
        wanted = DECLARED.get(action[2])  # None: something new, or a call
        return (
            wanted is not None
            and wanted.waits is not None
            and wanted.waits(self.cells.get(values, action[1]))
        )

    def others_could_see(self, cpu: int, values: list[Any], action: Action) -> bool:
        """Is this operation a scheduling point?"""
        _, cell, verb, _ = action
        if verb == "hardware":
            return True
        if verb in ("new", "call") or self._own(cpu, values, cell):
            return False
        body = cell[0].body
        return self.sharing.is_shared(cell) or (body is not None and self.sharing.is_shared((body, "state")))

    def carry_out(self, cpu: int, values: list[Any], action: Action) -> tuple[Row, str | None]:
        """One operation on *values*, which it changes; and what is wrong then, if anything is."""
        _, cell, verb, args = action
        handle = cell[0]
        body = handle.body
        old = self.cells.get(values, cell)
        own = self._own(cpu, values, cell)
        try:
            if body is not None and verb != "free" and self.cells.get(values, (body, "state")) == "free":
                raise KernelBug(f"{handle!r} was used after it was freed")
            new, result = OPERATIONS[verb](old, *args)
            if handle is VMSTAT and new > MANY:  # a loop that counts its rounds there would have no end
                new = MANY
        except KernelBug as bug:
            return Row(cpu, cell, verb, args, old, old, None), bug.what
        if not own:
            self._note(cpu, cell, LOOKED if new is old else ADDED if DECLARED[verb].commutes else WROTE)
        if verb == "free":
            self.cells.wipe(values, handle)
        elif new is not old:
            self._write(values, cell, new)
        return Row(cpu, cell, verb, args, old, new, result), self._wrong(values)

    def hardware(self, cpu: int, values: list[Any], action: Action) -> tuple[Row, str | None]:
        """One step of the machine on several cells; the row is about the first that it writes, or else looks at."""
        step, *args = action[3]
        looked: list[Cell] = []

        def look(cell: Cell) -> Any:
            looked.append(cell)
            return self.cells.get(values, cell)

        writes, result, bug = step.does(look, *args)
        mainly = next(iter((*writes, *looked)), NOWHERE)
        old = self.cells.get(values, mainly)
        for cell, how in (*((cell, LOOKED) for cell in looked), *((cell, WROTE) for cell in writes)):
            if not self._own(cpu, values, cell):
                self._note(cpu, cell, how)
        for cell, new in writes.items():
            self._write(values, cell, new)
        new = self.cells.get(values, mainly)
        return Row(cpu, mainly, step.does.__name__, (), old, new, result), bug or self._wrong(values)

    def _own(self, cpu: int, values: list[Any], cell: Cell) -> bool:
        """Is *cell* no business of any other CPU, whoever will touch it?"""
        body = cell[0].body
        if body is None:
            return cell[0] is VMSTAT  # each CPU counts events for itself
        return isinstance(body, Folio) and self.allocator.private(values, cpu, body)

    def _note(self, cpu: int, cell: Cell, how: int) -> None:
        """Somebody has touched *cell*; and whoever frees what it is in had better not be earlier."""
        self.sharing.note(cpu, cell, how)
        body = cell[0].body
        if body is not None:
            self.sharing.note(cpu, (body, "state"), LOOKED)

    def _write(self, values: list[Any], cell: Cell, new: Any) -> None:
        self.cells.set(values, cell, new)
        body = cell[0].body
        if body is None or self.allocator.is_published(values, body):
            self.allocator.publish(values, new)

    def _wrong(self, values: list[Any]) -> str | None:
        """What must always be so, and is not."""
        if self.always is None:
            return None

        def look(cell: Cell) -> Any:
            self.sharing.note(OBSERVER, cell, LOOKED)
            return self.cells.get(values, cell)

        return self.always(look)
