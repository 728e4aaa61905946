"""The open checks of lab 4: an mm takes its reference, gives it back, and ends."""

from __future__ import annotations

from ...check.checks import check, expect
from ...check.notebook import exercise
from ...check.schedules import every_schedule
from ...explore.state import Peek
from ...explore.threads import calls
from ...machine import Kernel
from ...mm.huge_memory import HUGE_ZERO as HZ
from ...mm.mmap import mm_alloc
from ...mm.page_alloc import Folio
from ...store import in_code
from ..actors import reclaim
from ..fixtures import folio_in_use, idle_folio
from ..guesses import expect_letter
from ..laws import alive, counted, none_freed_is_mapped
from ..process import one_maps_it
from .fixtures import MM_GET, all_hold_once, beside, expect_held, user

MM_PUT, MMPUT = "mm_put_huge_zero_folio", "__mmput"
SHARE_AT_72 = "predict_share_at_72"
HALF_THE_WORK = "predict_half_the_work"
ONE_FAULT_EACH = "predict_one_fault_each"

exercise(SHARE_AT_72, "Your guess is written down. The next cell counts.", in_kernel=False)
exercise(HALF_THE_WORK, "Your guess is written down. The next cell measures.", in_kernel=False)
exercise(ONE_FAULT_EACH, "Your guess is written down. The next cell measures.", in_kernel=False)
exercise(
    MM_GET,
    "You now have faults that write to nothing that another mm shares.",
    more=1.25,
    untried="an unrelated mm and the shrinker beside two threads, no memory for the folio, and whole programs",
    calls="get_huge_zero_folio put_huge_zero_folio",
)
exercise(
    MM_PUT,
    "You now have a way back for an mm that has taken, and for no other.",
    more=0.5,
    untried="address spaces that come and go beside the shrinker",
    calls="put_huge_zero_folio",
)
exercise(
    MMPUT,
    "You now have an end of an address space that leaves nothing behind.",
    more=0.5,
    untried="exits beside forks, faults and other exits",
    calls="mm_put_huge_zero_folio split_huge_zero_page_pmd zap_huge_pmd zap_pte_range",
)


# predictions


@check(SHARE_AT_72, points=1)
def a_guess_about_72_cpus(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter(kernel, SHARE_AT_72)


@check(HALF_THE_WORK, points=1)
def a_guess_about_half_the_work(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter(kernel, HALF_THE_WORK)


@check(ONE_FAULT_EACH, points=1)
def a_guess_about_one_fault_each(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter(kernel, ONE_FAULT_EACH)


# mm_get_huge_zero_folio


@check(MM_GET, points=1.5)
def each_mm_takes_one_reference(kernel: Kernel) -> None:
    """An mm that maps the folio for the first time takes a reference, and its flag says so; the next mm does too."""
    with kernel.booted(pages=1024):
        for n in (1, 2):
            mm = mm_alloc()
            folio = kernel.mm_get_huge_zero_folio(mm)
            expect(
                isinstance(folio, Folio) and folio is HZ.folio.read(),
                f"for mm {n} it returned {folio!r}, and HUGE_ZERO.folio holds {HZ.folio.read()!r}; both should be the folio",
                "get_huge_zero_folio(HUGE_ZERO) brings it, or finds it",
            )
            expect(
                mm.huge_zero.test(),
                f"mm {n} has got the folio, and its flag is not set",
                "how is it to know later that it has a reference to give back?",
            )
            expect_held(n, f"after the first fault of mm {n}")
    with kernel.booted(pages=64):
        mm = mm_alloc()
        folio = kernel.mm_get_huge_zero_folio(mm)
        expect(folio is None, f"there was no memory for the folio, and it returned {folio!r}, not None")
        expect(
            not mm.huge_zero.test(),
            "there was no memory for the folio, and the flag of the mm is set all the same",
            "the flag says: this mm has a reference. Has it?",
        )


@check(MM_GET, points=1.25, needs=each_mm_takes_one_reference)
def later_faults_write_nothing_shared(kernel: Kernel) -> None:
    """Every later fault of the same mm gets the folio, and writes to nothing that another mm shares."""
    with kernel.booted(pages=1024) as machine:
        mm = mm_alloc()
        first = kernel.mm_get_huge_zero_folio(mm)
        assert machine.log is not None
        start = len(machine.log)
        again = kernel.mm_get_huge_zero_folio(mm)
        written = [row for row in machine.log[start:] if row.cell[0] is HZ and row.verb != "read"]
        expect(
            again is first,
            f"the second fault of an mm got {again!r}; it should get the same folio, {first!r}",
        )
        shown = "; ".join(in_code(row.cell, row.verb, row.args) for row in written)
        shown = shown.replace(repr(HZ), "HUGE_ZERO")
        expect(
            not written,
            f"in the second fault of an mm it did {shown}: every other CPU lost the cache line",
            "mm.huge_zero.test() reads the mm's own flag: ask it first",
        )
        expect_held(1, "after two faults of one mm", "how many references does an mm need?")


@check(MM_GET, points=2, needs=later_faults_write_nothing_shared)
def two_threads_take_one_reference(kernel: Kernel) -> object:
    """Two threads of one mm fault at the same moment, and memory is tight: they get the folio, and hold it once."""
    with kernel.booted(pages=64):
        mm = mm_alloc()
    return every_schedule(
        kernel, [user(mm), user(mm), reclaim()], idle_folio(), at_end=lambda peek: all_hold_once(peek, mm), always=alive,
        story="the mm holds the folio once",
        hint="go to the row where the flag is set. Has the mm a reference then? And how many, when both are through?",
    )  # fmt: skip


# mm_put_huge_zero_folio


@check(MM_PUT, points=1.5)
def only_what_was_taken_is_given_back(kernel: Kernel) -> None:
    """An mm whose flag is set gives one reference back; an mm that never faulted has none to give."""
    with kernel.booted(pages=1024):
        folio_in_use(users=2)
        one, other, never = mm_alloc(), mm_alloc(), mm_alloc()
        one.huge_zero.set()
        other.huge_zero.set()
        kernel.mm_put_huge_zero_folio(never)
        expect_held(
            2,
            "two mms hold the folio, a third that never faulted has ended, and",
            "whose reference was that?",
        )
        kernel.mm_put_huge_zero_folio(one)
        expect_held(1, "one of two mms has ended, and", "who gives back what mm_get_huge_zero_folio took?")
        kernel.mm_put_huge_zero_folio(other)
        expect_held(0, "both mms have ended, and")


# __mmput


@check(MMPUT, points=1.5)
def first_the_tables_then_the_reference(kernel: Kernel) -> object:
    """With its last user an mm loses all that it maps, and then its reference; no CPU sees a freed page."""
    kernel = beside(kernel, MMPUT)
    with one_maps_it(kernel, holds=True) as (one, _, cells):
        never = mm_alloc()
        kernel.__mmput(one.mm)
        tables, areas = one.mm.nr_ptes.read(), len(one.mm.mmap)
        expect(
            (tables, areas) == (0, 0),
            f"the last user of an mm has gone; page tables left: {tables}, areas left: {areas}. Both should be 0",
            "exit_mmap(mm) takes everything away that an mm maps",
        )
        expect_held(0, "the only mm that used the folio has ended, and", "mm_put_huge_zero_folio(mm)")
        kernel.__mmput(never)
        expect_held(0, "an mm that never faulted has ended, and")
    return every_schedule(
        kernel, [calls("the last user", (MMPUT, one.mm)), one.reader(1), reclaim()], cells,
        at_end=_ended, always=lambda peek: none_freed_is_mapped(peek, [one.pmd.cell]) or alive(peek),
        story="no CPU is left with a freed page",
        hint="as long as an entry leads to the folio, somebody may look there: what has to go first?",
    )  # fmt: skip


def _ended(peek: Peek) -> str | None:
    """Nobody holds the folio any more: the mm that did is dead."""
    told = "only the shrinker should hold the folio, and the count is {count}; it should be {wanted}"
    return counted(peek, 0, told)
