"""Who does what in a search: CPUs that use the huge zero folio, and the shrinker.

Some call the functions under test. The others are lists of operations, so that they need no function of a lab
and do what they must, whoever wrote the functions beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..explore.threads import Thread
from ..mm.huge_memory import HUGE_ZERO
from ..mm.page_alloc import Folio
from ..store import KERNEL
from .fixtures import COUNT, FOLIO, small

Results = tuple[Any, ...]


NO_FOLIO = "get_huge_zero_folio returned None, and there was memory"


# those who only call get, put and scan


def user(may_fail: bool = False) -> Thread:
    """Takes a reference, reads a byte of the folio, gives the reference back.

    With *may_fail* it does without where it is told that there is no folio.
    """

    def read(results: Results) -> Any:
        if isinstance(results[0], Folio):
            return "op", (results[0], "data"), "load", (0, 1)
        if results[0] is None:
            return None if may_fail else ("bug", NO_FOLIO, "user")
        return "bug", f"get_huge_zero_folio returned {results[0]!r}, which is no folio", "user"

    def put(results: Results) -> Any:
        if results[0] is None:
            return None
        if results[1] != b"\0":
            return "bug", f"a user read {results[1]!r} from the folio: it is not full of zeroes", "user"
        return "call", "put_huge_zero_folio", (HUGE_ZERO,)

    return Thread("user", (_call("get_huge_zero_folio"), read, put))


def shrinker() -> Thread:
    """Asks for the folio back, whatever the count is."""
    return Thread("shrinker", (_call("shrink_huge_zero_folio_scan"),))


def _call(name: str) -> Callable[[Results], Any]:
    return lambda results: ("call", name, (HUGE_ZERO,))


# CPUs that need no function of the lab


def reader(put: bool = False) -> Thread:
    """Takes a reference by the function get_huge_zero_folio, reads a byte, and takes one off the count again.

    With *put*, the function put_huge_zero_folio does that.
    """

    def read(results: Results) -> Any:
        if isinstance(results[0], Folio):
            return "op", (results[0], "data"), "load", (0, 1)
        return (
            "bug",
            f"the reader was given {results[0]!r} instead of a folio, and there was memory",
            "reader",
        )

    first = lambda results: ("call", "get_huge_zero_folio", (HUGE_ZERO,))  # noqa: E731
    return Thread("reader", (first, read, lambda results: _leave(put)))


def _leave(put: bool) -> Any:
    return ("call", "put_huge_zero_folio", (HUGE_ZERO,)) if put else ("op", COUNT, "add", (-1,))


def visitor(put: bool = False) -> Thread:
    """Takes a reference if the folio is there, brings it if not, and leaves again; it tries once.

    With *put*, the function put_huge_zero_folio takes the reference off the count again.
    """
    count, pointer = COUNT, FOLIO

    def joined(results: Results) -> bool:
        return bool(results[0])

    def brought(results: Results) -> bool:
        return not results[0] and results[2] is None

    def second(results: Results) -> Any:
        return (
            ("op", pointer, "read", ())
            if joined(results)
            else ("op", (KERNEL, "objects"), "new", ("Folio", 9))
        )

    def third(results: Results) -> Any:
        if joined(results) and results[1] is None:
            return "bug", "the count said that there is a folio, and there was none to be read", "reader"
        if joined(results):
            return "op", (results[1], "data"), "load", (0, 1)
        return "op", pointer, "cmpxchg", (None, results[1])

    def fourth(results: Results) -> Any:
        if joined(results):
            return _leave(put)
        return ("op", count, "set", (2,)) if brought(results) else ("op", (results[1], "state"), "free", ())

    def fifth(results: Results) -> Any:
        return ("op", (results[1], "data"), "load", (0, 1)) if brought(results) else None

    def sixth(results: Results) -> Any:
        return _leave(put) if brought(results) else None

    first = lambda results: ("op", count, "inc_not_zero", ())  # noqa: E731
    return Thread("reader", (first, second, third, fourth, fifth, sixth))


def reclaim() -> Thread:
    """The shrinker, as it must be: an idle folio goes, and a busy one stays."""

    def take(results: Results) -> Any:
        return ("op", FOLIO, "xchg", (None,)) if results[0] == 1 else None

    def free(results: Results) -> Any:
        return ("op", (results[1], "state"), "free", ()) if isinstance(results[1], Folio) else None

    first = lambda results: ("op", COUNT, "cmpxchg", (1, 0))  # noqa: E731
    return Thread("shrinker", (first, take, free))


def calls(who: str, name: str, *args: Any) -> Thread:
    """A CPU that does one call."""
    given = small(args)
    return Thread(who, (lambda results: ("call", name, given),))
