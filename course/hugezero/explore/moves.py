"""From one state of the search to the next: one operation that others could see, and what follows at once.

A state is (what the cells hold, where each thread is). Only operations on cells that another
thread might touch are scheduling points: a return, a call of another function, an allocation, an
operation on a folio that nobody else has heard of are no business of the others, and follow at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..store import Cell
from .allocator import Allocator, OutOfNumbers
from .calltree import Code
from .effects import Doing
from .generations import bodies
from .sharing import GoesOn, Sharing
from .state import LIVE, Cells, Peek
from .threads import At, Move, Row, State, Thread

__all__ = ["At", "Move", "Peek", "Row", "State", "Steps", "Thread"]

LOCAL = 2000  # operations that a thread may do one after the other without one that another could see,
GUESSED = 400  # and as long as it is only a guess that no other could
DEEPEST = 50  # calls in calls; the thread itself, the outermost of all, is not one


class Steps:
    """The moves of some threads on one machine."""

    def __init__(
        self,
        code: Code,
        threads: Sequence[Thread],
        cells: Mapping[Cell, Any],
        always: Callable[[Peek], str | None] | None,
        may_fail: bool,
        shared: frozenset[Cell] | None = None,
    ) -> None:
        self.code, self.may_fail = code, may_fail
        self.idle_threads = tuple(At(code.thread(thread.name, thread.run)) for thread in threads)
        self.cells, self.sharing = Cells(), Sharing(shared)
        self.allocator = Allocator(self.cells)
        self.doing = Doing(self.cells, self.allocator, self.sharing, always)
        self.keep_rows = False
        self.first: list[Any] = []
        for cell, value in cells.items():
            if (
                cell[1] != "state" or cell[0].body is not None
            ):  # of other things, a machine's note of their birth
                self.cells.set(self.first, cell, value)
            self.allocator.there.update(body.pfn for body in bodies((cell[0], value)))

    def idle(self) -> State:
        """Before any thread has done anything."""
        return self.cells.packed(list(self.first)), self.idle_threads

    def begin(self, cpu: int, state: State) -> Iterator[Move]:
        """Let a thread that has done nothing yet come to its first scheduling point; others are at one."""
        values, threads = state
        return self._advance(cpu, list(values), threads, threads[cpu], False)

    def start(self) -> list[Move]:
        """Where the threads are when each has come to its first scheduling point; or what goes wrong before."""
        moves = [Move(-1, (), self.idle(), None)]
        for cpu in range(len(self.idle_threads)):
            reached = []
            for before in moves:
                assert before.after is not None
                for move in self.begin(cpu, before.after):
                    if move.after is None:
                        return [move]  # whatever the others did, it was no business of this one
                    reached.append(Move(-1, (*before.rows, *move.rows), move.after, None))
            moves = reached
        return moves

    def moves(self, state: State) -> Iterator[Move]:
        """Everything that may happen next in *state*."""
        values, threads = state
        for cpu, at in enumerate(threads):
            if at.node is not None and not self.doing.waits(values, at.node.action):
                yield from self._advance(cpu, list(values), threads, at, True)

    def peek(self, state: State) -> Peek:
        """What the cells hold in *state*, and at LIVE the folios that are."""
        return lambda cell: self.cells.live(state[0]) if cell is LIVE else self.cells.get(state[0], cell)

    # one thread goes on

    def _advance(
        self, cpu: int, values: list[Any], threads: tuple[At, ...], at: At, go: bool
    ) -> Iterator[Move]:
        """Let a thread go on, with its next operation if *go*, until another one could tell."""
        ways: list[tuple[list[Any], At, tuple[Row, ...]]] = [(values, at, ())]
        n = 0
        while ways:
            values, at, rows = ways.pop()
            stop: str | None = None
            while True:
                node = at.node
                if node is None:
                    break
                action = node.action
                if action[0] == "return":
                    at = self._returned(at, action[1])
                    continue
                if action[0] != "op":
                    name = node.root.name
                    stop = action[1] if action[0] == "bug" else f"{name} raised {action[1]}: {action[2]}"
                    break
                if not go and (
                    self.doing.others_could_see(cpu, values, action) or self.doing.waits(values, action)
                ):
                    break
                go, n = False, n + 1
                if n == GUESSED or n > LOCAL:
                    self._guessed(cpu)
                if n > LOCAL:
                    stop = f"{node.root.name} goes on for ever without looking at anything shared"
                    break
                verb = action[2]
                if verb == "call":
                    called = self.code.call(action[3][0], action[3][1:])
                    at = At(called, (*at.callers, node))
                    if len(at.callers) > DEEPEST + 1:
                        stop = f"{called.root.name}: {DEEPEST} calls in calls, and no end"
                        break
                    continue
                if verb == "new":
                    if self.may_fail and action[3][0] == "Folio":
                        ways.append(self._born(cpu, list(values), at, rows, None))
                    try:
                        thing = self.allocator.made(values, cpu, action[3], at.callers)
                    except OutOfNumbers:
                        self._guessed(cpu)
                        raise
                    values, at, rows = self._born(cpu, values, at, rows, thing)
                    continue
                carry_out = self.doing.hardware if verb == "hardware" else self.doing.carry_out
                row, stop = carry_out(cpu, values, action)
                if self.keep_rows or stop is not None:
                    rows = (*rows, row)
                if stop is not None:
                    break
                at = self._saw(at, row.result)
            if stop is not None:
                yield Move(cpu, rows, None, stop)
            else:
                after = (*threads[:cpu], at, *threads[cpu + 1 :])
                yield Move(cpu, rows, (self.cells.packed(values), after), None)

    def _guessed(self, cpu: int) -> None:
        """A thread does much that nobody is told of: GoesOn if that was a guess, since it may wait for somebody."""
        mine = self.sharing.only_by(cpu)
        if mine:
            raise GoesOn(mine)

    def _born(
        self, cpu: int, values: list[Any], at: At, rows: tuple[Row, ...], thing: Any
    ) -> tuple[list[Any], At, tuple[Row, ...]]:
        assert at.node is not None
        if self.keep_rows:
            rows = (*rows, Row(cpu, at.node.action[1], "new", at.node.action[3], None, None, thing))
        return values, self._saw(at, thing), rows

    def _saw(self, at: At, result: Any) -> At:
        """Where a thread is when its operation has given *result*."""
        node = at.node
        assert node is not None
        return At(self.code.saw(node, result), at.callers)

    def _returned(self, at: At, value: Any) -> At:
        """Where a thread is when the call that it is in has returned *value*."""
        if not at.callers:
            return At(None)
        return At(self.code.saw(at.callers[-1], value), at.callers[:-1])
