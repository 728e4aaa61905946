"""Calls that are asked again, elsewhere: code that answers otherwise then depends on more than the machine."""

from __future__ import annotations

import contextlib
import io
import random
import threading
from collections.abc import Callable, Collection, Sequence
from types import NoneType
from typing import Any

from ..explore.replay import next_step
from ..store import Cell, Environment, Handle, KernelBug, OtherThread, RunsOn, use
from .limits import AGAIN, LONGEST, OPERATIONS, RAN_ON, REMEMBERED
from .refusals import Confined, no_business

Seen = tuple[Cell, str, tuple[Any, ...], Any]
Call = tuple[tuple[Any, ...], tuple[Seen, ...], tuple[Any, ...]]  # arguments, what it saw, what it then did


class Remembered(Environment):
    """Hands operations on, and remembers those of one call; not those of functions that it lets the kernel run.

    Of those it may let run what *calls* names.

    What ended it (*stopped*) is raised again by each operation behind that: it cannot be hidden.
    """

    def __init__(self, outer: Any, confined: Confined, calls: Collection[str]) -> None:
        self.outer, self.confined, self.calls = outer, confined, calls
        self.log: list[Seen] = []
        self.done = 0
        self.stopped: BaseException | None = None
        self.thread = 0

    def __enter__(self) -> Any:
        self.thread = threading.get_ident()
        return super().__enter__()

    def op(self, cell: Cell, verb: str, args: tuple[Any, ...]) -> Any:
        if threading.get_ident() != self.thread:
            raise OtherThread
        if self.stopped is not None:
            raise self.stopped
        self.done += 1
        if self.done > OPERATIONS:
            self.stopped = RunsOn(RAN_ON)
            raise self.stopped
        if verb == "call" and args[0] not in self.calls:
            self.confined.refuse(no_business(args[0], self.calls))
        before = use(self.outer)
        try:
            result = self.outer.op(cell, verb, args)
        except (KernelBug, RunsOn) as end:
            self.stopped = end
            raise
        finally:
            use(before)
        if len(self.log) <= LONGEST:
            self.log.append((cell, verb, args, result))
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self.outer, name)


class Again:
    """What the calls of one check were, and came to."""

    def __init__(self, thing: Callable[..., Any], confined: Confined) -> None:
        self.thing, self.confined = thing, confined
        self.calls: list[Call] = []

    def remember(self, args: tuple[Any, ...], log: Sequence[Seen], end: tuple[Any, ...]) -> None:
        """A call with *args* saw *log*, and did *end* then."""
        if len(self.calls) < REMEMBERED and len(log) <= LONGEST:
            self.calls.append((args, tuple(log), end))

    def differs(self) -> bool:
        """Does one of the calls come to something else now? Forgets them."""
        calls, self.calls = self.calls, []
        some = random.Random(3).sample(calls, min(AGAIN, len(calls)))
        with contextlib.redirect_stdout(io.StringIO()):
            for world in range(AGAIN if some else 0):
                args, log, end = some[world % len(some)]
                if not _same(self._ask(args, log, world), end):
                    return True
        return False

    def _ask(self, args: tuple[Any, ...], log: tuple[Seen, ...], world: int) -> tuple[Any, ...]:
        with self.confined(), self.confined.elsewhere(world):
            return next_step(self.thing, args, log)


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Is it the same end? Of an exception only the kind counts; an object that equals only itself is like its kind."""
    if one[0] != other[0] or one[0] == "raise":
        return one[:2] == other[:2]
    try:
        if bool(one == other):
            return True
    except Exception:
        return False
    a, kind = one[1], type(one[1])
    alike = kind is type(other[1]) and not any("__eq__" in vars(each) for each in kind.__mro__[:-1])
    return one[0] == "return" and alike and not isinstance(a, (Handle, NoneType))
