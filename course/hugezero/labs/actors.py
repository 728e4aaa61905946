"""Who does what in a search: CPUs that use the huge zero folio, and the shrinker.

Some call the functions under test. The others do their operations themselves, so that they need no function of a
lab and do what they must, whoever wrote the functions beside them.
"""

from __future__ import annotations

from typing import Any

from ..explore.threads import Thread, calls, cpu
from ..mm.huge_memory import HUGE_ZERO
from ..mm.page_alloc import HPAGE_PMD_ORDER, Folio, free_folio
from ..store import KernelBug, call, new

GET, PUT, SCAN = "get_huge_zero_folio", "put_huge_zero_folio", "shrink_huge_zero_folio_scan"


def take(name: str, *args: Any, may_fail: bool = False) -> Folio | None:
    """Return the folio that the function *name* hands out, once it is used; with *may_fail*, there may be none."""
    folio = call(name, *args)
    if folio is not None:
        return used(name, folio)
    if not may_fail:
        raise KernelBug(f"{name} returned None, and there was memory")
    return None


def used(name: str, folio: object) -> Folio:
    """Return *folio*, which the function *name* returned, once a byte of it is read as a program would."""
    if not isinstance(folio, Folio):
        raise KernelBug(f"{name} returned {folio!r}, which is no folio")
    byte = folio.data.load(0, 1)
    if byte != b"\0":
        raise KernelBug(f"a user read {byte!r} from the folio: it is not full of zeroes")
    return folio


# those who only call get, put and scan


@cpu("user")
def user(may_fail: bool = False) -> None:
    """Take a reference, read a byte of the folio, give the reference back; do without where that *may_fail*."""
    if take(GET, HUGE_ZERO, may_fail=may_fail):
        call(PUT, HUGE_ZERO)


def shrinker() -> Thread:
    """Ask for the folio back, whatever the count is."""
    return calls("shrinker", (SCAN, HUGE_ZERO))


# CPUs that need no function of the lab


@cpu("reader")
def reader(put: bool = False) -> None:
    """Take a reference by the function under test, read a byte, and take one off the count again.

    With *put*, the function put_huge_zero_folio does that.
    """
    if take(GET, HUGE_ZERO, may_fail=True) is None:
        raise KernelBug("the reader was given None instead of a folio, and there was memory")
    _leave(put)


def _leave(put: bool) -> None:
    if put:
        call(PUT, HUGE_ZERO)
    else:
        HUGE_ZERO.refcount.dec()


@cpu("reader")
def visitor(put: bool = False) -> None:
    """Take a reference if the folio is there, bring it if not, and leave again; try once.

    With *put*, the function put_huge_zero_folio takes the reference off the count again.
    """
    if HUGE_ZERO.refcount.inc_not_zero():
        folio = HUGE_ZERO.folio.read()
        if folio is None:
            raise KernelBug("the count said that there is a folio, and there was none to be read")
    else:
        folio = new("Folio", HPAGE_PMD_ORDER)
        if HUGE_ZERO.folio.cmpxchg(None, folio) is not None:
            free_folio(folio)
            return
        HUGE_ZERO.refcount.set(2)
    folio.data.load(0, 1)
    _leave(put)


@cpu("shrinker")
def reclaim() -> None:
    """Do what the shrinker must: an idle folio goes, and a busy one stays."""
    if HUGE_ZERO.refcount.cmpxchg(1, 0) == 1:
        folio = HUGE_ZERO.folio.xchg(None)
        if isinstance(folio, Folio):
            free_folio(folio)
