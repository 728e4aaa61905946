"""The function under test: what it may do, what it ends with, and whether it would do the same once more.

One class for notebook and judge. They differ in how the student's code is reached: see Transport.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Collection
from typing import Any, Protocol

from ..explore.generations import Seen
from ..explore.replay import Step
from ..store import Cell, RunsOn, cell_name, current
from .failures import CodeRaised, Failed, Finding
from .limits import CHECK_OPERATIONS, LONGEST, OPERATIONS
from .lint import odd, told
from .local_function import Do, LocalFunction
from .refusals import no_business
from .remembered_calls import RememberedCalls

EXPLAINED = re.compile(r"acts differently|(ran|did) [\d,]+ |catches every")  # what habits may explain
ENDS = {
    "RecursionError": "it calls itself without end",
    "MemoryError": "it asked for more memory than a whole lab takes",
}


class Transport(Protocol):
    """How a student's function is reached: in this process, or over a channel to theirs."""

    @property
    def habits(self) -> str:
        """What the code does besides, in words, once there was a `complaint` or none."""

    def complaint(self, arguments: int) -> str:
        """Return why the function cannot be called with so many *arguments*; nothing if it can."""

    def call(self, args: tuple[Any, ...], do: Do) -> Step:
        """Run a whole call, let *do* carry out its operations, and return how it ends; raise what *do* raises."""

    def step(self, args: tuple[Any, ...], log: tuple[Seen, ...], world: int | None = None) -> Step:
        """Return what a call does next when it has seen *log*, in another *world* if one is named."""


class FunctionUnderTest:
    """The student's function *name*, called like any other: what it raises becomes CodeRaised, what it is not, Failed.

    Of the kernel's functions it may run *calls* only. `step(args, log)` tells what a call does next when
    it has seen *log*: see explore.
    """

    def __init__(self, name: str, transport: Transport, calls: Collection[str] = ()) -> None:
        self.__name__ = name
        self.transport, self.calls = transport, calls
        self.remembered, self.operations = RememberedCalls(), 0
        self.differs = False

    def begin_check(self) -> None:
        """Forget the calls of the check before."""
        self.remembered, self.operations = RememberedCalls(), 0

    def __call__(self, *args: Any) -> Any:
        self._expect_to_fit(args)
        call = _Call(self)
        end = self.transport.call(args, call.do)
        if end[0] == "bug":
            _, why, *hint = end
            raise Failed(self._explained(why), *hint)
        self.remembered.add(args, call.log, end)
        if end[0] == "raise":
            raise CodeRaised(self.__name__, end[1], self._text(*end[1:]))
        return end[1]

    def step(self, args: tuple[Any, ...], log: tuple[Seen, ...]) -> Step:
        """Return what a call with *args* does next when it has seen *log*."""
        self._expect_to_fit(args)
        found = self.transport.step(args, log)
        if found[0] == "op" and found[2] == "call" and found[3][0] not in self.calls:
            found = "bug", f"{self.__name__} {no_business(found[3][0], self.calls)}"
        if found[0] == "bug":
            return "bug", self._explained(": ".join(filter(None, found[1:])))
        self.remembered.add(args, log, found)
        return ("raise", found[1], self._text(*found[1:])) if found[0] == "raise" else found

    def asked_again(self) -> None:
        """Fail if the calls of this check would not come to the same once more, or those of an earlier one did not."""
        with contextlib.redirect_stdout(io.StringIO()):
            self.differs = self.remembered.differ(self.transport.step) or self.differs
        if self.differs:
            raise self.failed(
                "acts differently when it is run again and shown the same",
                "what a function does may depend on what it is called with and finds on the machine, on nothing else",
            )

    def failed(self, what: str, hint: str = "") -> Failed:
        """Return that the function did *what*, to be raised."""
        return Failed(self._explained(f"{self.__name__} {what}"), hint)

    def _expect_to_fit(self, args: tuple[Any, ...]) -> None:
        if wrong := self.transport.complaint(len(args)):
            raise Failed(wrong)

    def _explained(self, why: str) -> str:
        return told(why, self.transport.habits) if EXPLAINED.search(why) else why

    def _text(self, kind: str, text: str) -> str:
        return ENDS.get(kind) or odd(kind, text, self.transport.habits)


class _Call:
    """One call: what it has seen, and how much it has done."""

    def __init__(self, function: FunctionUnderTest) -> None:
        self.function, self.machine = function, current()
        self.log: list[Seen] = []
        self.done = 0

    def do(self, cell: Cell, verb: str, args: tuple[Any, ...]) -> Any:
        """Carry out one operation, if the function may do that."""
        function = self.function
        self.done += 1
        function.operations += 1
        if self.done > OPERATIONS:
            raise function.failed(
                f"did {OPERATIONS:,} operations and was not done", "is there a loop that cannot end?"
            )
        if function.operations > CHECK_OPERATIONS:
            raise RunsOn(f"{function.__name__} did {CHECK_OPERATIONS:,} operations in one check")
        if verb == "call" and args[0] not in function.calls:
            raise function.failed(no_business(args[0], function.calls))
        try:
            result = self.machine.op(cell, verb, args)
        except Finding:
            raise
        except Exception as wrong:
            raise Failed(_senseless(cell, verb, args, wrong)) from wrong
        if len(self.log) <= LONGEST:
            self.log.append((cell, verb, args, result))
        return result


def _senseless(cell: Cell, verb: str, args: tuple[Any, ...], wrong: Exception) -> str:
    if verb == "call":
        name, *values = args
        return f"{name}({_listed(values)}) came to no good end, {type(wrong).__name__}: {wrong}"
    return f"{cell_name(cell)}.{verb}({_listed(args)}) makes no sense to the machine: {wrong}"


def _listed(values: Collection[Any]) -> str:
    return ", ".join(map(repr, values))


def subject(
    name: str, thing: Any, calls: Collection[str] = (), linked: Collection[str] | None = None
) -> FunctionUnderTest:
    """Return *thing*, a function of this process, as the function under test.

    Where it calls *calls*, they are those of the kernel, and it may let the kernel run no other.
    *linked*: fewer of them that are the kernel's; the rest stay what they are.
    """
    return FunctionUnderTest(name, LocalFunction(name, thing, calls if linked is None else linked), calls)
