"""What a function of this process does next, told by running it once more."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from ..store import Asked, Cell, Differs, Stop
from .lives import Seen

Step = tuple[Any, ...]  # ("op", cell, verb, args), ("return", value), ("raise", kind, text) or ("bug", what)
LINES = 20_000  # of Python that a function may run between the start of a call and its next operation


class _TooLong(BaseException):
    pass


def next_step(function: Callable[..., Any], args: tuple[Any, ...], log: tuple[Seen, ...]) -> Step:
    """What a call of *function* does next when it has seen *log*."""
    pending: list[Step] = []

    def ask(cell: Cell, verb: str, values: tuple[Any, ...]) -> Any:
        pending.append(("op", cell, verb, values))
        raise Stop

    lines = 0

    def count(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal lines
        lines += event == "line"
        if lines > LINES:
            raise _TooLong
        return count

    name = getattr(function, "__name__", repr(function))
    asked = Asked(ask, [((cell, verb, values), result) for cell, verb, values, result in log])
    tracing = sys.gettrace()
    sys.settrace(count)
    try:
        with asked:
            value = function(*args)
    except Stop:
        return pending[0]
    except Differs as differs:
        return (
            "bug",
            f"{name} acts differently when it is run again: {differs}. Does it keep something between calls?",
        )
    except _TooLong:
        if pending:
            return pending[0]
        return (
            "bug",
            f"{name} ran {LINES:,} lines without one operation: is there a loop that looks at nothing?",
        )
    except Exception as error:
        return pending[0] if pending else ("raise", type(error).__name__, str(error))
    finally:
        sys.settrace(tracing)
    return pending[0] if pending else ("return", value)
