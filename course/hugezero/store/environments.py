"""Who carries out the operations: the machine itself, or somebody who is asked."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, NamedTuple, NoReturn

from . import running
from .cells import View
from .handles import Atomic, Handle, default_of
from .operations import OPERATIONS, KernelBug
from .running import Cell, cell_name
from .words import in_code, with_result

MOST = 500_000  # rows of a log; who needs more does without a log


class Done(NamedTuple):
    """One operation that was carried out: a row of the log."""

    cpu: int
    cell: Cell
    verb: str
    args: tuple[Any, ...]
    old: Any
    new: Any
    result: Any

    def __str__(self) -> str:
        return with_result(self.cell, self.verb, self.args, self.result)


class Environment:
    """What carries out operations while its `with` block runs."""

    _before: list[Any]

    def __enter__(self) -> Any:
        self.__dict__.setdefault("_before", []).append(running.use(self))
        return self

    def __exit__(self, kind: type | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        running.use(self._before.pop())


class Direct(Environment):
    """Carries out each operation at once, on the cells it holds.

    *births* gives new things: `births.new(kind, *args)` is a handle or None, `births.gone(handle)`
    takes a dead one back. With *log* a list, every operation is written down.
    """

    def __init__(self, births: Any = None, log: list[Done] | None = None) -> None:
        self.cells: dict[Cell, Any] = {}
        self.births = births
        self.log = log
        self.most = MOST  # rows that the log may have
        self.cpu = 0
        self.bugs: list[KernelBug] = []
        self.prints: list[tuple[int, str]] = []

    def op(self, cell: Cell, verb: str, args: tuple[Any, ...]) -> Any:
        """Carry out one operation and return its result; raise KernelBug if no kernel may do that."""
        if verb == "call":  # no operation itself: those that the function does are in the log
            return self.call(*args)
        cells = self.cells
        try:
            if verb == "new":
                return self._new(cell, args)
            body = cell[0].body
            if body is not None and verb != "free" and cells.get((body, "state")) not in ALIVE:
                raise KernelBug(f"{cell[0]!r} was used after it was freed")
            old = cells[cell] if cell in cells else default_of(cell)
            new, result = OPERATIONS[verb](old, *args)
        except KernelBug as bug:
            bug.where = f"CPU {self.cpu}: {in_code(cell, verb, args)}"
            bug.cell, bug.after = cell, len(self.log or ())
            self.bugs.append(bug)
            raise
        if new is not old:
            cells[cell] = new
        if verb == "free":
            self.births.gone(cell[0])
        if self.log is not None:
            self.log.append(Done(self.cpu, cell, verb, args, old, new, result))
            if len(self.log) > self.most:
                raise RunsOn(f"{self.most:,} operations were done, and there was no end")
        return result

    def _new(self, cell: Cell, args: tuple[Any, ...]) -> Any:
        handle = self.births.new(*args)
        born: Cell = cell if handle is None else (handle, "state")
        if handle is not None:
            self.cells[born] = "live"
        if self.log is not None:
            self.log.append(
                Done(self.cpu, born, "new", args, "free", "free" if handle is None else "live", handle)
            )
        return handle

    def call(self, name: str, *args: Any) -> Any:
        """Let this machine's kernel run its function *name*."""
        raise NoKernel(f"{name}: this machine has no kernel, so that it has no such function")

    def __enter__(self) -> Any:
        if self.log is not None:
            sys.stdout = _Beside(self, sys.stdout)
        return super().__enter__()

    def __exit__(self, kind: type | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        super().__exit__(kind, exc, trace)
        if isinstance(sys.stdout, _Beside):
            sys.stdout = sys.stdout.out

    def bug(self, what: str) -> KernelBug:
        """A kernel bug that is no operation's own: recorded, and to be raised."""
        bug = KernelBug(what)
        bug.where = f"CPU {self.cpu}"
        bug.after = len(self.log or ())
        self.bugs.append(bug)
        return bug

    def peek(self, cell: Cell) -> Any:
        """Return what *cell* holds, looked at without an operation: for pictures and checks."""
        return self.cells[cell] if cell in self.cells else default_of(cell)


ALIVE = frozenset({"live", "reserved"})


class _Beside:
    """Standard output that is also kept beside the operation that it followed."""

    def __init__(self, machine: Direct, out: Any) -> None:
        self.machine, self.out = machine, out

    def write(self, text: str) -> int:
        if text.strip():
            self.machine.prints.append((len(self.machine.log or ()), text))
        return self.out.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.out, name)


class NoKernel(RuntimeError):
    """A function of the kernel was called where there is none."""


class RunsOn(BaseException):
    """The code did more operations than it was allowed to."""


class Stop(BaseException):
    """Ends a run of code that has said what it does next."""


class OtherThread(RuntimeError):
    """Code that is asked for its operations did one in a thread of its own."""

    def __str__(self) -> str:
        return "an operation came from another thread than the one that was called"


class Differs(BaseException):
    """The code did another operation than it did before with the same observations."""


class Asked(Environment):
    """Feeds the code what it saw before, then hands its next operation to *ask*.

    *log* holds (cell, verb, args) and result of each operation so far. *ask(cell, verb, args)*
    returns the result, or raises Stop; a Stop goes on being raised for as long as the code runs,
    and *swallowed* tells whether the code tried to go on all the same.
    """

    def __init__(
        self, ask: Callable[[Cell, str, tuple[Any, ...]], Any], log: Iterable[tuple[Any, Any]] = ()
    ) -> None:
        self.ask = ask
        self.thread = threading.get_ident()
        self.seen = iter(log)
        self.stopped: BaseException | None = None
        self.swallowed = False

    def op(self, cell: Cell, verb: str, args: tuple[Any, ...]) -> Any:
        if threading.get_ident() != self.thread:
            raise OtherThread
        if self.stopped is not None:
            self.swallowed = True
            raise self.stopped
        for what, result in self.seen:
            if what != (cell, verb, args):
                self._stop(Differs(f"{cell_name(cell)}.{verb} where it did {what} before"))
            return result
        try:
            return self.ask(cell, verb, args)
        except (Stop, KernelBug) as stop:
            self._stop(stop)

    def bug(self, what: str) -> BaseException:
        """A kernel bug that is no operation's own: recorded, and to be raised."""
        if self.stopped is None:
            self.stopped = KernelBug(what)
        return self.stopped

    def _stop(self, why: BaseException) -> NoReturn:
        self.stopped = why
        raise why


def new(kind: str, *args: int) -> Any:
    """Ask the environment for a new thing of *kind*; return None if there is none to be had."""
    return running.environment.op((KERNEL, "objects"), "new", (kind, *args))


def call(name: str, *args: Any) -> Any:
    """Let the kernel that runs here run its function *name*, whichever that is."""
    return running.environment.op((KERNEL, "functions"), "call", (name, *args))


class Kernel_(Handle):
    """Where new things come from, and which function has which name."""

    __slots__ = ()
    objects = Atomic(None, "stands for the allocator in a log", View)
    functions = Atomic(None, "stands for the kernel's functions", View)


KERNEL = Kernel_(0)
