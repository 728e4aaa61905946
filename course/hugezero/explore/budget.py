"""How many lines of Python code under test may run: a loop that does no operation ends here."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any


class TooManyLines(BaseException):
    """The code ran more lines than it was allowed to."""


@contextlib.contextmanager
def line_budget(limit: int, file: str | None = None) -> Iterator[None]:
    """Let what runs inside run *limit* lines, or *limit* lines of *file*, and raise TooManyLines then."""
    lines = 0

    def count(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal lines
        if file is not None and frame.f_code.co_filename != file:
            return None
        lines += event == "line"
        if lines > limit:
            raise TooManyLines
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(before)
