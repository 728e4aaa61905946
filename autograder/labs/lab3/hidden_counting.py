"""The hidden checks of lab 3: get, put and scan alone."""

from __future__ import annotations

from hugezero.check.checks import check, expect
from hugezero.check.schedules import Explored, every_schedule
from hugezero.explore.state import Peek
from hugezero.labs.actors import GET, PUT, SCAN, shrinker, user
from hugezero.labs.lab3 import check_counting as open_checks
from hugezero.labs.laws import alive, at_rest
from hugezero.machine import Kernel
from hugezero.mm.huge_memory import HUGE_ZERO
from hugezero.mm.page_alloc import Folio
from hugezero.mm.vmstat import VMSTAT

from ..families import all_look_alike, another_needs_the_memory, memory_runs_out, one_after_the_other
from ..programs import FRAMES, SCARCE, programs_look_alike
from .programs import PROGRAMS


def _explored(kernel: Kernel, users: int, shrinkers: int, may_fail: bool = False) -> Explored:
    threads = [user(may_fail)] * users + [shrinker()] * shrinkers
    return every_schedule(kernel, threads, at_end=at_rest, always=alive, may_fail=may_fail)


@check(GET, points=0.5, needs=open_checks.no_schedule_gives_a_reader_a_freed_folio)
def three_users_and_the_shrinker_get_along(kernel: Kernel) -> object:
    """Three users and the shrinker, in every order: nobody loses a folio, or reads one that was freed."""
    _explored(kernel, 2, 2)
    return _explored(kernel, 3, 1)


def _a_folio(value: object) -> str:
    return "a folio" if isinstance(value, Folio) else repr(value)


@check(GET, points=0.5, needs=open_checks.two_first_readers_share_one_folio)
def there_may_be_no_huge_page(kernel: Kernel) -> object:
    """Where an allocation finds no memory, that user is told so, and nobody else is disturbed."""
    with kernel.booted(pages=FRAMES) as machine:  # too few for a huge one
        got = kernel.get_huge_zero_folio(HUGE_ZERO)
        expect(got is None, f"there was no memory, and it returned {_a_folio(got)}; it should return None")
        folio, count = HUGE_ZERO.folio.read(), HUGE_ZERO.refcount.read()
        expect(
            (folio, count) == (None, 0),
            f"there was no memory; hz.folio is {_a_folio(folio)} and the count is {count}; they should be None and 0",
        )
        counted = machine.vmstat()["thp_zero_page_alloc"]
        expect(
            counted == 0, f"there was no memory, and thp_zero_page_alloc counts {counted} that were brought"
        )
    _explored(kernel, 2, 1, may_fail=True)
    return _explored(kernel, 3, 0, may_fail=True)


@check(GET, points=0.5, needs=open_checks.two_first_readers_share_one_folio)
def no_program_can_tell_it_from_linux(kernel: Kernel) -> None:
    """No program sees anything else than on the reference, and each folio that is brought is counted once."""
    all_look_alike(kernel, PROGRAMS, one_after_the_other())
    all_look_alike(kernel, PROGRAMS, another_needs_the_memory(), SCARCE)
    memory_runs_out(kernel, PROGRAMS)
    programs_look_alike(kernel, PROGRAMS)
    _counted_once(kernel)


def _counted_once(kernel: Kernel) -> None:
    """Of two that bring a folio at once, only one keeps it: that one is counted."""

    def at_end(peek: Peek) -> str | None:
        counted = peek((VMSTAT, "thp_zero_page_alloc"))
        failed = peek((VMSTAT, "thp_zero_page_alloc_failed"))
        wrong = f"one folio is there, and thp_zero_page_alloc says that {counted} were brought"
        if counted == 1 and failed:
            wrong = f"no allocation failed, and thp_zero_page_alloc_failed says that {failed} did"
        return at_rest(peek) or (None if (counted, failed) == (1, 0) else wrong)

    every_schedule(kernel, [user(), user()], at_end=at_end, always=alive)


@check(PUT, points=0.25, needs=open_checks.a_reference_is_given_back)
def users_come_and_go(kernel: Kernel) -> object:
    """Three users and the shrinker, in every order: the folio stays while somebody uses it, and for the next one."""
    all_look_alike(kernel, PROGRAMS, one_after_the_other())
    _explored(kernel, 2, 2)
    return _explored(kernel, 3, 1)


@check(SCAN, points=0.5, needs=open_checks.no_schedule_frees_a_folio_in_use)
def two_shrinkers_free_it_once(kernel: Kernel) -> object:
    """Two shrinkers, or one and three users, in every order: the folio is freed once, and never while it is used."""
    _explored(kernel, 2, 2)
    return _explored(kernel, 3, 1)


@check(SCAN, points=0.5, needs=open_checks.an_idle_folio_goes_and_a_busy_one_stays)
def memory_comes_back_when_somebody_needs_it(kernel: Kernel) -> None:
    """Whoever needs a huge page gets the one of the zeroes if nobody reads it; no program sees a difference."""
    all_look_alike(kernel, PROGRAMS, another_needs_the_memory(), SCARCE)
    all_look_alike(kernel, PROGRAMS, one_after_the_other())
    programs_look_alike(kernel, PROGRAMS)
