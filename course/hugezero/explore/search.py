"""Every schedule of a few CPUs: breadth first over states that are remembered.

All of it is under sequential consistency.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ..store import Cell
from .allocator import OutOfNumbers
from .calltree import Code, CountsRounds
from .moves import Peek, Row, State, Steps, Thread
from .sharing import GoesOn

STATES = 200_000
FOR_EVER = "from here on somebody waits for ever"
DEADLOCK = "nobody can go on"


@dataclass
class Outcome:
    """What a search found.

    *bug*: None, or what goes wrong in the schedule *rows*. *inconclusive*: it came to no end within
    its budget, which is never a pass; every schedule of up to *longest* moves was tried. *states* were
    reached, in *runs* runs of the code; *ends* is what cells can hold when every thread has ended.
    *shared*: the cells at which it matters who goes next; a ByHand that is given them stops where the search did.
    """

    bug: str | None = None
    rows: list[Row] = field(default_factory=list)
    states: int = 0
    runs: int = 0
    ends: frozenset[Any] = frozenset()
    inconclusive: bool = False
    shared: frozenset[Cell] = frozenset()
    longest: int = 0

    @property
    def switches(self) -> int:
        """How often the schedule goes from one CPU to another."""
        return sum(one.cpu != other.cpu for one, other in pairwise(self.rows))


def explore(
    functions: Mapping[str, Any],
    threads: Sequence[Thread],
    cells: Mapping[Cell, Any] | None = None,
    at_end: Callable[[Peek], str | None] = lambda peek: None,
    always: Callable[[Peek], str | None] | None = None,
    may_fail: bool = False,
    limit: int = STATES,
) -> Outcome:
    """Run *threads* in every order, from *cells*.

    *functions*: by name, each with `step(args, log)`. *at_end* and *always* say what is wrong when
    every thread has ended, and after each operation. With *may_fail* each allocation is tried both
    ways. Ends with the first bug, or after *limit* states.
    """
    code, shared = Code(functions), frozenset[Cell]()
    while True:
        steps = Steps(code, threads, cells or {}, always, may_fail, shared)
        search = _Search(steps, at_end)
        try:
            outcome = search.run(limit)
        except CountsRounds as counts:
            code = Code(functions, code.counting | {str(counts)})
            continue
        except GoesOn as goes_on:
            shared |= goes_on.cells
            continue
        except OutOfNumbers:
            outcome = Outcome(states=len(search.seen), inconclusive=True)
        if steps.sharing.found and not outcome.inconclusive:
            shared |= steps.sharing.found
            continue
        outcome.runs, outcome.shared = code.runs, shared
        return outcome


class _Search:
    def __init__(self, steps: Steps, at_end: Callable[[Peek], str | None]) -> None:
        self.steps, self.at_end = steps, at_end
        self.ends: set[Any] = set()
        self.seen: dict[State, int] = {}  # with how many moves it takes to get there

    def run(self, limit: int) -> Outcome:
        self.steps.keep_rows = True
        start = self.steps.start()
        self.steps.keep_rows = False
        if start[0].bug is not None:
            return self._outcome(start[0].bug, list(start[0].rows))
        self.first = {move.after: move.rows for move in start if move.after is not None}
        self.seen.update((state, 0) for state in self.first)
        queue = deque(self.first)
        into: dict[State, list[State]] = {}
        final: list[State] = []
        enough = limit
        while queue:
            state = queue.popleft()
            if self.steps.sharing.found:  # what was guessed is wrong: soon begin anew
                enough = min(enough, 2 * len(self.seen))
                if len(self.seen) >= enough:
                    return Outcome()
            for move in self.steps.moves(state):
                after = move.after
                if after is None:
                    return self._outcome(move.bug, self._shortest(self.seen[state] + 1, bug=move.bug))
                if after in into:
                    into[after].append(state)
                else:
                    into[after] = [state]
                if after not in self.seen:
                    self.seen[after] = self.seen[state] + 1
                    queue.append(after)
            if all(at.node is None for at in state[1]):
                wrong = self.at_end(self.steps.peek(state))
                if wrong is not None:
                    return self._outcome(wrong, self._shortest(self.seen[state], goal=state))
                self.ends.add(self.steps.cells.visible(state[0]))
                final.append(state)
            if len(self.seen) > limit:
                return Outcome(states=len(self.seen), inconclusive=True, longest=max(0, self.seen[state] - 1))
        stuck = self._stuck(into, final)
        if stuck is None:
            return self._outcome(None, [])
        what = FOR_EVER if any(self.steps.moves(stuck)) else DEADLOCK
        return self._outcome(what, self._shortest(self.seen[stuck], goal=stuck))

    def _outcome(self, bug: str | None, rows: list[Row]) -> Outcome:
        return Outcome(bug, rows, len(self.seen), ends=frozenset(self.ends))

    def _stuck(self, into: dict[State, list[State]], final: list[State]) -> State | None:
        """A state from which no end can be reached: one that nobody can leave, if there is such a one."""
        good = set(final)
        queue = deque(final)
        while queue:
            for before in into.get(queue.popleft(), ()):
                if before not in good:
                    good.add(before)
                    queue.append(before)
        bad = [state for state in (*self.first, *into) if state not in good]
        return next((state for state in bad if not any(self.steps.moves(state))), bad[0] if bad else None)

    def _shortest(self, moves: int, goal: State | None = None, bug: str | None = None) -> list[Row]:
        """The way to *goal*, or to *bug*, that has the fewest switches between CPUs, then the fewest operations.

        *moves* are enough to get there; ways of more than twice as many are not looked at, since code
        that counts its rounds may go round for ever without a switch.
        """
        self.steps.keep_rows = True
        layers: dict[tuple[int, int], list[tuple[State, int, int, tuple[Row, ...], State]]] = {}
        layers[0, 0] = [(state, -1, 0, (), state) for state in self.first]
        done: set[tuple[State, int]] = set()
        while layers:
            cost = min(layers)
            for state, last, far, rows, start in layers.pop(cost):
                if state == goal:
                    return self._whole(start, rows)
                if (state, last) in done or far > 2 * moves:
                    continue
                done.add((state, last))
                for move in self.steps.moves(state):
                    way = (*rows, *move.rows)
                    if move.after is None:
                        if move.bug == bug:
                            return self._whole(start, way)
                        continue
                    further = cost[0] + (last not in (-1, move.cpu)), cost[1] + len(move.rows)
                    layers.setdefault(further, []).append((move.after, move.cpu, far + 1, way, start))
        raise AssertionError("the way to a state that was reached cannot be found again")

    def _whole(self, start: State, rows: Sequence[Row]) -> list[Row]:
        """*rows*, with what each CPU did unseen, before its first scheduling point, right before its first row."""
        unseen = self.first[start]
        began = {cpu for cpu, at in enumerate(start[1]) if at.node is None}  # and ended: nobody ever saw it
        whole = [row for row in unseen if row.cpu in began]
        for row in rows:
            if row.cpu not in began:
                began.add(row.cpu)
                whole += [other for other in unseen if other.cpu == row.cpu]
            whole.append(row)
        return whole
