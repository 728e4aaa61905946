"""Versions of lab 3's functions that are wrong on purpose. Each is right as long as it is alone.

The first three are shown before anything is written; of the others each student has two to break.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...explore.byhand import ByHand
from ...explore.replay import given
from ...explore.threads import Thread
from ...mm.huge_memory import HPAGE_PMD_NR, HugeZero
from ...mm.page_alloc import HPAGE_PMD_ORDER, Folio, alloc_folio, clear_folio, free_folio
from ..actors import reader, reclaim, shrinker, visitor
from ..fixtures import idle_folio
from ..laws import alive, at_rest

# shown before the functions are written


def get_plain_increment(hz: HugeZero) -> Folio | None:
    """Is there nobody yet? Then bring the folio. And in any case count one more."""
    if hz.refcount.read() == 0:
        new = alloc_folio(HPAGE_PMD_ORDER)
        if new is None:
            return None
        clear_folio(new)
        hz.folio.set(new)
        hz.refcount.inc()  # for the shrinker
    hz.refcount.inc()
    return hz.folio.read()


def get_count_first(hz: HugeZero) -> Folio | None:
    """The count is set before the pointer, so that nobody finds a folio that is not counted yet."""
    while not hz.refcount.inc_not_zero():
        new = alloc_folio(HPAGE_PMD_ORDER)
        if new is None:
            return None
        clear_folio(new)
        hz.refcount.set(2)
        found = hz.folio.cmpxchg(None, new)
        if found is None:
            return new
        free_folio(new)
    return hz.folio.read()


def scan_trusts_count(hz: HugeZero) -> int:
    """Nobody uses it, count has said; look once more to be safe, and free it."""
    if hz.refcount.read() != 1:
        return 0
    hz.refcount.set(0)
    old = hz.folio.xchg(None)
    free_folio(old)
    return HPAGE_PMD_NR


# to be broken: get


def get_slower_joins(hz: HugeZero) -> Folio | None:
    """Whoever is slower finds a folio there already, and joins those who use it."""
    if hz.refcount.inc_not_zero():
        return hz.folio.read()
    new = alloc_folio(HPAGE_PMD_ORDER)
    if new is None:
        return None
    clear_folio(new)
    found = hz.folio.cmpxchg(None, new)
    if found is None:
        hz.refcount.set(2)
        return new
    free_folio(new)
    hz.refcount.inc()
    return found


def get_two_steps(hz: HugeZero) -> Folio | None:
    """The one who brings the folio counts itself, and then the shrinker."""
    while not hz.refcount.inc_not_zero():
        new = alloc_folio(HPAGE_PMD_ORDER)
        if new is None:
            return None
        clear_folio(new)
        if hz.folio.cmpxchg(None, new) is None:
            hz.refcount.inc()
            hz.refcount.inc()
            return new
        free_folio(new)
    return hz.folio.read()


def get_pointer_first(hz: HugeZero) -> Folio | None:
    """Read the pointer, then count: if the count says yes, the folio is the one that was read."""
    while True:
        old = hz.folio.read()
        if hz.refcount.inc_not_zero():
            return old
        new = alloc_folio(HPAGE_PMD_ORDER)
        if new is None:
            return None
        clear_folio(new)
        if hz.folio.cmpxchg(None, new) is None:
            hz.refcount.set(2)
            return new
        free_folio(new)


# to be broken: scan


def scan_pointer_first(hz: HugeZero) -> int:
    """Take the pointer away first, so that nobody can find the folio while it goes."""
    if hz.refcount.read() != 1:
        return 0
    old = hz.folio.xchg(None)
    if hz.refcount.cmpxchg(1, 0) == 1:
        free_folio(old)
        return HPAGE_PMD_NR
    hz.folio.set(old)  # somebody has come: put it back
    return 0


def scan_takes_the_count(hz: HugeZero) -> int:
    """Take the count away in one operation, so that nobody can change it while it is looked at."""
    count = hz.refcount.xchg(0)
    if count == 1:
        old = hz.folio.xchg(None)
        free_folio(old)
        return HPAGE_PMD_NR
    hz.refcount.set(count)  # somebody uses it: put it back
    return 0


def scan_leaves_first(hz: HugeZero) -> int:
    """Give the shrinker's own reference back, and see whether that was the last one."""
    if hz.refcount.read() == 0:
        return 0
    hz.refcount.dec()
    if hz.refcount.read() == 0:
        old = hz.folio.xchg(None)
        free_folio(old)
        return HPAGE_PMD_NR
    hz.refcount.inc()  # no: take it again
    return 0


TO_BREAK: dict[str, tuple[Callable[..., Any], ...]] = {
    "get_huge_zero_folio": (get_slower_joins, get_two_steps, get_pointer_first),
    "shrink_huge_zero_folio_scan": (scan_pointer_first, scan_takes_the_count, scan_leaves_first),
}


@dataclass(frozen=True)
class Broken:
    """A version that is wrong, with the CPUs that run it, and nobody who has looked for what breaks it."""

    name: str
    function: Callable[..., Any]

    @property
    def threads(self) -> Sequence[Thread]:
        """CPU 0, 1 and 2."""
        if self.name == "get_huge_zero_folio":
            return [reader(), reader(), reclaim()]
        return [visitor(), shrinker(), shrinker()]

    def by_hand(self) -> ByHand:
        """A schedule of it in which nobody has gone yet."""
        cells = {} if self.name == "get_huge_zero_folio" else idle_folio()
        functions = {self.name: given(self.function, told=True)}
        return ByHand(functions, self.threads, cells, at_end=at_rest, always=alive)


def to_break(name: str, seed: str) -> Broken:
    """The version of *name* that is *seed*'s to break: the same one here and where it is graded."""
    versions = TO_BREAK[name]
    return Broken(name, versions[zlib.crc32(f"{name} {seed.strip()}".encode()) % len(versions)])
