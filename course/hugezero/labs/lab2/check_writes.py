"""The open checks of lab 2: writes to 2 MiB that several share, or that are zeroes."""

from __future__ import annotations

from collections.abc import Sequence

from ...check.checks import check, expect, expect_equal
from ...check.notebook import exercise
from ...explore.state import Peek
from ...explore.threads import calls
from ...hw.ram import PAGE_SIZE, PMD_SIZE
from ...machine import Kernel
from ...mm.fault import user_read, user_write
from ...mm.huge_memory import HPAGE_PMD_NR, HUGE_ZERO, mk_huge_zero_pmd
from ...mm.mm_types import VM_FAULT_FALLBACK, fault_code
from ...mm.page_alloc import folio_get
from ...mm.pgtable import Pmd, PteTable, pmd_offset, walk
from ...store import Done
from ..fixtures import deposited, huge_area, huge_fault, no_memory_next, place_huge
from ..lab1.fixtures import zeroed_before_mapped
from .fixtures import (
    MAPPED,
    ONE,
    SHAPE,
    expect_unlocked,
    expect_zeroes_untouched,
    fault,
    holds,
    nothing_lost,
    schedules,
    with_huge_zero,
)

WP = "do_huge_pmd_wp_page"

exercise(
    WP,
    "You now have a first write that gets 2 MiB of its own, and goes on with 4 KiB where there are none.",
    more=1,
    untried="programs of several processes, memory that runs out, and a split or an unmap in between",
    calls="split_huge_zero_page_pmd",
)


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


@check(WP, points=2, needs=a_write_to_huge_zeroes_gets_a_huge_page)
def two_cpus_may_write_at_once(kernel: Kernel) -> object:
    """Two CPUs write to the same 2 MiB of zeroes: both bytes are there afterwards, and nothing is lost."""
    kernel = with_huge_zero(kernel)
    schedules(kernel, [fault(WP, True, MAPPED)] * 2, MAPPED, at_end=nothing_lost, may_fail=True, hint=SHAPE)
    writers = [calls("writer", ("write", ONE.mm, ONE.at + n * PAGE_SIZE, bytes([7 + n]))) for n in (0, 1)]

    def at_end(peek: Peek) -> str | None:
        lost = nothing_lost(peek)
        for n in (0, 1):
            byte = holds(peek, n)
            if byte != 7 + n:
                return f"CPU {n} wrote {7 + n} to page {n}, and when both have ended it holds {byte}"
        return lost

    return schedules(
        kernel, writers, MAPPED, at_end=at_end, story="no byte that was written is lost", hint=SHAPE
    )
