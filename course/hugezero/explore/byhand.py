"""A schedule by hand: somebody says which CPU goes next, and it does what the search would have it do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from ..store import Cell
from .calltree import Code
from .moves import Move, Peek, Row, State, Steps, Thread
from .places import Places, Spot
from .search import DEADLOCK

Pick = tuple[int, int]  # which CPU, and which of the ways that its next operations may go


class CannotGo(ValueError):
    """A CPU was picked that has ended, or waits for a lock, or is not there."""


class Choice(NamedTuple):
    """A CPU that may go next, and what it then does.

    *way* counts what it may come to: 0, and more where an allocation may find no memory.
    """

    cpu: int
    way: int
    rows: tuple[Row, ...]


class ByHand:
    """The threads of a search, one move at a time; takes what `explore` takes, and what it found to be *shared*.

    A move is one operation that others could see and what follows at once. *bug* is what has gone
    wrong, or None; *rows* is all that was done so far, and *picks* who did it.
    """

    def __init__(
        self,
        functions: Mapping[str, Any],
        threads: Sequence[Thread],
        cells: Mapping[Cell, Any] | None = None,
        at_end: Callable[[Peek], str | None] = lambda peek: None,
        always: Callable[[Peek], str | None] | None = None,
        may_fail: bool = False,
        shared: frozenset[Cell] | None = None,
    ) -> None:
        code = Code(functions, frozenset(functions))  # no loop is folded: nothing here looks for an end
        self.steps = Steps(code, threads, cells or {}, always, may_fail, shared)
        self.steps.keep_rows = True
        self.at_end = at_end
        self.picks: list[Pick] = []
        self._places = Places(functions, threads)
        self._moves = [Move(-1, (), self.steps.idle(), None)]

    @property
    def rows(self) -> list[Row]:
        """Every operation so far."""
        return [row for move in self._moves for row in move.rows]

    @property
    def ends(self) -> list[int]:
        """How many operations had been done behind each pick."""
        return list(accumulate(len(move.rows) for move in self._moves[1:]))

    @property
    def bug(self) -> str | None:
        """What has gone wrong, if anything has."""
        last = self._moves[-1]
        if last.after is None:
            return last.bug
        if self.enabled():
            return None
        return DEADLOCK if self.waiting() else self.at_end(self.steps.peek(last.after))

    @property
    def broke(self) -> bool:
        """Has an operation done what none may, so that nobody goes on?"""
        return self._moves[-1].after is None

    @property
    def ended(self) -> bool:
        """Is there nobody left who could go?"""
        return not self.enabled()

    def enabled(self) -> list[Choice]:
        """Who may go next, in every way that it may go."""
        return [Choice(cpu, way, move.rows) for (cpu, way), move in self._next().items()]

    def waiting(self) -> list[int]:
        """CPUs that have not ended and cannot go: they wait for a lock."""
        state = self._moves[-1].after
        if state is None:
            return []
        able = {cpu for cpu, _ in self._next()}
        return [cpu for cpu in range(len(state[1])) if cpu not in able and not self._over(cpu, state)]

    def go(self, cpu: int, way: int = 0) -> tuple[Row, ...]:
        """Let *cpu* make its next move; gives its rows. CannotGo if it has none."""
        moves = self._next()
        if (cpu, way) not in moves:
            able = ", ".join(str(cpu) for cpu, way in moves if way == 0) or "none"
            raise CannotGo(f"CPU {cpu} cannot go now; those that can: {able}")
        self._moves.append(moves[cpu, way])
        self.picks.append((cpu, way))
        return self._moves[-1].rows

    def undo(self) -> None:
        """Take the last move back; nothing if there is none."""
        if self.picks:
            self.picks.pop()
            self._moves.pop()

    def again(self, picks: Iterable[Pick]) -> None:
        """Go to where *picks* lead from the start."""
        wanted = list(picks)
        while self.picks != wanted[: len(self.picks)]:
            self.undo()
        for cpu, way in wanted[len(self.picks) :]:
            self.go(cpu, way)

    def follow(self, rows: Sequence[Row]) -> None:
        """Do what *rows* did, from the start. A last move of which they have only a part is made whole."""
        self.again(())
        while len(done := self.rows) < len(rows):
            left = tuple(rows[len(done) :])
            same = [one for one in self.enabled() if one.rows[: len(left)] == left[: len(one.rows)]]
            if not same:
                raise CannotGo(f"nobody does now what row {len(done) + 1} says: {left[0]}")
            self.go(same[0].cpu, same[0].way)

    def rehearsal(self, most: int = 200) -> list[Row]:
        """What is done if each CPU goes as far as it can, one after the other; at *most* so many moves."""
        picks = list(self.picks)
        self.again(())
        while len(self.picks) < most and (able := self.enabled()):
            self.go(able[0].cpu)
        rows = self.rows
        self.again(picks)
        return rows

    def places(self, rows: Sequence[Row]) -> list[Spot]:
        """Where in the code each of *rows* was done."""
        return self._places.of(rows)

    def _next(self) -> dict[Pick, Move]:
        """Each move that may come next."""
        state = self._moves[-1].after
        if state is None:
            return {}
        found: dict[Pick, Move] = {}
        for cpu in range(len(state[1])):
            ways = [move for start in self.steps.begin(cpu, state) for move in self._after(cpu, start)]
            ways.sort(key=lambda move: sum(row.verb == "new" and row.result is None for row in move.rows))
            found |= {(cpu, way): move for way, move in enumerate(ways)}
        return found

    def _after(self, cpu: int, start: Move) -> list[Move]:
        """What *cpu* may do when it has come to *start*; *start* itself if it then ends at once."""
        if start.after is None or (start.rows and start.after[1][cpu].node is None):
            return [start]
        moves = [move for move in self.steps.moves(start.after) if move.cpu == cpu]
        return [move._replace(rows=(*start.rows, *move.rows)) for move in moves]

    def _over(self, cpu: int, state: State) -> bool:
        """Has *cpu* come to its end?"""
        first = next(self.steps.begin(cpu, state)).after
        return first is not None and first[1][cpu].node is None
