"""What the CPUs of a search do, and where each of them is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..store import Cell, with_result
from .calltree import Action, Node

Results = tuple[Any, ...]
Item = Callable[[Results], "Action | None"]


@dataclass(frozen=True)
class Thread:
    """What one CPU does: items, one after the other.

    An item is a function of the results so far; it gives ("call", name, args),
    ("op", cell, verb, args), or None to be left out. Or ("hw", name, function): one step of the
    hardware on several cells. function(peek) gives what it writes, by cell, its result, and what
    is wrong then, or None; it does nothing else, and does the same whenever it sees the same. Where
    it has an attribute `ready`, the step waits until ready(peek) is true; it must look at all that ready does.
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
    """Where a thread is: in which item, at which node of a call, with which results so far.

    *callers* wait for that call to return, the innermost last.
    """

    item: int
    node: Node | None  # None: it has ended
    results: Results
    callers: tuple[Node, ...] = ()


State = tuple[tuple[Any, ...], tuple[At, ...]]


class Move(NamedTuple):
    """What a thread may do in a state: its operations (only where they were asked for), and where that leads."""

    cpu: int
    rows: tuple[Row, ...]
    after: State | None
    bug: str | None
