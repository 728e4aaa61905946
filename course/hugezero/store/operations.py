"""What can be done to one cell: a pure function for each verb, and what it declares of itself.

An operation takes what the cell holds and its arguments, and returns what the cell holds next
and what the caller sees. Nothing else happens in this machine: a log of operations is the
whole truth about a run. Whoever explores, costs or tells one asks its declaration; a new
operation is one function here, or beside the handles it is for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Function = Callable[..., tuple[Any, Any]]
OPERATIONS: dict[str, Function] = {}  # what is called for each verb: nothing is faster
DECLARED: dict[str, Operation] = {}  # the same verbs, with all that is known of them


class KernelBug(BaseException):
    """The kernel under test did what a kernel must never do.

    A BaseException, and recorded before it is raised: `except Exception` does not hide it.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = ""
        self.cell: Any = None  # what the operation was on,
        self.after: int | None = None  # and behind how many others of the log; None: it was no operation

    def __str__(self) -> str:
        return f"{self.what} ({self.where})" if self.where else self.what


@dataclass(frozen=True)
class Words:
    """How an operation is told, wherever it is shown.

    *gave*(args, result, gives): what stands beside its row in a schedule; *gives* is its result as
    pictures write it, "→ True". *does*: "CPU 1 … P1, which CPU 0 freed". *program*: what a program
    does when it does this to memory, without any kernel code. *lock*: "the lock is …", after those words.
    """

    gave: Callable[[tuple[Any, ...], Any, str], str]
    does: str = "uses"
    program: str = ""
    lock: str = ""


@dataclass(frozen=True)
class Operation:
    """What an operation declares of itself.

    *arity*: how many arguments it takes. *reads*: is its result about all that the cell held, about a
    part of it, such as some of its bytes, or about nothing? *writes*: does it need the cache line for
    itself, even where nothing changes then? *looks_first*: does it load the line before it writes?
    *counts*: does it move a count that others rely on? *commutes*: do two of them, in either order,
    come to the same? *waits*(old): must a CPU that wants this wait?
    """

    apply: Function
    name: str
    arity: int
    words: Words
    reads: Literal["all", "part", "nothing"]
    writes: bool
    looks_first: bool = False
    counts: bool = False
    commutes: bool = False
    waits: Callable[[Any], bool] | None = None

    @property
    def silent(self) -> bool:
        """Return whether its result is always None."""
        return self.reads == "nothing"

    @property
    def accesses(self) -> str:
        """Return what it does to its cache line, in order: "r", "w" or "rw"."""
        return "r" * (self.looks_first or not self.writes) + "w" * self.writes


def operation(
    *, words: Words, reads: Literal["all", "part", "nothing"], writes: bool, **more: Any
) -> Callable[[Function], Function]:
    """Enter the function in the table, under its own name, with what it declares."""

    def enter(function: Function) -> Function:
        verb = function.__name__
        if verb in DECLARED:
            raise ValueError(f"two operations are called {verb!r}: rename one of them")
        arity = len(inspect.signature(function).parameters) - 1  # but for what the cell holds
        DECLARED[verb] = Operation(function, verb, arity, words, reads, writes, **more)
        OPERATIONS[verb] = function
        return function

    return enter


def _nothing(args: tuple[Any, ...], result: Any, gives: str) -> str:
    return ""


def _result(args: tuple[Any, ...], result: Any, gives: str) -> str:
    return gives


def _something(args: tuple[Any, ...], result: Any, gives: str) -> str:
    return "" if result is None else gives


def _either(yes: str, no: str) -> Callable[[tuple[Any, ...], Any, str], str]:
    return lambda args, result, gives: f"{gives}: {yes if result else no}"


def _exchanged(args: tuple[Any, ...], result: Any, gives: str) -> str:
    if result == args[0]:
        return f"{gives}: stored"
    return f"{gives}: somebody was first" if args[0] is None else f"{gives}: left as it was"


NOTHING, RESULT, SOMETHING = Words(_nothing), Words(_result), Words(_something)  # None is worth no word


@operation(words=Words(_result, lock="looked at"), reads="all", writes=False)
def read(old: Any) -> tuple[Any, Any]:
    return old, old


@operation(words=Words(_nothing, lock="given back"), reads="nothing", writes=True)
def set(old: Any, value: Any) -> tuple[Any, None]:
    return value, None


@operation(words=SOMETHING, reads="all", writes=True)
def xchg(old: Any, value: Any) -> tuple[Any, Any]:
    return value, old


@operation(words=Words(_exchanged), reads="all", writes=True)
def cmpxchg(old: Any, expected: Any, value: Any) -> tuple[Any, Any]:
    return (value if old == expected else old), old


@operation(words=NOTHING, reads="nothing", writes=True, counts=True, commutes=True)
def add(old: int, n: int) -> tuple[int, None]:
    return old + n, None


@operation(
    words=Words(_either("one more user", "nobody there")),
    reads="all",
    writes=True,
    looks_first=True,  # Linux: atomic_inc_not_zero, a load and a compare-and-exchange
    counts=True,
)
def inc_not_zero(old: int) -> tuple[int, bool]:
    return (old + 1, True) if old else (0, False)


@operation(words=Words(_either("it was the last", "others are left")), reads="all", writes=True, counts=True)
def dec_and_test(old: int) -> tuple[int, bool]:
    if old <= 0:
        raise KernelBug(f"a count of {old} was decremented: somebody gave back a reference that nobody held")
    return old - 1, old == 1


@operation(
    words=Words(_either("it was set before", "now it is set"), lock="asked for"), reads="all", writes=True
)
def test_and_set(old: bool) -> tuple[bool, bool]:
    return True, old


@operation(words=Words(_nothing, lock="taken"), reads="nothing", writes=True, waits=bool)
def lock(old: bool) -> tuple[bool, None]:
    if old:
        raise KernelBug("a lock was taken that is held already: on one CPU nobody is left to release it")
    return True, None


@operation(words=Words(_nothing, lock="given back"), reads="nothing", writes=True)
def unlock(old: bool) -> tuple[bool, None]:
    if not old:
        raise KernelBug("a lock was released that nobody held")
    return False, None


@operation(words=RESULT, reads="part", writes=True)
def append(old: tuple[Any, ...], value: Any, limit: int) -> tuple[tuple[Any, ...], bool]:
    return ((*old, value), True) if len(old) < limit else (old, False)


@operation(words=NOTHING, reads="nothing", writes=True)
def free(old: str) -> tuple[str, None]:
    if old == "reserved":
        raise KernelBug("a page that must live for ever was freed")
    if old != "live":
        raise KernelBug("a page that is free already was freed again")
    return "free", None
