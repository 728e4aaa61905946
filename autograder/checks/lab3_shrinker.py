"""The hidden checks of lab 3. They never enter a notebook: only the judge reads this file."""

from __future__ import annotations

from hugezero.check.checks import check, expect
from hugezero.check.scenes import alive, at_rest, shrinker, user
from hugezero.check.schedules import Explored, every_schedule
from hugezero.machine import Kernel, Machine
from hugezero.mm.huge_memory import HPAGE_PMD_NR, HUGE_ZERO

SMALL = {"pages": 2 * HPAGE_PMD_NR, "log": False}


def _explored(kernel: Kernel, users: int, shrinkers: int, may_fail: bool = False) -> Explored:
    threads = [user(may_fail)] * users + [shrinker()] * shrinkers
    return every_schedule(kernel, threads, at_end=at_rest, always=alive, may_fail=may_fail)


def _state(machine: Machine) -> str:
    """The folio and its count, in words."""
    folio, count = machine.peek((HUGE_ZERO, "folio")), machine.peek((HUGE_ZERO, "refcount"))
    return f"{'no folio' if folio is None else 'a folio'} and a count of {count}"


@check("get_huge_zero_folio", points=1)
def three_users_and_the_shrinker_get_along(kernel: Kernel) -> object:
    """Three users and the shrinker, in every order: nobody loses a folio, or reads one that was freed."""
    _explored(kernel, 2, 2)
    return _explored(kernel, 3, 1)


@check("get_huge_zero_folio", points=1)
def there_may_be_no_huge_page(kernel: Kernel) -> object:
    """Where an allocation finds no memory, that user is told so, and nobody else is disturbed."""
    with kernel.booted(**SMALL, fail=frozenset([0, 1, 2])) as machine:
        before = machine.vmstat()
        got = kernel.get_huge_zero_folio(HUGE_ZERO)
        expect(got is None, f"there was no memory, and get_huge_zero_folio returned {got!r}, not None")
        counted = machine.vmstat()["thp_zero_page_alloc"] - before["thp_zero_page_alloc"]
        failed = machine.vmstat()["thp_zero_page_alloc_failed"] - before["thp_zero_page_alloc_failed"]
        expect(
            _state(machine) == "no folio and a count of 0",
            f"there was no memory; now there is {_state(machine)}",
        )
        expect(
            (counted, failed) == (0, 1),
            f"one allocation failed; thp_zero_page_alloc has grown by {counted}, and thp_zero_page_alloc_failed by {failed}",
        )
    _explored(kernel, 2, 1, may_fail=True)
    return _explored(kernel, 3, 0, may_fail=True)
