"""What the CPUs of a search do, and where each of them is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, NamedTuple, ParamSpec

from ..store import KERNEL, Cell, call, current, with_result
from .calltree import Node

P = ParamSpec("P")


@dataclass(frozen=True)
class Thread:
    """What one CPU does: a plain function without arguments, which the engine runs like those under test.

    It does operations, lets the kernel run a function by `call(name, ...)`, and lets the hardware do a
    step. What must not be, it tells by raising KernelBug.
    """

    name: str
    run: Callable[[], object]


def cpu(name: str) -> Callable[[Callable[P, None]], Callable[P, Thread]]:
    """Make a function what a CPU called *name* does: called with its arguments, it returns the Thread."""

    def make(does: Callable[P, None]) -> Callable[P, Thread]:
        @wraps(does)
        def made(*args: P.args, **named: P.kwargs) -> Thread:
            return Thread(name, partial(does, *args, **named))

        return made

    return make


def calls(who: str, *each: tuple[Any, ...]) -> Thread:
    """Return a CPU that makes some calls, one after the other: for each a name, and what it is called with."""

    def run() -> None:
        for name, *args in each:
            call(name, *args)

    return Thread(who, run)


@dataclass(frozen=True)
class Hardware:
    """A step of the hardware on several cells at once, which a CPU of a search does by calling it.

    *does*(peek, *args) returns what it writes, by cell, its result, and what is wrong then, or None; it
    does nothing else, and does the same whenever it sees the same. The step waits until *ready*(peek,
    *args) is true; *does* must look at all that *ready* does.
    """

    does: Callable[..., tuple[dict[Cell, Any], Any, str | None]]
    ready: Callable[..., bool] = lambda peek, *args: True

    def __call__(self, *args: Any) -> Any:
        return current().op((KERNEL, "hardware"), "hardware", (self, *args))


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
    """Where a thread is: at which node of a call; None if it has ended. *callers* wait for that call to return."""

    node: Node | None
    callers: tuple[Node, ...] = ()  # the thread itself first, the innermost last


State = tuple[tuple[Any, ...], tuple[At, ...]]


class Move(NamedTuple):
    """What a thread may do in a state: its operations (only where they were asked for), and where that leads."""

    cpu: int
    rows: tuple[Row, ...]
    after: State | None
    bug: str | None
