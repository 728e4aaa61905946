"""What must hold, at every step of a search and at its ends: no freed folio is found, every reference is counted.

Each law says what is wrong, or None; `one(peek) or other(peek)` are two of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..explore.state import LIVE, Peek
from ..mm.huge_memory import is_huge_zero_pmd
from ..mm.mm_types import Mm
from ..mm.page_alloc import Folio
from ..store import Cell
from .fixtures import COUNT, FOLIO


def alive(peek: Peek) -> str | None:
    """At every step: the folio that others can find is one that nobody has freed."""
    folio = peek(FOLIO)
    if folio is not None and peek((folio, "state")) == "free":
        return f"hz.folio names {folio!r}, which was freed: whoever looks there takes another's memory for zeroes"
    return None


def none_freed_is_mapped(peek: Peek, pmds: Iterable[Cell]) -> str | None:
    """At every step: no huge entry in *pmds* maps a folio that was freed."""
    for entry in map(peek, pmds):
        if is_huge_zero_pmd(entry) and peek((entry.folio, "state")) == "free":
            return f"a huge entry still maps {entry.folio!r}, which has been freed"
    return None


def lost(peek: Peek, known: Iterable[Folio | None]) -> str | None:
    """When everybody has ended: each folio that is live is one of those that are *known*."""
    strays = set(peek(LIVE)).difference(known)
    if not strays:
        return None
    return f"{min(strays, key=repr)!r} is lost: it was never freed, and nobody knows of it any more"


def counted(peek: Peek, users: int, told: str) -> str | None:
    """When everybody has ended: no folio and a count of 0, or one for each of *users*, and one for the shrinker.

    *told* is the sentence where that is not so, with {count} and {wanted}.
    """
    count, folio = peek(COUNT), peek(FOLIO)
    if folio is None and not users:
        return None if count == 0 else f"when all is done there is no folio, and the count is {count}, not 0"
    if count == users + 1:
        return None
    return "when all is done " + told.format(count=count, wanted=users + 1)


def at_rest(peek: Peek, users: int = 0) -> str | None:
    """When everybody has ended: the folio is there or not, no other is, and each of *users* is counted."""
    who = f"{users or 'no'} user{'s' * (users != 1)} and the shrinker"
    told = f"the count is {{count}}; it should be {{wanted}}: {who}"
    return lost(peek, [peek(FOLIO)]) or counted(peek, users, told)


def settled(peek: Peek, users: int = 0) -> str | None:
    """When everybody has ended: one reference for each of *users* huge entries, and one for the shrinker."""
    many = f"{users} huge entr{'y maps' if users == 1 else 'ies map'} the folio"
    return counted(peek, users, f"{many}, and the count is {{count}}; it should be {{wanted}}")


def one_table(peek: Peek, mm: Mm) -> str | None:
    """When everybody has ended, and one huge entry was made: one page table of *mm* is in use."""
    tables = peek((mm, "nr_ptes"))
    return (
        None
        if tables == 1
        else f"one huge entry was made, and {tables} page tables are in use; it should be 1"
    )
