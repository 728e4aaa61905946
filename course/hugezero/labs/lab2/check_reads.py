"""The open checks of lab 2: faults on memory that nobody has touched."""

from __future__ import annotations

from ...check.checks import check, expect, expect_equal
from ...check.notebook import exercise
from ...hw.ram import PAGE_SIZE, PMD_SIZE
from ...machine import Kernel
from ...mm.fault import user_read, user_write
from ...mm.huge_memory import HPAGE_PMD_NR, HUGE_ZERO, TRANSPARENT_HUGEPAGE, mk_huge_zero_pmd
from ...mm.mm_types import VM_FAULT_FALLBACK, VM_FAULT_OOM, fault_code
from ...mm.mmap import mmap
from ...mm.pgtable import Pmd, PteTable, pmd_offset, walk
from ..fixtures import ADVISED, deposited, huge_area, huge_fault, no_memory_next
from .fixtures import (
    SHAPE,
    UNMAPPED,
    expect_result,
    expect_unlocked,
    expect_zeroes_untouched,
    fault,
    nothing_lost,
    schedules,
    with_huge_zero,
)

ANON = "do_huge_pmd_anonymous_page"

exercise(
    ANON,
    "You now have reads that fault once for 2 MiB, and a kernel that knows where small pages must do.",
    more=1.5,
    untried="areas of any size and place, memory that runs out at any point, and an unmap in between",
)


@check(ANON, points=1.5)
def a_read_maps_the_huge_zero_page(kernel: Kernel) -> None:
    """One read maps 2 MiB of zeroes, counted by nobody, with a page table put aside for a split."""
    with with_huge_zero(kernel).booted(pages=4096) as machine:
        mm, at = huge_area(2 * PMD_SIZE)
        taken = machine.vmstat()["pgalloc_normal"]
        user_read(mm, at + 5 * PAGE_SIZE)
        folio, entry = HUGE_ZERO.folio.read(), walk(mm, at)
        expect(
            isinstance(entry, Pmd) and entry.folio is folio,
            f"after a read the entry is {entry}; it should map the huge zero folio, {folio}",
            "HUGE_ZERO.folio.read() gives it",
        )
        expect(
            entry == mk_huge_zero_pmd(folio),
            f"the entry is {entry}; it should be {mk_huge_zero_pmd(folio)}: read-only, and special",
            "mk_huge_zero_pmd(folio) makes one",
        )
        for page in (0, 7, 511, 512):
            user_read(mm, at + page * PAGE_SIZE)
        faults, other = mm.min_flt.read(), walk(mm, at + PMD_SIZE)
        expect(faults == 2, f"reading all over 4 MiB took {faults} faults; it should be one for each 2 MiB")
        expect(other == entry, f"the second 2 MiB are mapped by {other}; it should be the same as the first")
        for where in (at, at + PMD_SIZE):
            table = deposited(mm, where)
            expect(
                isinstance(table, PteTable) and machine.peek((table.body, "state")) == "live",
                f"{table} is put aside for the entry at {where:#x}; it should be a page table",
                "pte_alloc_one(mm) makes one, pgtable_trans_huge_deposit(vmf.pmd, table) puts it aside",
            )
        more, rss = machine.vmstat()["pgalloc_normal"] - taken, mm.rss.read()
        expect(more == 2, f"two huge entries took {more} frames; it should be 2, for the tables put aside")
        expect(rss == 0, f"RSS is {rss} pages after reads; it should be 0: no real memory is used")
        expect_zeroes_untouched(machine)
        expect(
            mm.mmap[0][2].anon_vma,
            "the area has no anon_vma, so that fork would not copy its huge entries",
            "anon_vma_prepare(vma)",
        )
        expect_unlocked(mm, ANON)


@check(ANON, points=1)
def a_write_gets_a_huge_page(kernel: Kernel) -> None:
    """A write gets a huge page of its own; so does a read where use_zero_page is off."""
    with with_huge_zero(kernel).booted(pages=4096) as machine:
        mm, at = huge_area(2 * PMD_SIZE)
        user_write(mm, at + 5, b"x")
        entry, faults = walk(mm, at), mm.min_flt.read()
        expect(
            isinstance(entry, Pmd) and entry.write and not entry.special and faults == 1,
            f"after a write the entry is {entry}, and there were {faults} faults; it should map a huge page of its "
            "own, writable, after one fault",
            "__do_huge_pmd_anonymous_page(vmf) does all of that, and tells what to return",
        )
        expect_equal("after a write RSS", mm.rss.read(), HPAGE_PMD_NR)
        seen = user_read(mm, at, 8)
        expect(seen == b"\0\0\0\0\0x\0\0", f"after writing b'x' at byte 5 the page begins with {seen!r}")
        expect(mm.mmap[0][2].anon_vma, "the area has no anon_vma: fork would lose its huge page")
        TRANSPARENT_HUGEPAGE.use_zero_page.clear()
        user_read(mm, at + PMD_SIZE)
        entry = walk(mm, at + PMD_SIZE)
        expect(
            isinstance(entry, Pmd) and not entry.special,
            f"use_zero_page is off, and a read mapped {entry}; it should map a huge page of its own",
            "transparent_hugepage_use_zero_page() tells whether a read may be given zeroes",
        )
        expect_equal("with two huge pages RSS", mm.rss.read(), 2 * HPAGE_PMD_NR)
        expect_zeroes_untouched(machine)
        expect_unlocked(mm, ANON)


@check(ANON, points=1)
def small_pages_where_2_mib_cannot_be(kernel: Kernel) -> None:
    """Where 2 MiB do not fit, were not asked for, or cannot be had, it falls back and leaves nothing behind."""
    with with_huge_zero(kernel).booted(pages=4096) as machine:
        mm, at = huge_area()
        ragged = mmap(mm, 2 * PMD_SIZE, ADVISED, at=at + PMD_SIZE + PAGE_SIZE)
        plain, no_end = mmap(mm, PMD_SIZE), mmap(mm, PMD_SIZE - PAGE_SIZE, ADVISED)
        for address, why in (
            (ragged, "of which the first page is not in the area"),
            (ragged + 2 * PMD_SIZE - PAGE_SIZE, "of which only the first page is in the area"),
            (no_end, "of which the last page is not in the area"),
            (plain + 3 * PAGE_SIZE, "whose area was never advised to use huge pages"),
        ):
            said = kernel.do_huge_pmd_anonymous_page(huge_fault(mm, address))
            expect(
                said == VM_FAULT_FALLBACK and said is not None,
                f"a read in 2 MiB {why} returned {fault_code(said)}; it should be VM_FAULT_FALLBACK",
                "thp_vma_suitable(vma, haddr_of(vmf.address)) tells whether a huge entry may be there",
            )
            left = walk(mm, address)
            expect(left is None, f"a read in 2 MiB {why} left {left} there; it should have left it empty")
        no_memory_next(machine)
        said = kernel.do_huge_pmd_anonymous_page(huge_fault(mm, at))
        expect_result(
            said,
            (VM_FAULT_OOM, VM_FAULT_FALLBACK),
            ANON,
            "there was no memory for a page table, so it should be VM_FAULT_OOM",
        )
        left, ptes = pmd_offset(mm, at).read(), mm.nr_ptes.read()
        expect(
            left is None and ptes == 0,
            f"there was no memory for a page table, and the entry is {left}, with {ptes} tables in use",
        )
        expect_unlocked(mm, ANON, "without a page table")
    with with_huge_zero(kernel).booted(pages=64) as machine:  # too little memory for a huge zero folio
        mm, at = huge_area()
        for write in (False, True):
            what = f"a {'write' if write else 'read'} with no huge page to be had"
            said = kernel.do_huge_pmd_anonymous_page(huge_fault(mm, at, write))
            expect(
                said == VM_FAULT_FALLBACK,
                f"{what} returned {fault_code(said)}; it should be VM_FAULT_FALLBACK",
            )
            left, ptes = pmd_offset(mm, at).read(), mm.nr_ptes.read()
            expect(
                left is None and ptes == 0,
                f"{what} left {left} in the entry, and {ptes} page tables in use; it should leave nothing",
            )
            expect_unlocked(mm, ANON, "to small pages")
            counted = machine.vmstat()["thp_fault_fallback"]
            hint = "VMSTAT.thp_fault_fallback.inc(): __do_huge_pmd_anonymous_page does it for its own part"
            expect_equal(f"after {what}, thp_fault_fallback", counted, 1 + write, hint)


@check(ANON, points=2, needs=a_read_maps_the_huge_zero_page)
def two_cpus_may_fault_at_once(kernel: Kernel) -> object:
    """Two CPUs fault in the same 2 MiB: one entry is made, one table put aside, and what the loser had comes back."""
    for writer in (False, True):
        both = [fault(ANON, each, UNMAPPED, plenty=True) for each in (False, writer)]
        found = schedules(
            with_huge_zero(kernel),
            both,
            UNMAPPED,
            at_end=nothing_lost,
            story="nothing is lost",
            hint=SHAPE,
        )
    return found
