"""What a function of this process does next, told by running it once more."""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import CodeType, FrameType
from typing import Any

from ..store import Asked, Cell, Differs, KernelBug, Stop
from .budget import TooManyLines
from .generations import Seen

Step = tuple[Any, ...]  # ("op", cell, verb, args), ("return", value), ("raise", kind, text) or ("bug", what)
Place = tuple[CodeType, int]  # a piece of code, and the line in it
WHERE: contextvars.ContextVar[list[Place] | None] = contextvars.ContextVar("WHERE", default=None)


def next_step(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    log: tuple[Seen, ...],
    say: Callable[[BaseException], str] = str,
    limit: AbstractContextManager[None] | None = None,
    pending: list[Step] | None = None,
) -> Step:
    """Return what a call of *function* does next when it has seen *log*; *say* puts what it may raise into words.

    *limit* is what the call runs in, a `line_budget`. The next operation is put into *pending* as soon as
    it is known, should this never return: see `left_behind`.
    """
    pending = [] if pending is None else pending

    def ask(cell: Cell, verb: str, values: tuple[Any, ...]) -> Any:
        pending.append(("op", cell, verb, values))
        if (where := WHERE.get()) is not None:
            where[:] = _calls(sys._getframe(1))
        raise Stop

    name = getattr(function, "__name__", repr(function))
    asked = Asked(ask, [((cell, verb, values), result) for cell, verb, values, result in log])
    try:
        with asked, limit or nullcontext():
            value = function(*args)
    except Stop:
        return pending[0]
    except Differs as differs:
        return "bug", acts_differently(name, differs)
    except TooManyLines:
        if not pending:
            raise
        return pending[0]
    except KernelBug as bug:
        return pending[0] if pending else ("bug", bug.what)
    except (Exception, SystemExit) as error:
        return _what_counts(pending, asked) or ("raise", type(error).__name__, say(error))
    return _what_counts(pending, asked) or ("return", value)


def acts_differently(name: str, differs: Differs) -> str:
    """Return what is said of a function that did not do what its log says."""
    return f"{name} acts differently when it is run again: {differs}. Does it keep something between calls?"


def _calls(frame: FrameType | None) -> list[Place]:
    """The calls that led to an operation, from the function that was asked inwards, with the line of each."""
    calls: list[Place] = []
    while frame is not None and frame.f_code is not next_step.__code__:
        calls.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return calls[::-1]


def _what_counts(pending: list[Step], asked: Asked) -> Step | None:
    """What a call came to, whatever it did then: an operation, or a bug that it tried to hide."""
    if pending:
        return pending[0]
    return ("bug", asked.stopped.what) if isinstance(asked.stopped, KernelBug) else None


class Given:
    """A function of the course's own, as one of a search: it is believed, so that nobody counts its lines.

    *told*: may a picture show its source?
    """

    def __init__(self, function: Callable[..., Any], told: bool = False) -> None:
        self.function, self.told = function, told
        self.__name__ = getattr(function, "__name__", repr(function))

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)

    def step(self, args: tuple[Any, ...], log: tuple[Seen, ...]) -> Step:
        """What a call does next when it has seen *log*."""
        return next_step(self.function, args, log)


def given(function: Callable[..., Any], told: bool = False) -> Given:
    """*function* as a search wants it."""
    return Given(function, told)
