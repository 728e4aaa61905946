"""Calls of a check that are run again, elsewhere: code that answers otherwise then depends on more than the machine."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from ..explore.generations import Seen
from ..explore.replay import Step
from ..store import RECORDS, Handle, View
from .failures import Failed
from .limits import LONGEST, REMEMBERED, WORLDS

Call = tuple[tuple[Any, ...], tuple[Seen, ...], Step]  # arguments, what it saw, what it then did
PLAIN = (bool, int, str, bytes, Handle, View, type(None))


class TooLong(Exception):
    """A call has seen more than can be shown to it once more."""


class RememberedCalls:
    """What the calls of one check were, and what each of them came to."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def add(self, args: tuple[Any, ...], log: Sequence[Seen], end: Step) -> None:
        """Remember that a call with *args* saw *log*, and then did *end*."""
        if len(self.calls) < REMEMBERED and len(log) <= LONGEST:
            self.calls.append((args, tuple(log), end))

    def differ(self, step: Callable[[tuple[Any, ...], tuple[Seen, ...], int], Step]) -> bool:
        """Run some of them again, each in another world, and tell whether one comes to something else now.

        *step(args, log, world)* is what a call does next. The calls are forgotten.
        """
        calls, self.calls = self.calls, []
        some = random.Random(3).sample(calls, min(WORLDS, len(calls)))
        return any(
            self._differs(step, *some[world % len(some)], world) for world in range(WORLDS * bool(some))
        )

    @staticmethod
    def _differs(step: Any, args: tuple[Any, ...], log: tuple[Seen, ...], end: Step, world: int) -> bool:
        try:
            return _evidence(step(args, log, world)) != _evidence(end)
        except TooLong:
            return False
        except Failed:
            return True


def _evidence(end: Step) -> list[Any]:
    """Return what can be compared of how a call ended: of an exception its kind, of a value what the machine knows."""
    return list(end[:2]) if end[0] == "raise" else [end[0], *map(_image, end[1:])]


def _image(value: Any) -> Any:
    """Return *value* with a name in place of whatever the machine has no word for."""
    kind = type(value)
    if kind in (tuple, list) or RECORDS.get(kind.__name__) is kind:
        return kind.__name__, *map(_image, value)
    if kind in PLAIN or isinstance(value, (Handle, View)):
        return kind.__name__, value
    return "other", getattr(value, "what", kind.__name__)
