"""What a function of this process does next, told by running it once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..store import Asked, Cell, Differs, Stop
from .budget import TooManyLines, line_budget
from .lives import Seen

Step = tuple[Any, ...]  # ("op", cell, verb, args), ("return", value), ("raise", kind, text) or ("bug", what)
LINES = 20_000  # of Python that a function may run between the start of a call and its next operation


def next_step(function: Callable[..., Any], args: tuple[Any, ...], log: tuple[Seen, ...]) -> Step:
    """What a call of *function* does next when it has seen *log*."""
    pending: list[Step] = []

    def ask(cell: Cell, verb: str, values: tuple[Any, ...]) -> Any:
        pending.append(("op", cell, verb, values))
        raise Stop

    name = getattr(function, "__name__", repr(function))
    asked = Asked(ask, [((cell, verb, values), result) for cell, verb, values, result in log])
    try:
        with asked, line_budget(LINES):
            value = function(*args)
    except Stop:
        return pending[0]
    except Differs as differs:
        return (
            "bug",
            f"{name} acts differently when it is run again: {differs}. Does it keep something between calls?",
        )
    except TooManyLines:
        if pending:
            return pending[0]
        return (
            "bug",
            f"{name} ran {LINES:,} lines without one operation: is there a loop that looks at nothing?",
        )
    except Exception as error:
        return pending[0] if pending else ("raise", type(error).__name__, str(error))
    return pending[0] if pending else ("return", value)
