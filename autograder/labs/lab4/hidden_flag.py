"""The hidden checks of lab 4: an mm takes its reference, gives it back, and ends."""

from __future__ import annotations

from hugezero.check.checks import check, expect
from hugezero.check.schedules import Explored, every_schedule
from hugezero.explore.threads import Thread, calls
from hugezero.labs.actors import shrinker, take
from hugezero.labs.lab4 import check_flag as open_checks
from hugezero.labs.lab4.check_flag import MM_PUT, MMPUT
from hugezero.labs.lab4.fixtures import MM_GET
from hugezero.labs.laws import alive, at_rest
from hugezero.machine import Kernel
from hugezero.mm.huge_memory import HUGE_ZERO
from hugezero.mm.mm_types import Mm
from hugezero.mm.mmap import mm_alloc
from hugezero.store import call

from ..explorations import FIRST_MM
from ..families import all_comes_back_after_a_fork, memory_runs_out
from ..programs import programs_look_alike
from .held_by_mms import town
from .programs import PROGRAMS

STATES = 45_000  # at most, of one search


def _life(mm: Mm, may_fail: bool = False) -> Thread:
    """A thread of *mm* that maps the folio, reads, and ends; the last one gives back what the mm holds."""

    def lives() -> None:
        take(MM_GET, mm, may_fail=may_fail)
        if mm.users.dec_and_test():
            call(MM_PUT, mm)

    return Thread(f"thread of {mm!r}", lives)


def _lives(kernel: Kernel, *threads: int, shrinkers: int = 1, may_fail: bool = False) -> Explored:
    """Address spaces with so many threads each, from their first fault to their end, beside the shrinker."""
    with kernel.booted(pages=64, log=False) as machine:
        mms = [mm_alloc() for _ in threads]
        for mm, users in zip(mms, threads, strict=True):
            mm.users.set(users)
        cells = dict(machine.cells)
    lives = [_life(mm, may_fail) for mm, users in zip(mms, threads, strict=True) for _ in range(users)]
    return every_schedule(
        kernel, [*lives, *[shrinker()] * shrinkers], cells, at_end=at_rest, always=alive, may_fail=may_fail,
        limit=STATES, story="nobody reads a freed page, and nothing is lost",
    )  # fmt: skip


@check(MM_GET, points=0.5, needs=open_checks.two_threads_take_one_reference)
def an_unrelated_mm_and_the_shrinker(kernel: Kernel) -> object:
    """Two threads of one mm, a thread of another and the shrinker, in every order, from first fault to exit."""
    _lives(kernel, 2, shrinkers=2)
    return _lives(kernel, 2, 1)


@check(MM_GET, points=0.25, needs=open_checks.each_mm_takes_one_reference)
def there_may_be_no_folio(kernel: Kernel) -> object:
    """Where there is no memory for the folio the mm has no reference, and may ask again; nobody else is disturbed."""
    with kernel.booted(pages=1024, log=False, fail=frozenset(range(2))) as machine:
        mm = mm_alloc()
        for _ in range(2):
            got, flag = kernel.mm_get_huge_zero_folio(mm), mm.huge_zero.test()
            expect(
                (got, flag) == (None, False),
                f"there was no memory; it returned {got!r}, and the mm's flag is {flag}; they should be None and False",
            )
        got, count = kernel.mm_get_huge_zero_folio(mm), machine.peek((HUGE_ZERO, "refcount"))
        expect(
            got is not None and mm.huge_zero.test() and count == 2,
            f"there was no memory twice, and then there was; it returned {got!r}, and the count is {count}, not 2",
        )
    _lives(kernel, 2, may_fail=True)
    return _lives(kernel, 1, 1, may_fail=True)


@check(MM_GET, points=0.5, needs=open_checks.later_faults_write_nothing_shared)
def no_program_can_tell_it_from_linux(kernel: Kernel) -> None:
    """No program sees anything else than on the reference, also where memory runs out."""
    memory_runs_out(kernel, PROGRAMS)
    all_comes_back_after_a_fork(kernel, PROGRAMS)
    programs_look_alike(kernel, PROGRAMS)


@check(MM_PUT, points=0.5, needs=open_checks.only_what_was_taken_is_given_back)
def mms_come_and_go(kernel: Kernel) -> object:
    """Address spaces that come and go beside the shrinker, with and without memory: nothing is lost, nothing freed twice."""
    all_comes_back_after_a_fork(kernel, PROGRAMS)
    _lives(kernel, 1, 1, may_fail=True)
    return _lives(kernel, 1, 1, shrinkers=2)


@check(MMPUT, points=0.5, needs=open_checks.first_the_tables_then_the_reference)
def ends_beside_everything_else(kernel: Kernel) -> object:
    """Exits beside forks, faults, other exits and the shrinker, and of an mm that never faulted: all comes back."""
    one, other = (both := town(True, False)).programs
    both.explored(kernel, calls("exit", one.ends), calls("exit", other.ends))
    both.explored(kernel, calls("exit", one.ends), calls("reader", other.reads))
    only = (pair := town(True, threads=2)).programs[0]
    forks, leaves = calls("parent", only.forks, only.ends), calls("thread", only.ends)
    found = pair.explored(kernel, forks, leaves, children=(FIRST_MM,))
    memory_runs_out(kernel, PROGRAMS)
    all_comes_back_after_a_fork(kernel, PROGRAMS)
    return found
