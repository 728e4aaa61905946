"""What can be done to one cell: a pure function for each verb, in one table.

An operation takes what the cell holds and its arguments, and gives what the cell holds next
and what the caller sees. Nothing else happens in this machine: a log of operations is the
whole truth about a run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Operation = Callable[..., tuple[Any, Any]]
OPERATIONS: dict[str, Operation] = {}


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


def operation(function: Operation) -> Operation:
    """Enter *function* in the table, under its own name."""
    verb = function.__name__
    if verb in OPERATIONS:
        raise ValueError(f"two operations are called {verb!r}: rename one of them")
    OPERATIONS[verb] = function
    return function


@operation
def read(old: Any) -> tuple[Any, Any]:
    return old, old


@operation
def set(old: Any, value: Any) -> tuple[Any, None]:
    return value, None


@operation
def xchg(old: Any, value: Any) -> tuple[Any, Any]:
    return value, old


@operation
def cmpxchg(old: Any, expected: Any, value: Any) -> tuple[Any, Any]:
    return (value if old == expected else old), old


@operation
def add(old: int, n: int) -> tuple[int, None]:
    return old + n, None


@operation
def inc_not_zero(old: int) -> tuple[int, bool]:
    return (old + 1, True) if old else (0, False)


@operation
def dec_and_test(old: int) -> tuple[int, bool]:
    if old <= 0:
        raise KernelBug(f"a count of {old} was decremented: somebody gave back a reference that nobody held")
    return old - 1, old == 1


@operation
def test_and_set(old: bool) -> tuple[bool, bool]:
    return True, old


@operation
def lock(old: bool) -> tuple[bool, None]:
    if old:
        raise KernelBug("a lock was taken that is held already: on one CPU nobody is left to release it")
    return True, None


@operation
def unlock(old: bool) -> tuple[bool, None]:
    if not old:
        raise KernelBug("a lock was released that nobody held")
    return False, None


@operation
def append(old: tuple[Any, ...], value: Any, limit: int) -> tuple[tuple[Any, ...], bool]:
    return ((*old, value), True) if len(old) < limit else (old, False)


@operation
def free(old: str) -> tuple[str, None]:
    if old == "reserved":
        raise KernelBug("a page that must live for ever was freed")
    if old != "live":
        raise KernelBug("a page that is free already was freed again")
    return "free", None
