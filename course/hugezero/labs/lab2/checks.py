"""The open checks of lab 2: what a student sees while writing."""

from __future__ import annotations

from collections.abc import Sequence

from ...check.checks import check, expect, expect_equal
from ...check.notebook import exercise
from ...explore.state import Peek
from ...explore.threads import calls
from ...hw.ram import PAGE_SIZE, PMD_SIZE, PTRS_PER_PTE
from ...machine import Kernel
from ...mm import memory
from ...mm.fault import user_read, user_write
from ...mm.huge_memory import HPAGE_PMD_NR, HUGE_ZERO, TRANSPARENT_HUGEPAGE, mk_huge_zero_pmd, pmd_mkdirty
from ...mm.mm_types import VM_FAULT_FALLBACK, VM_FAULT_OOM, VM_READ, VM_WRITE, fault_code
from ...mm.mmap import dup_mm, madvise_dontneed, mmap, mprotect
from ...mm.page_alloc import folio_get
from ...mm.pgtable import Pmd, PteTable, pmd_offset, walk, zero_pte
from ...store import Done
from ..fixtures import ADVISED, deposited, huge_area, huge_fault, no_memory_next, place_huge
from ..guesses import expect_letter
from ..lab1.fixtures import zeroed_before_mapped
from . import guesses  # noqa: F401 (its questions are entered)
from .fixtures import (
    AT,
    MM,
    PMD,
    VMA,
    ZEROES_2M,
    expect_result,
    expect_unlocked,
    expect_zeroes_untouched,
    fault,
    holds,
    mapped,
    nothing_lost,
    schedules,
    unmapped,
    with_huge_zero,
)

exercise(
    "do_huge_pmd_anonymous_page",
    "You now have reads that fault once for 2 MiB, and a kernel that knows where small pages must do.",
    more=3,
)
exercise(
    "do_huge_pmd_wp_page",
    "You now have a first write that gets 2 MiB of its own, and goes on with 4 KiB where there are none.",
    more=2,
    calls="split_huge_zero_page_pmd",
)
exercise(
    "split_huge_zero_page_pmd",
    "You now have a huge entry that can be taken apart at any time, without any memory.",
    more=2,
)
exercise(
    "copy_huge_pmd",
    "You now have a fork that copies one entry for 2 MiB, and counts what it must.",
    more=1,
    given="c2f8ab11e49e",
)
exercise(
    "zap_huge_pmd",
    "You now have an unmap that gives everything back, what was put aside included.",
    more=1,
    given="3f5653837708",
)
exercise(
    "change_huge_pmd",
    "You now have an mprotect that changes what it was asked to change, and nothing beside it.",
    more=1,
    given="179cfa3b351f",
    calls="split_huge_zero_page_pmd",
)
exercise(
    "predict_faults",
    "Your guess is written down. Your own kernel will tell whether it was right.",
    in_kernel=False,
)
exercise("predict_table_memory", "Your guess is written down. The experiment below tells.", in_kernel=False)
exercise("predict_who_pays", "Your guess is written down. The last experiment tells.", in_kernel=False)

ANON, WP, SPLIT = "do_huge_pmd_anonymous_page", "do_huge_pmd_wp_page", "split_huge_zero_page_pmd"

SHAPE = "prepare before the lock, look under it whether the entry is still what it was, release it on every way, clean up"


# do_huge_pmd_anonymous_page


@check(ANON, points=1)
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


@check(ANON, points=1, needs=a_read_maps_the_huge_zero_page)
def two_cpus_may_fault_at_once(kernel: Kernel) -> object:
    """Two CPUs fault in the same 2 MiB: one entry is made, one table put aside, and what the loser had comes back."""
    for writer in (False, True):
        both = [fault(ANON, False, plenty=True), fault(ANON, writer, plenty=True)]
        found = schedules(
            with_huge_zero(kernel),
            both,
            unmapped(),
            at_end=nothing_lost,
            story="nothing is lost",
            hint=SHAPE,
        )
    return found


# do_huge_pmd_wp_page


@check(WP, points=1)
def a_write_to_huge_zeroes_gets_a_huge_page(kernel: Kernel) -> None:
    """A write to 2 MiB of zeroes gets a zeroed huge page; one that nobody else holds is kept."""
    with with_huge_zero(kernel).booted(pages=4096) as machine:
        mm, at = huge_area(2 * PMD_SIZE)
        folio = place_huge(mm, at, mk_huge_zero_pmd(HUGE_ZERO.folio.read()))
        table, start = deposited(mm, at), len(machine.log or ())
        user_write(mm, at + 2, b"hi")
        entry = walk(mm, at)
        expect(
            isinstance(entry, Pmd) and not entry.special and entry.write and entry.dirty,
            f"after a write the entry is {entry}; it should map a huge page, writable and dirty",
            "map_anon_folio_pmd(folio, vmf.pmd, vma) maps one, once it is cleared",
        )
        expect(entry is not None and entry.folio is not folio, "the huge zero folio itself was made writable")
        seen = user_read(mm, at, 6), user_read(mm, at + PMD_SIZE - 2, 2)
        expect(
            seen == (b"\0\0hi\0\0", b"\0\0"),
            f"after writing b'hi' at byte 2, the 2 MiB begin with {seen[0]!r} and end with {seen[1]!r}",
            "a new folio must be cleared",
        )
        rows = (machine.log or [])[start:]
        expect(
            not any(row.cell == (folio, "data") for row in rows),
            "the bytes of the huge zero folio were read, to be copied",
            "you know what is in it",
        )
        expect(
            zeroed_before_mapped(machine) and not any(_maps_uncleared(rows, n) for n in range(len(rows))),
            "the entry was set before the folio was cleared: another thread could have read what was left in it",
        )
        what, hint = "real memory has taken the place of zeroes, and RSS", "map_anon_folio_pmd counts it"
        expect_equal(what, mm.rss.read(), HPAGE_PMD_NR, hint)
        expect(
            deposited(mm, at) is table,
            f"{deposited(mm, at)} is put aside now; it should still be {table}: the new entry may be split too",
        )
        expect_zeroes_untouched(machine)
        mine = place_huge(mm, at + PMD_SIZE)
        pmd_offset(mm, at + PMD_SIZE).set(Pmd(mine, dirty=True))  # a fork, and the child has gone
        taken = machine.vmstat()["pgalloc_normal"]
        user_write(mm, at + PMD_SIZE, b"!")
        entry, more = walk(mm, at + PMD_SIZE), machine.vmstat()["pgalloc_normal"] - taken
        expect(
            isinstance(entry, Pmd) and entry.folio is mine and entry.write and not more,
            f"nobody else holds {mine}, and after a write the entry is {entry}; it should map {mine}, writable",
            "wp_huge_reuse(vmf) does that, and says whether it did",
        )
        expect_unlocked(mm, WP)


def _maps_uncleared(rows: Sequence[Done], n: int) -> bool:
    """Does row *n* set a huge entry for a folio that has not been cleared in a row before?"""
    row = rows[n]
    if not isinstance(row.new, Pmd) or row.new is row.old or row.new.special:
        return False
    return not any(each.cell == (row.new.folio, "data") and each.verb == "clear" for each in rows[:n])


@check(WP, points=1)
def a_write_goes_on_with_small_pages(kernel: Kernel) -> None:
    """With no huge page to be had, or with one that others hold too, the entry is split and the small fault goes on."""
    with with_huge_zero(kernel).booted(pages=4096) as machine:
        mm, at = huge_area(2 * PMD_SIZE)
        place_huge(mm, at, mk_huge_zero_pmd(HUGE_ZERO.folio.read()))
        table = deposited(mm, at)
        no_memory_next(machine)  # for a huge page; small ones are there
        said = kernel.do_huge_pmd_wp_page(huge_fault(mm, at + PAGE_SIZE, True))
        machine.births.fail = frozenset()
        below = pmd_offset(mm, at).read()
        expect(
            said == VM_FAULT_FALLBACK and said is not None,
            f"there was no huge page, and it returned {fault_code(said)}; it should be VM_FAULT_FALLBACK",
            "who falls back lets the small fault go on: a program must not die of a huge page that it can do without",
        )
        expect(
            below is table,
            f"there was no huge page, and the entry holds {below}; it should be split, into {table}",
            "split_huge_pmd(vma, vmf.pmd, vmf.address) takes the lock itself",
        )
        splits, fallbacks = (machine.vmstat()[name] for name in ("thp_split_pmd", "thp_fault_fallback"))
        expect_equal("thp_split_pmd", splits, 1)
        what, hint = "there was no huge page, and thp_fault_fallback", "VMSTAT.thp_fault_fallback.inc()"
        expect_equal(what, fallbacks, 1, hint)
        expect_unlocked(mm, WP, "after a split")
        user_write(mm, at + PAGE_SIZE, b"x")
        seen, rss = user_read(mm, at + PAGE_SIZE, 2), mm.rss.read()
        expect(
            seen == b"x\0" and rss == 1, f"then b'x' was written, and it reads {seen!r}, with an RSS of {rss}"
        )
        expect_zeroes_untouched(machine)
        folio = place_huge(mm, at + PMD_SIZE)
        folio_get(folio)  # somebody else, after a fork
        pmd = pmd_offset(mm, at + PMD_SIZE)
        pmd.set(Pmd(folio, dirty=True))
        taken = machine.vmstat()["pgalloc_normal"]
        said = kernel.do_huge_pmd_wp_page(huge_fault(mm, at + PMD_SIZE, True))
        entry, more = walk(mm, at + PMD_SIZE), machine.vmstat()["pgalloc_normal"] - taken
        expect(
            said == VM_FAULT_FALLBACK and isinstance(pmd.read(), PteTable),
            f"somebody else holds the huge page too; it returned {fault_code(said)}, and the entry holds {pmd.read()}. "
            "It should be split, and VM_FAULT_FALLBACK",
            "then do_wp_page copies the one small page that is written to, as in lab 1",
        )
        expect(
            entry is not None and not entry.write and more == 0,
            f"after the split of a shared huge page the small entry is {entry}, and {more} frames were taken; "
            "it should be read-only, and none",
        )
        expect_unlocked(mm, WP, "after a split")


@check(WP, points=1, needs=a_write_to_huge_zeroes_gets_a_huge_page)
def two_cpus_may_write_at_once(kernel: Kernel) -> object:
    """Two CPUs write to the same 2 MiB of zeroes: both bytes are there afterwards, and nothing is lost."""
    kernel = with_huge_zero(kernel)
    entry = mk_huge_zero_pmd(ZEROES_2M)
    schedules(kernel, [fault(WP, True, entry)] * 2, mapped(), at_end=nothing_lost, may_fail=True, hint=SHAPE)
    writers = [calls("writer", ("write", MM, AT + n * PAGE_SIZE, bytes([7 + n]))) for n in (0, 1)]

    def at_end(peek: Peek) -> str | None:
        lost = nothing_lost(peek)
        for n in (0, 1):
            byte = holds(peek, n)
            if byte != 7 + n:
                return f"CPU {n} wrote {7 + n} to page {n}, and when both have ended it holds {byte}"
        return lost

    return schedules(
        kernel, writers, mapped(), at_end=at_end, story="no byte that was written is lost", hint=SHAPE
    )


# split_huge_zero_page_pmd


@check(SPLIT, points=1)
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


@check(SPLIT, points=1, needs=one_huge_entry_becomes_512_small_ones)
def a_reader_on_another_cpu_sees_zeroes(kernel: Kernel) -> object:
    """While one CPU splits, another one reads: it finds zeroes at every moment, and nothing is lost."""
    splitter = calls("splitter", ("split_huge_pmd", VMA, PMD, AT))
    reader = calls("reader", ("user_read", MM, AT + 2 * PAGE_SIZE))
    faults = {"do_anonymous_page": memory.do_anonymous_page}  # an empty entry gets a page, also for a read
    return schedules(
        Kernel({**with_huge_zero(kernel).functions, **faults}),
        [splitter, reader],
        mapped(),
        at_end=nothing_lost,
        story="the reader finds zeroes",
        hint="the hardware follows an entry the moment that it is there, and knows nothing of locks",
    )


# the repairs


@check("copy_huge_pmd", points=1)
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


@check("zap_huge_pmd", points=1)
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
        expect_unlocked(mm, "zap_huge_pmd")


@check("change_huge_pmd", points=1)
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
            expect_unlocked(mm, "change_huge_pmd")
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


# the predictions


@check("predict_faults", points=1)
def a_guess_about_faults_is_written_down(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter("predict_faults", kernel.predict_faults())


@check("predict_table_memory", points=1)
def a_guess_about_tables_is_written_down(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter("predict_table_memory", kernel.predict_table_memory())


@check("predict_who_pays", points=1)
def a_guess_about_the_bill_is_written_down(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter("predict_who_pays", kernel.predict_who_pays())
