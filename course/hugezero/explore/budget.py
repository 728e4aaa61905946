"""How many lines of Python code under test may run: a loop that does no operation ends here."""

from __future__ import annotations

import contextlib
import contextvars
import dis
import functools
import sys
import threading
from collections.abc import Callable, Container, Iterator
from types import CodeType, FrameType
from typing import Any

from ..store import current, use

_settrace = sys.settrace  # code under test has no way to this one
_undo: contextvars.ContextVar[list[Callable[[], None]] | None] = contextvars.ContextVar("_undo", default=None)
_end: contextvars.ContextVar[Callable[[], None] | None] = contextvars.ContextVar("_end", default=None)


class TooManyLines(BaseException):
    """The code ran more lines than it was allowed to."""


@functools.cache
def _loops_on_one_line(code: CodeType) -> bool:
    """Has *code* a loop that never comes to another line? Python does not count its rounds as lines."""
    instructions = list(dis.get_instructions(code))
    line = {each.offset: each.positions and each.positions.lineno for each in instructions}
    return any(
        "JUMP" in each.opname and each.argval <= each.offset and line[each.argval] == line[each.offset]
        for each in instructions
    )


@contextlib.contextmanager
def line_budget(limit: int, files: Container[str] | None = None) -> Iterator[None]:
    """Let what runs inside run *limit* lines, or *limit* lines of *files*, and raise TooManyLines then."""
    lines = 0

    def count(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal lines
        if files is not None and frame.f_code.co_filename not in files:
            return None
        if event == "call":
            frame.f_trace_opcodes = _loops_on_one_line(frame.f_code)
        lines += event in ("line", "opcode")
        if lines > limit:
            end = _end.get()
            if end is not None:
                end()
            raise TooManyLines
        return count

    before = sys.gettrace()
    _settrace(count)
    try:
        yield
    finally:
        _settrace(before)


def uncounted(run: Callable[..., Any], *args: Any) -> Any:
    """Return what *run* returns for *args*, while no line of it is counted: it is not under test."""
    count = sys.gettrace()
    _settrace(None)
    try:
        return run(*args)
    finally:
        _settrace(count)


@contextlib.contextmanager
def ended_by(end: Callable[[], None]) -> Iterator[None]:
    """Call *end*, which does not return, when code inside runs more lines than it may and cannot be stopped by that."""
    before = _end.set(end)
    try:
        yield
    finally:
        _end.reset(before)


def if_left_behind(put_back: Callable[[], None]) -> None:
    """Call *put_back* if what runs now should be left behind and never come to its `finally`."""
    undo = _undo.get()
    if undo is not None:
        undo.append(put_back)


def left_behind(run: Callable[[], Any]) -> Any:
    """What *run* gives or raises, even if it catches the TooManyLines that should end it.

    It then stands still for ever in a thread of its own, and TooManyLines is raised here; what it can
    no longer put back itself, such as the environment, is put back.
    """
    before, undo = current(), list[Callable[[], None]]()
    ended, context = threading.Event(), contextvars.copy_context()
    gave: list[Any] = []
    raised: list[BaseException] = []

    def stand_still() -> None:
        use(before)
        for put_back in reversed(undo):
            put_back()
        raised.append(TooManyLines())
        ended.set()
        threading.Event().wait()

    def work() -> None:
        _end.set(stand_still)
        _undo.set(undo)
        try:
            gave.append(run())
        except BaseException as error:
            raised.append(error)
        ended.set()

    try:
        threading.Thread(target=context.run, args=(work,), daemon=True).start()
    except RuntimeError:  # there are no threads here
        return run()
    ended.wait()
    if raised:
        raise raised[0]
    return gave[0]
