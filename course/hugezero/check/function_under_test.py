"""The code under test: is it a function that can be called at all, and what if it raises?"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection
from typing import Any

from ..explore.budget import TooManyLines, left_behind, line_budget
from ..explore.generations import Seen
from ..explore.replay import Step, next_step
from ..store import RunsOn, current
from .checks import CodeRaised, Failed
from .determinism import Again, Remembered
from .limits import LINES, RAN_ON, RAN_ON_HINT
from .linking import apart
from .lint import files, guards, in_words, namespace, odd, told
from .refusals import Confined, no_business
from .student_line import with_line

ODD = re.compile(r"acts differently|ran [\d,]+ lines|catches every")  # what habits may explain


def complaint(name: str, thing: object, arguments: int | None = None) -> str | None:
    """Why *thing* cannot be what the exercise asks for, in the student's words; None if it can.

    *arguments*: how many it is called with, where that is known.
    """
    if thing is None:
        return f"there is no {name}: run the cell that defines it, and keep its first line as it was"
    if inspect.isclass(thing) or not callable(thing):
        return (
            f"{name} is {_article(type(thing).__name__)}, not a function: its cell must begin with def {name}"
        )
    if inspect.iscoroutinefunction(thing) or inspect.isasyncgenfunction(thing):
        return f"{name} is an async function; kernel functions are plain ones: write def {name}"
    if inspect.isgeneratorfunction(thing):
        return f"{name} has a yield in it, so calling it runs nothing: use return"
    try:
        takes = inspect.signature(thing)
    except (TypeError, ValueError):
        return None
    if arguments is None:
        return None
    try:
        takes.bind(*range(arguments))
    except TypeError:
        many = f"{arguments} argument{'' if arguments == 1 else 's'}"
        return f"{name} takes ({', '.join(takes.parameters)}), and is called with {many}: keep its first line as it was"
    return None


def _article(word: str) -> str:
    return f"an {word}" if word[0].lower() in "aeiou" else f"a {word}"


def subject(
    name: str,
    thing: Any,
    calls: Collection[str] = (),
    swapped: Collection[str] | None = None,
) -> Callable[..., Any]:
    """*thing* as the function under test: what it raises becomes CodeRaised, what it is not, Failed.

    Where it calls *calls*, they are those of the kernel: each exercise is judged apart. It may let the
    kernel run no other. *swapped*: fewer of them that are the kernel's; the rest stay what they are.

    Its attribute `step(args, log)` tells what a call does next when it has seen *log*: see explore.
    `asked_again()` fails if its calls since the last time would not come to the same once more.
    """
    wrong = complaint(name, thing)
    called: dict[int, str | None] = {}  # what is wrong with it, by the number of its arguments
    function = thing if wrong else apart(thing, calls if swapped is None else swapped)
    confined = Confined(namespace(thing))
    again = Again(function, confined)
    careful, where = not wrong and guards(thing), files(thing)

    def failed(why: str, hint: str = "") -> Failed:
        return Failed(told(f"{name} {why}", in_words(thing)), hint)

    def run(code: Callable[[], Any]) -> Any:
        """Let *code* run as far as code under test may, wherever it stops."""
        with confined():
            try:
                result = left_behind(code) if careful else code()
            except BaseException:
                if not confined.refused:
                    raise
        if confined.refused:
            raise Failed(f"{name} {confined.refused}")
        return result

    def expect_to_fit(args: tuple[Any, ...]) -> None:
        many = len(args)
        if many not in called:
            called[many] = complaint(name, thing, many)
        if (unfit := called[many]) is not None:
            raise Failed(unfit)

    def call(*args: Any) -> Any:
        expect_to_fit(args)
        memory = Remembered(current(), confined, calls)

        def code() -> Any:
            with line_budget(LINES, where), memory:
                return function(*args)

        try:
            value = run(code)
            if memory.stopped is not None:  # and the code has caught it
                raise memory.stopped
        except Failed:
            raise
        except RunsOn:
            raise failed(RAN_ON, RAN_ON_HINT) from None
        except TooManyLines:
            raise failed(
                f"ran {LINES:,} lines and was not done",
                "is there a loop that looks at nothing and cannot end?",
            ) from None
        except RecursionError:
            raise CodeRaised(name, "RecursionError", "it calls itself without end") from None
        except (Exception, SystemExit) as error:
            kind = type(error).__name__
            again.remember(args, memory.log, ("raise", kind))
            raise CodeRaised(name, kind, odd(kind, with_line(error, where), in_words(thing))) from error
        again.remember(args, memory.log, ("return", value))
        return value

    def step(args: tuple[Any, ...], log: tuple[Seen, ...]) -> Step:
        expect_to_fit(args)
        try:
            found: Step = run(
                lambda: next_step(function, args, log, say=lambda error: with_line(error, where))
            )
        except Failed as refused:
            return "bug", refused.why
        except TooManyLines:
            found = "bug", f"{name} catches every exception, also the one that stops it"
        if found[0] == "op" and found[2] == "call" and found[3][0] not in calls:
            return "bug", f"{name} {no_business(found[3][0], calls)}"
        if found[0] == "bug":
            return "bug", told(found[1], in_words(thing) if ODD.search(found[1]) else "")
        again.remember(args, log, found)
        if found[0] == "raise":
            return (*found[:2], odd(found[1], found[2], in_words(thing)))
        return found

    def asked_again() -> None:
        if again.differs():
            raise failed(
                "acts differently when it is run again and shown the same",
                "what a function does may depend on what it is called with and finds on the machine, on nothing else",
            )

    call.__name__ = name
    call.step = step  # type: ignore[attr-defined]
    call.asked_again = asked_again  # type: ignore[attr-defined]
    return call
