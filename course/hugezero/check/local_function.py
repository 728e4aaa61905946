"""A student's function in this process: how it is looked at, called and asked for its next operation."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterable
from typing import Any

from ..explore.budget import TooManyLines, ended_by, left_behind, line_budget, uncounted
from ..explore.generations import Seen
from ..explore.replay import Step, acts_differently, next_step
from ..store import Cell, Differs, Environment, KernelBug, OtherThread, Stop, current, use
from .limits import AFTER_STOP, LINES
from .linking import linked_apart
from .lint import files, guards, in_words, namespace
from .refusals import Confinement, Refused
from .student_line import with_line

Do = Callable[[Cell, str, tuple[Any, ...]], Any]  # carries out one operation
ENDLESS = f"ran {LINES:,} lines and was not done", "is there a loop that looks at nothing and cannot end?"
UNSTOPPABLE = (
    "catches every exception, also the one that stops it",
    "write except with the exception that you expect",
)


def complaint(name: str, thing: object, arguments: int | None = None) -> str:
    """Return why *thing* cannot be what the exercise asks for, in the student's words; nothing if it can.

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
        return ""
    if arguments is None:
        return ""
    try:
        takes.bind(*range(arguments))
    except TypeError:
        many = f"{arguments} argument{'' if arguments == 1 else 's'}"
        return f"{name} takes ({', '.join(takes.parameters)}), and is called with {many}: keep its first line as it was"
    return ""


def _article(word: str) -> str:
    return f"an {word}" if word[0].lower() in "aeiou" else f"a {word}"


class Operations(Environment):
    """Has *do* carry out each operation of one call.

    What ends the call (*stopped*) ends each later operation as well, so that code cannot hide it;
    code that tries on and on is given to *unstoppable*.
    """

    def __init__(self, do: Do, confinement: Confinement, unstoppable: Callable[[], None] | None) -> None:
        self.outer, self.do, self.confinement, self.unstoppable = current(), do, confinement, unstoppable
        self.stopped: BaseException | None = None
        self.tries = 0

    def __enter__(self) -> Any:
        self.thread = threading.get_ident()
        return super().__enter__()

    def op(self, cell: Cell, verb: str, args: tuple[Any, ...]) -> Any:
        if threading.get_ident() != self.thread:
            raise OtherThread
        if self.confinement.refused:
            raise Refused(self.confinement.refused)
        if self.stopped is not None:
            self.tries += 1
            if self.tries > AFTER_STOP and self.unstoppable is not None:
                self.unstoppable()
            raise Stop
        before = use(self.outer)
        try:
            return uncounted(self.do, cell, verb, args)
        except BaseException as end:
            self.stopped = end
            raise Stop from None
        finally:
            use(before)

    def bug(self, what: str) -> BaseException:
        """Return a kernel bug that is no operation's own, to be raised; it is recorded."""
        if self.stopped is None:
            bug = getattr(self.outer, "bug", KernelBug)
            self.stopped = bug(what)
        return self.stopped


class LocalFunction:
    """The student's *thing*, which the exercise calls *name*; its calls of *linked* are those of the kernel.

    *unstoppable* does not return; it ends a process that runs code which catches whatever should end it.
    Without one, such code is left behind in a thread.
    """

    def __init__(
        self, name: str, thing: Any, linked: Iterable[str] = (), unstoppable: Callable[[], None] | None = None
    ) -> None:
        self.name, self.thing, self.unstoppable = name, thing, unstoppable
        wrong = complaint(name, thing)
        self.function: Callable[..., Any] = thing if wrong else linked_apart(thing, linked)
        self.confinement = Confinement(namespace(thing))
        self.careful = not wrong and guards(thing)
        self.files = files(thing)
        self.complaints: dict[int, str] = {}  # by the number of its arguments

    @property
    def habits(self) -> str:
        """What the code does besides, in words."""
        return in_words(self.thing)

    def complaint(self, arguments: int) -> str:
        """Return why it cannot be called with so many *arguments*; nothing if it can."""
        if arguments not in self.complaints:
            self.complaints[arguments] = complaint(self.name, self.thing, arguments)
        return self.complaints[arguments]

    def call(self, args: tuple[Any, ...], do: Do, world: int | None = None) -> Step:
        """Run the function, while *do* carries out its operations, and return how it ends.

        What *do* raises is raised here, whatever the function makes of it.
        """
        operations = Operations(do, self.confinement, self.unstoppable)

        def code() -> Step:
            try:
                with line_budget(LINES, self.files), operations:
                    return "return", self.function(*args)
            except (Exception, SystemExit) as error:
                return "raise", type(error).__name__, self._say(error)
            except (Stop, KernelBug):
                if operations.stopped is None:
                    raise
                return ("stopped",)

        try:
            found = self._confined(code, world)
        except TooManyLines:
            found = self._bug(*ENDLESS)
        if isinstance(operations.stopped, Differs):
            return "bug", acts_differently(self.name, operations.stopped)
        if operations.stopped is not None:
            raise operations.stopped
        return found

    def step(self, args: tuple[Any, ...], log: tuple[Seen, ...], world: int | None = None) -> Step:
        """Return what a call with *args* does next when it has seen *log*, here or in another *world*."""
        pending: list[Step] = []

        def code() -> Step:
            return next_step(self.function, args, log, self._say, line_budget(LINES), pending)

        try:
            return self._confined(code, world)
        except TooManyLines:
            return self._bug(*UNSTOPPABLE if pending else ENDLESS)

    def _confined(self, code: Callable[[], Step], world: int | None) -> Step:
        """Let *code* run as far as code under test may, wherever it stops."""
        with self.confinement(world):
            try:
                found = self._to_its_end(code)
            except BaseException:
                if not self.confinement.refused:
                    raise
        return self._bug(self.confinement.refused) if self.confinement.refused else found

    def _to_its_end(self, code: Callable[[], Step]) -> Step:
        if not self.careful:
            return code()
        if self.unstoppable is None:
            return left_behind(code)
        with ended_by(self.unstoppable):
            return code()

    def _say(self, error: BaseException) -> str:
        return with_line(error, self.files)

    def _bug(self, what: str, hint: str = "") -> Step:
        return "bug", f"{self.name} {what}", hint
