"""From one state of the search to the next: one operation that others could see, and what follows at once.

A state is (what the cells hold, where each thread is). Only operations on cells that another
thread might touch are scheduling points: a return, an allocation, an operation on a folio that
nobody else has heard of are no business of the others, and follow at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..mm.page_alloc import Folio
from ..mm.vmstat import VMSTAT
from ..store import OPERATIONS, Cell, Handle, KernelBug, View, cell_name, default_of, with_result
from .code import Action, Code, Node, Root

Peek = Callable[[Cell], Any]
Results = tuple[Any, ...]
Item = Callable[[Results], "Action | None"]
LOCAL = 2000  # operations that a thread may do one after the other without one that another could see
PUBLISHED = "published"  # a note of the search's own on a folio: its handle has been stored somewhere


@dataclass(frozen=True)
class Thread:
    """What one CPU does: items, one after the other.

    An item is a function of the results so far; it gives ("call", name, args),
    ("op", cell, verb, args), or None to be left out.
    """

    name: str
    items: tuple[Item, ...]


class Row(NamedTuple):
    """One operation of a schedule."""

    cpu: int
    cell: Cell
    verb: str
    args: tuple[Any, ...]
    old: Any
    new: Any
    result: Any

    def __str__(self) -> str:
        return f"CPU {self.cpu}: {with_result(self.cell, self.verb, self.args, self.result)}"


class At(NamedTuple):
    """Where a thread is: in which item, at which node of a call, with which results so far."""

    item: int
    node: Node | None  # None: it has ended
    results: Results


State = tuple[tuple[Any, ...], tuple[At, ...]]


class Move(NamedTuple):
    """What a thread may do in a state: its operations (only where they were asked for), and where that leads."""

    cpu: int
    rows: tuple[Row, ...]
    after: State | None
    bug: str | None


class _Own(Root):
    """An operation that a thread does itself, outside of any call."""

    __slots__ = ()


class Steps:
    """The moves of some threads on one machine."""

    def __init__(
        self,
        code: Code,
        threads: Sequence[Thread],
        cells: Mapping[Cell, Any],
        always: Callable[[Peek], str | None] | None,
        may_fail: bool,
    ) -> None:
        self.code, self.threads, self.always, self.may_fail = code, threads, always, may_fail
        self.slots: dict[Cell, int] = {}
        self.names: list[Cell] = []
        self.defaults: list[Any] = []
        self.keep_rows = False
        self.first: list[Any] = []
        for cell, value in cells.items():
            self._set(self.first, cell, value)

    def idle(self) -> State:
        """Before any thread has done anything."""
        return self._packed(list(self.first)), (At(-1, None, ()),) * len(self.threads)

    def begin(self, cpu: int, state: State) -> Iterator[Move]:
        """Let an idle thread come to its first scheduling point."""
        cells, threads = state
        return self._advance(cpu, list(cells), threads, threads[cpu], False)

    def start(self) -> list[Move]:
        """Where the threads are when each has come to its first scheduling point."""
        moves = [Move(-1, (), self.idle(), None)]
        for cpu in range(len(self.threads)):
            moves = [
                Move(-1, (*before.rows, *move.rows), move.after, move.bug)
                for before in moves
                if before.after is not None
                for move in self.begin(cpu, before.after)
            ]
            bugs = [move for move in moves if move.bug is not None]
            if bugs:
                return bugs
        return moves

    def moves(self, state: State) -> Iterator[Move]:
        """Everything that may happen next in *state*."""
        cells, threads = state
        for cpu, at in enumerate(threads):
            if at.node is None:
                continue
            action = at.node.action
            if action[2] == "lock" and self._get(cells, action[1]):
                continue  # somebody holds it: not enabled
            yield from self._advance(cpu, list(cells), threads, at, True)

    def peek(self, state: State) -> Peek:
        """What the cells hold in *state*."""
        return lambda cell: self._get(state[0], cell)

    def visible(self, state: State) -> frozenset[tuple[str, str]]:
        """What the cells hold in *state*, in words, without notes of the search's own."""
        named = zip(self.names, state[0], self.defaults, strict=False)
        return frozenset((cell_name(c), repr(v)) for c, v, d in named if v != d and c[1] != PUBLISHED)

    # one thread goes on

    def _advance(
        self, cpu: int, cells: list[Any], threads: tuple[At, ...], at: At, go: bool
    ) -> Iterator[Move]:
        """Let a thread go on, with its next operation if *go*, until another one could tell."""
        ways: list[tuple[list[Any], At, tuple[Row, ...]]] = [(cells, at, ())]
        n = 0
        while ways:
            cells, at, rows = ways.pop()
            stop: str | None = None
            while True:
                node = at.node
                if node is None:
                    items = self.threads[cpu].items
                    if at.item + 1 >= len(items):
                        at = At(at.item, None, ())  # nobody asks for its results any more
                        break
                    at = self._next_item(at, items[at.item + 1](at.results))
                    continue
                action = node.action
                if action[0] == "return":
                    at = At(at.item, None, (*at.results, action[1]))
                    continue
                if action[0] != "op":
                    name = node.root.name
                    stop = action[1] if action[0] == "bug" else f"{name} raised {action[1]}: {action[2]}"
                    break
                if not go and self._others_could_see(cpu, cells, action):
                    break
                go, n = False, n + 1
                if n > LOCAL:
                    stop = f"{node.root.name} goes on for ever without looking at anything shared"
                    break
                if action[2] == "new":
                    *others, folio = self._births(cpu, cells, action[3][1])
                    for other in others:
                        ways.append(self._born(cpu, list(cells), at, rows, other))
                    cells, at, rows = self._born(cpu, cells, at, rows, folio)
                    continue
                row, stop = self._carry_out(cpu, cells, action)
                if self.keep_rows or stop is not None:
                    rows = (*rows, row)
                if stop is not None:
                    break
                at = self._saw(at, row.result)
            if stop is not None:
                yield Move(cpu, rows, None, stop)
            else:
                after = (*threads[:cpu], at, *threads[cpu + 1 :])
                yield Move(cpu, rows, (self._packed(cells), after), None)

    def _born(
        self, cpu: int, cells: list[Any], at: At, rows: tuple[Row, ...], folio: Folio | None
    ) -> tuple[list[Any], At, tuple[Row, ...]]:
        assert at.node is not None
        if folio is not None:
            self._set(cells, (folio, "state"), "live")
        if self.keep_rows:
            rows = (*rows, Row(cpu, at.node.action[1], "new", at.node.action[3], None, None, folio))
        return cells, self._saw(at, folio), rows

    def _carry_out(self, cpu: int, cells: list[Any], action: Action) -> tuple[Row, str | None]:
        """One operation on *cells*, which it changes; and what is wrong then, if anything is."""
        _, cell, verb, args = action
        handle = cell[0]
        old = self._get(cells, cell)
        try:
            body = handle.body
            if body is not None and verb != "free" and self._get(cells, (body, "state")) == "free":
                raise KernelBug(f"{handle!r} was used after it was freed")
            new, result = OPERATIONS[verb](old, *args)
        except KernelBug as bug:
            return Row(cpu, cell, verb, args, old, old, None), bug.what
        if verb == "free":
            for name in handle.fields:  # a dead folio holds nothing that could still matter
                self._set(cells, (handle, name), default_of((handle, name)))
        elif new is not old:
            self._set(cells, cell, new)
            if handle.body is None:
                self._publish(cells, new)
        wrong = None if self.always is None else self.always(lambda c: self._get(cells, c))
        return Row(cpu, cell, verb, args, old, new, result), wrong

    def _saw(self, at: At, result: Any) -> At:
        """Where a thread is when its operation has given *result*."""
        node = at.node
        assert node is not None
        if isinstance(node.root, _Own):
            return At(at.item, None, (*at.results, result))
        return At(at.item, self.code.saw(node, result), at.results)

    def _next_item(self, at: At, what: Action | None) -> At:
        if what is None:
            return At(at.item + 1, None, (*at.results, None))
        if what[0] == "call":
            return At(at.item + 1, self.code.call(what[1], what[2]), at.results)
        root = self.code.roots.get(what)
        if root is None:
            root = self.code.roots[what] = _Own(str(what[2]), (), lambda *_: what, folds=False)
            root.node = Node(root, None, None, what)
        return At(at.item + 1, root.node, at.results)

    def _others_could_see(self, cpu: int, cells: list[Any], action: Action) -> bool:
        """Is this operation a scheduling point?"""
        _, cell, verb, _ = action
        if verb == "new" or cell[0] is VMSTAT:  # each CPU counts events for itself
            return False
        body = cell[0].body
        if not isinstance(body, Folio) or (body.pfn >> 15) - 1 != cpu:
            return True
        return self._get(cells, (body, PUBLISHED)) is not None or self._get(cells, (body, "state")) != "live"

    # folios

    def _births(self, cpu: int, cells: list[Any], order: int) -> Iterator[Folio | None]:
        """The CPU's lowest folio that is neither live nor known to anybody; and none, where that may happen."""
        n = 0
        while True:
            folio = Folio(((((cpu + 1) << 6) + n) << 9, order, 0))
            if self._get(cells, (folio, "state")) == "free" and self._get(cells, (folio, PUBLISHED)) is None:
                break
            n += 1
        yield folio
        if self.may_fail:
            yield None

    def _publish(self, cells: list[Any], value: Any) -> None:
        """Whoever reads *value* knows of the folios in it."""
        if isinstance(value, Handle):
            if isinstance(value.body, Folio):
                self._set(cells, (value.body, PUBLISHED), True)
        elif isinstance(value, View):
            self._publish(cells, value.cell[0])
        elif isinstance(value, tuple):
            for part in value:
                self._publish(cells, part)

    # cells

    def _get(self, cells: Sequence[Any], cell: Cell) -> Any:
        slot = self.slots.get(cell)
        if slot is None or slot >= len(cells):
            return None if cell[1] == PUBLISHED else default_of(cell)
        return cells[slot]

    def _set(self, cells: list[Any], cell: Cell, value: Any) -> None:
        slot = self.slots.get(cell)
        if slot is None:
            slot = self.slots[cell] = len(self.names)
            self.names.append(cell)
            self.defaults.append(None if cell[1] == PUBLISHED else default_of(cell))
        if slot >= len(cells):
            cells.extend(self.defaults[len(cells) : slot + 1])
        cells[slot] = value

    def _packed(self, cells: list[Any]) -> tuple[Any, ...]:
        """The same values whatever cells have been heard of meanwhile."""
        while cells and cells[-1] == self.defaults[len(cells) - 1]:
            cells.pop()
        return tuple(cells)
