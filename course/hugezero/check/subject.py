"""The code under test: is it a function that can be called at all, and what if it raises?"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..explore.asking import Step, next_step
from ..explore.budget import TooManyLines, line_budget
from ..explore.lives import Seen
from ..store import RunsOn, current
from .apart import apart
from .checks import CodeRaised, Failed

OPERATIONS, LINES = 20_000, 200_000  # that one call may do, and run


def complaint(name: str, thing: object, parameters: tuple[str, ...]) -> str | None:
    """Why *thing* cannot be what the exercise asks for, in the student's words; None if it can."""
    wanted = f"def {name}({', '.join(parameters)})"
    if thing is None:
        return f"there is no {name}: run the cell that defines it, and keep its first line, {wanted}"
    if inspect.isclass(thing) or not callable(thing):
        return (
            f"{name} is {_article(type(thing).__name__)}, not a function: its cell must begin with {wanted}"
        )
    if inspect.iscoroutinefunction(thing) or inspect.isasyncgenfunction(thing):
        return f"{name} is an async function; kernel functions are plain ones: write {wanted}"
    if inspect.isgeneratorfunction(thing):
        return f"{name} has a yield in it, so calling it runs nothing: use return"
    try:
        has = tuple(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return None
    if has != parameters:
        return f"{name} takes ({', '.join(has)}); it must take ({', '.join(parameters)})"
    return None


@contextlib.contextmanager
def _limits(thing: Any) -> Iterator[None]:
    """Let one call do so many operations, and run so many lines of its own file, and no more."""
    machine = current()
    before = getattr(machine, "most", None)
    if before is not None and machine.log is not None:
        machine.most = len(machine.log) + OPERATIONS
    try:
        with line_budget(LINES, getattr(getattr(thing, "__code__", None), "co_filename", "")):
            yield
    finally:
        if before is not None:
            machine.most = before


def _article(word: str) -> str:
    return f"an {word}" if word[0].lower() in "aeiou" else f"a {word}"


def subject(
    name: str, thing: Any, parameters: tuple[str, ...], others: Iterable[str] = ()
) -> Callable[..., Any]:
    """*thing* as the function under test: what it raises becomes CodeRaised, what it is not, Failed.

    Where it calls *others*, they are those of the kernel: each exercise is judged apart.

    Its attribute `step(args, log)` tells what a call does next when it has seen *log*: see explore.
    """
    wrong = complaint(name, thing, parameters)
    function = thing if wrong else apart(thing, others)

    def call(*args: Any) -> Any:
        if wrong:
            raise Failed(wrong)
        try:
            with _limits(thing):
                return function(*args)
        except Failed:
            raise
        except RunsOn:
            raise Failed(
                f"{name} did {OPERATIONS:,} operations and was not done", "is there a loop that cannot end?"
            ) from None
        except TooManyLines:
            raise Failed(
                f"{name} ran {LINES:,} lines and was not done",
                "is there a loop that looks at nothing and cannot end?",
            ) from None
        except RecursionError:
            raise CodeRaised(name, "RecursionError", "it calls itself without end") from None
        except Exception as error:
            raise CodeRaised(name, type(error).__name__, str(error)) from error

    def step(args: tuple[Any, ...], log: tuple[Seen, ...]) -> Step:
        if wrong:
            raise Failed(wrong)
        return next_step(function, args, log)

    call.__name__ = name
    call.step = step  # type: ignore[attr-defined]
    return call
