"""The open checks of lab 2: the repairs, and three guesses."""

from __future__ import annotations

from ...check.checks import check, expect, expect_equal
from ...check.notebook import exercise
from ...hw.ram import PAGE_SIZE, PMD_SIZE
from ...machine import Kernel
from ...mm.huge_memory import HPAGE_PMD_NR, HUGE_ZERO, mk_huge_zero_pmd
from ...mm.mm_types import VM_READ, VM_WRITE
from ...mm.mmap import dup_mm, madvise_dontneed, mprotect
from ...mm.pgtable import Pmd, PteTable, pmd_offset, walk
from ..fixtures import deposited, huge_area, place_huge
from ..guesses import expect_letter
from .fixtures import (
    expect_unlocked,
    expect_zeroes_untouched,
    with_huge_zero,
)

COPY = "copy_huge_pmd"
ZAP = "zap_huge_pmd"
CHANGE = "change_huge_pmd"
FAULTS = "predict_faults"
TABLE_MEMORY = "predict_table_memory"
WHO_PAYS = "predict_who_pays"

exercise(
    COPY,
    "You now have a fork that copies one entry for 2 MiB, and counts what it must.",
    more=0.5,
    untried="whole programs that fork, with memory that runs out",
    given="c2f8ab11e49e",
)
exercise(
    ZAP,
    "You now have an unmap that gives everything back, what was put aside included.",
    more=0.5,
    untried="whole programs that unmap parts of areas, and end",
    given="3f5653837708",
)
exercise(
    CHANGE,
    "You now have an mprotect that changes what it was asked to change, and nothing beside it.",
    more=0.5,
    untried="ranges that begin and end anywhere",
    given="179cfa3b351f",
    calls="split_huge_zero_page_pmd",
)
exercise(
    FAULTS,
    "Your guess is written down. Your own kernel will tell whether it was right.",
    in_kernel=False,
)
exercise(TABLE_MEMORY, "Your guess is written down. The experiment below tells.", in_kernel=False)
exercise(WHO_PAYS, "Your guess is written down. The last experiment tells.", in_kernel=False)


@check(COPY, points=1.5)
def fork_copies_one_entry_for_2_mib(kernel: Kernel) -> None:
    """A forked child gets each huge entry and a table put aside; folios are counted, the huge zero page is not."""
    with with_huge_zero(kernel).booted(pages=8192) as machine:
        mm, at = huge_area(2 * PMD_SIZE)
        place_huge(mm, at, mk_huge_zero_pmd(HUGE_ZERO.folio.read()))
        folio = place_huge(mm, at + PMD_SIZE)
        taken = machine.vmstat()["pgalloc_normal"]
        child = dup_mm(mm)
        more = machine.vmstat()["pgalloc_normal"] - taken
        expect(
            more == 2, f"fork took {more} frames for two huge entries; it should be 2, for tables put aside"
        )
        zeroes, shared = walk(child, at), walk(child, at + PMD_SIZE)
        expect(
            zeroes == walk(mm, at) and isinstance(shared, Pmd) and shared.folio is folio,
            f"the child's entries are {zeroes} and {shared}; it should map the huge zero folio and {folio}",
        )
        for who, space in (("child", child), ("parent", mm)):
            expect(
                isinstance(deposited(space, at), PteTable)
                and isinstance(deposited(space, at + PMD_SIZE), PteTable),
                f"the {who} has no table put aside for each of its huge entries",
            )
            entry = walk(space, at + PMD_SIZE)
            expect(
                entry is not None and not entry.write,
                f"after fork the {who} may still write to the shared huge page",
            )
        count = machine.peek((folio, "refcount"))
        expect(count == 2, f"the count of the shared huge page is {count}; it should be 2: parent and child")
        what = "the child has one huge page, and zeroes, which nobody counts: its RSS"
        expect_equal(what, child.rss.read(), HPAGE_PMD_NR)
        expect_zeroes_untouched(machine)
        expect_equal("the RSS of a child of the child", dup_mm(child).rss.read(), HPAGE_PMD_NR)


@check(ZAP, points=1.5)
def unmapping_2_mib_gives_everything_back(kernel: Kernel) -> None:
    """Unmapping gives back a huge page, its RSS and the table put aside, and leaves the huge zero page alone."""
    with with_huge_zero(kernel).booted(pages=8192) as machine:
        mm, at = huge_area(2 * PMD_SIZE)
        place_huge(mm, at, mk_huge_zero_pmd(HUGE_ZERO.folio.read()))
        place_huge(mm, at + PMD_SIZE)
        madvise_dontneed(mm, at, 2 * PMD_SIZE)
        for base in (at, at + PMD_SIZE):
            left = walk(mm, base)
            expect(left is None, f"2 MiB were unmapped, and their entry is still {left}")
        expect_zeroes_untouched(machine)
        expect_equal("when everything is unmapped RSS", mm.rss.read(), 0)
        ptes = machine.vmstat()["nr_page_table_pages"]
        hint = "each huge entry has a table put aside for it, whatever it maps"
        expect_equal("when everything is unmapped the number of page tables in use", ptes, 0, hint)
        aside = [deposited(mm, base) for base in (at, at + PMD_SIZE)]
        expect(aside == [None, None], f"{aside} are still put aside for entries that are gone")
        lost = 8192 - HPAGE_PMD_NR - machine.vmstat()["nr_free_pages"]
        expect(lost == 0, f"{lost} pages did not come back")
        expect_unlocked(mm, ZAP)


@check(CHANGE, points=1.5)
def mprotect_changes_what_it_was_asked_to(kernel: Kernel) -> None:
    """The whole of 2 MiB stays one entry; a part of it is split off, and the rest keeps its rights."""
    page, end = PAGE_SIZE, PMD_SIZE
    with with_huge_zero(kernel).booted(pages=8192) as machine:
        for start, stop, where in (
            (0, end, "all of"),
            (0, page, "the first page of"),
            (end - page, end, "the last page of"),
            (3 * page, 5 * page, "two pages in"),
        ):
            mm, at = huge_area()
            place_huge(mm, at)
            mprotect(mm, at + start, stop - start, VM_READ)
            whole = (start, stop) == (0, end)
            below = pmd_offset(mm, at).read()
            expect(
                isinstance(below, Pmd if whole else PteTable),
                f"mprotect of {where} 2 MiB left {below}; it should {'stay one entry' if whole else 'be split'}",
                "a range is the whole only if it begins where the 2 MiB begin, and ends where they end",
            )
            for n in {0, 3, 4, 5, 511}:
                entry = walk(mm, at + n * page)
                wanted = not start <= n * page < stop
                expect(
                    entry is not None and entry.write == wanted,
                    f"mprotect of {where} 2 MiB to read-only: the entry of page {n} is {entry}; it should be "
                    + ("writable, as before" if wanted else "read-only"),
                )
            expect_unlocked(mm, CHANGE)
        mm, at = huge_area()
        entry = mk_huge_zero_pmd(HUGE_ZERO.folio.read())
        place_huge(mm, at, entry)
        for flags in (VM_READ, VM_READ | VM_WRITE):
            mprotect(mm, at, end, flags)
            expect(
                walk(mm, at) == entry,
                f"after mprotect of 2 MiB of zeroes the entry is {walk(mm, at)}; it should still be {entry}: "
                "rights that grow come with the next fault",
            )
        expect_zeroes_untouched(machine)


@check(FAULTS, points=1)
def a_guess_about_faults_is_written_down(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter(kernel, FAULTS)


@check(TABLE_MEMORY, points=1)
def a_guess_about_tables_is_written_down(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter(kernel, TABLE_MEMORY)


@check(WHO_PAYS, points=1)
def a_guess_about_the_bill_is_written_down(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter(kernel, WHO_PAYS)
