"""The huge zero folio with one lock around everything: right, and slow.

It stands in where a check needs functions of lab 3 other than the one that it looks at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..check.notebook import ANYWAY, INSTEAD
from ..mm.huge_memory import HPAGE_PMD_NR, HUGE_ZERO, HugeZero, register_huge_zero_shrinker
from ..mm.mm_types import Mm
from ..mm.page_alloc import HPAGE_PMD_ORDER, ZERO_PAGE, Folio, clear_folio, free_folio
from ..mm.printk import CONFIG
from ..mm.vmstat import VMSTAT
from ..store import new


def get_huge_zero_folio(hz: HugeZero) -> Folio | None:
    """One more user; the first one brings the folio."""
    hz.lock.lock()
    folio: Folio | None = hz.folio.read()
    if folio is None:
        folio = new("Folio", HPAGE_PMD_ORDER)
        if folio is None:
            VMSTAT.thp_zero_page_alloc_failed.inc()
        else:
            clear_folio(folio)
            hz.folio.set(folio)
            hz.refcount.add(1)
            VMSTAT.thp_zero_page_alloc.inc()
    if folio is not None:
        hz.refcount.add(1)
    hz.lock.unlock()
    return folio


def put_huge_zero_folio(hz: HugeZero) -> None:
    """One user less."""
    hz.lock.lock()
    hz.refcount.dec_and_test()
    hz.lock.unlock()


def shrink_huge_zero_folio_count(hz: HugeZero) -> int:
    """Pages that nobody uses."""
    hz.lock.lock()
    users = hz.refcount.read() - 1
    hz.lock.unlock()
    return 0 if users else HPAGE_PMD_NR


def shrink_huge_zero_folio_scan(hz: HugeZero) -> int:
    """Free the folio if nobody uses it."""
    hz.lock.lock()
    folio = None
    if hz.refcount.read() == 1:
        hz.refcount.set(0)
        folio = hz.folio.read()
        hz.folio.set(None)
    hz.lock.unlock()
    if folio is None:
        return 0
    free_folio(folio)
    return HPAGE_PMD_NR


def mm_get_huge_zero_folio(mm: Mm) -> Folio | None:
    """A reference for the mm, which has none yet; nobody else can look meanwhile."""
    HUGE_ZERO.lock.lock()
    has = mm.huge_zero.test_and_set()
    HUGE_ZERO.lock.unlock()
    folio: Folio | None = HUGE_ZERO.folio.read() if has else get_huge_zero_folio(HUGE_ZERO)
    if folio is None:
        mm.huge_zero.clear()
    return folio


def mm_put_huge_zero_folio(mm: Mm) -> None:
    """The mm's reference goes, if it has one."""
    HUGE_ZERO.lock.lock()
    has = mm.huge_zero.test()
    HUGE_ZERO.lock.unlock()
    if has:
        put_huge_zero_folio(HUGE_ZERO)


def largest_zero_folio() -> Folio:
    """The folio in HUGE_ZERO if it was there before any user, else the zero page."""
    built = CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() and HUGE_ZERO.folio.read()
    return built or ZERO_PAGE


STAND_INS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        get_huge_zero_folio,
        put_huge_zero_folio,
        shrink_huge_zero_folio_count,
        shrink_huge_zero_folio_scan,
    )
} | {"hugezero_init": register_huge_zero_shrinker}
ANYWAY.update(("shrink_huge_zero_folio_count", "shrink_huge_zero_folio_scan"))
INSTEAD["lab3"] = {f.__name__: f for f in (get_huge_zero_folio, put_huge_zero_folio)}
INSTEAD["lab4"] = {f.__name__: f for f in (mm_get_huge_zero_folio, mm_put_huge_zero_folio)}
INSTEAD["lab5"] = {"largest_zero_folio": largest_zero_folio}
