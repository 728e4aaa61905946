"""Who does what in the searches of lab 3: users of the huge zero folio, the shrinker, and what must hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..explore.cells import LIVE, Peek
from ..explore.threads import Thread
from ..mm.huge_memory import HUGE_ZERO
from ..mm.page_alloc import Folio

Results = tuple[Any, ...]
COUNT, FOLIO = (HUGE_ZERO, "refcount"), (HUGE_ZERO, "folio")
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


# what must hold


def alive(peek: Peek) -> str | None:
    """At every step: the folio that others can find is one that nobody has freed."""
    folio = peek(FOLIO)
    if folio is not None and peek((folio, "state")) == "free":
        return f"hz.folio names {folio!r}, which was freed: whoever looks there takes another's memory for zeroes"
    return None


def at_rest(peek: Peek, users: int = 0) -> str | None:
    """When everybody has ended: no folio and a count of 0, or a folio and one for each of *users*, and the shrinker."""
    count, folio = peek(COUNT), peek(FOLIO)
    lost = [each for each in peek(LIVE) if each is not folio]
    if lost:
        return f"{lost[0]!r} is lost: it was never freed, and nobody knows of it any more"
    if folio is None:
        return None if count == 0 else f"when all is done there is no folio, and the count is {count}, not 0"
    wanted = users + 1
    if count == wanted:
        return None
    who = f"{users or 'no'} user{'s' * (users != 1)} and the shrinker"
    return f"when all is done the count is {count}; it should be {wanted}: {who}"
