"""The huge zero folio with one lock around everything: right, and slow.

It stands in where a check needs functions that count other than the one that it looks at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..check.notebook import ANYWAY, INSTEAD
from ..machine import Kernel
from ..mm.huge_memory import HPAGE_PMD_NR, HugeZero, register_huge_zero_shrinker
from ..mm.page_alloc import HPAGE_PMD_ORDER, Folio, clear_folio, free_folio
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


def beside(kernel: Kernel, name: str) -> Kernel:
    """The kernel in which *name* is the function of *kernel*, and the others of lab 3 are stand-ins."""
    return Kernel({**STAND_INS, name: kernel.functions[name]})
