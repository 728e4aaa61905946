"""What must hold, at every step of a search and at its ends: no freed folio is found, every reference is counted."""

from __future__ import annotations

from collections.abc import Callable

from ..explore.state import LIVE, Peek
from .fixtures import COUNT, FOLIO


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


def settled(users: int) -> Callable[[Peek], str | None]:
    """When everybody has ended: one reference for each of *users* huge entries, and one for the shrinker."""

    def wrong(peek: Peek) -> str | None:
        count, folio = peek(COUNT), peek(FOLIO)
        if folio is None and users == 0:
            return (
                None if count == 0 else f"when all is done there is no folio, and the count is {count}, not 0"
            )
        many = f"{users} huge entr{'y maps' if users == 1 else 'ies map'} the folio"
        return (
            None
            if count == users + 1
            else f"when all is done {many}, and the count is {count}; it should be {users + 1}"
        )

    return wrong
