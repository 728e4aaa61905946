"""The open checks of lab 2: the split of the huge zero page."""

from __future__ import annotations

from ...check.checks import check, expect
from ...check.notebook import exercise
from ...explore.threads import calls
from ...hw.ram import PAGE_SIZE, PMD_SIZE, PTRS_PER_PTE
from ...machine import Kernel
from ...mm import memory
from ...mm.huge_memory import HUGE_ZERO, mk_huge_zero_pmd, pmd_mkdirty
from ...mm.pgtable import pmd_offset, zero_pte
from ..fixtures import deposited, huge_area, place_huge
from .fixtures import MAPPED, ONE, expect_zeroes_untouched, nothing_lost, schedules, with_huge_zero

SPLIT = "split_huge_zero_page_pmd"

exercise(
    SPLIT,
    "You now have a huge entry that can be taken apart at any time, without any memory.",
    more=1,
    untried="programs that cut 2 MiB anywhere, and two splits beside an unmap",
)


@check(SPLIT, points=1.5)
def one_huge_entry_becomes_512_small_ones(kernel: Kernel) -> None:
    """All 512 small entries map the zero page, in the table that was put aside; nothing is allocated."""
    with with_huge_zero(kernel).booted(pages=4096) as machine:
        mm, at = huge_area(2 * PMD_SIZE)
        zeroes = mk_huge_zero_pmd(HUGE_ZERO.folio.read())
        for base, entry in ((at, zeroes), (at + PMD_SIZE, pmd_mkdirty(zeroes)._replace(young=False))):
            place_huge(mm, base, entry)
            table, pmd, vma = deposited(mm, base), pmd_offset(mm, base), mm.mmap[0][2]
            tries = machine.births.tries
            mm.page_table_lock.lock()
            kernel.split_huge_zero_page_pmd(vma, base, pmd)
            held = mm.page_table_lock.test()
            expect(
                held,
                "the page table lock was released; whoever calls this function holds it, and releases it",
            )
            mm.page_table_lock.unlock()
            asked = machine.births.tries - tries
            expect(
                asked == 0,
                f"memory was asked for {asked} times; a split must not need any",
                "pgtable_trans_huge_withdraw(pmd) gives the table that was put aside for this day",
            )
            below = pmd.read()
            expect(
                below is table,
                f"after the split the entry holds {below}; it should hold the table that was put aside, {table}",
            )
            small = [table[i].read() for i in range(PTRS_PER_PTE)]
            wrong = [i for i, each in enumerate(small) if each != zero_pte()]
            expect(
                not wrong,
                f"{len(wrong)} of 512 small entries are not {zero_pte()}: entry {wrong[0] if wrong else 0} is "
                f"{small[wrong[0]] if wrong else None!r}"
                + (", and the huge one was dirty" if entry.dirty else ""),
                "zero_pte() is right for each of them, whatever the huge entry was",
            )
            aside = deposited(mm, base)
            expect(aside is None, f"{aside} is in use now, and still put aside as well")
        rss, ptes = mm.rss.read(), mm.nr_ptes.read()
        expect(
            rss == 0 and ptes == 2,
            f"after two splits RSS is {rss} pages and {ptes} tables are in use; it should be 0 and 2",
        )
        expect_zeroes_untouched(machine)


@check(SPLIT, points=1.5, needs=one_huge_entry_becomes_512_small_ones)
def a_reader_on_another_cpu_sees_zeroes(kernel: Kernel) -> object:
    """While one CPU splits, another one reads: it finds zeroes at every moment, and nothing is lost."""
    splitter = calls("splitter", ("split_huge_pmd", ONE.vma, ONE.pmd, ONE.at))
    reader = calls("reader", ("user_read", ONE.mm, ONE.at + 2 * PAGE_SIZE))
    faults = {"do_anonymous_page": memory.do_anonymous_page}  # an empty entry gets a page, also for a read
    return schedules(
        Kernel({**with_huge_zero(kernel).functions, **faults}),
        [splitter, reader],
        MAPPED,
        at_end=nothing_lost,
        story="the reader finds zeroes",
        hint="the hardware follows an entry the moment that it is there, and knows nothing of locks",
    )
