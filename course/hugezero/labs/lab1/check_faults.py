"""The open checks of lab 1: a read and a write of memory that nobody has touched, and of memory that several share."""

from __future__ import annotations

from ...check.checks import check, expect, expect_equal
from ...check.notebook import exercise
from ...hw.ram import PAGE_SIZE
from ...machine import Kernel
from ...mm.fault import user_read, user_write
from ...mm.mmap import mmap
from ...mm.page_alloc import ZERO_PAGE, folio_get
from ...mm.pgtable import Pte, mk_pte, walk, zero_pte
from .fixtures import area, expect_out_of_memory, own_page, place, zeroed_before_mapped

ANON = "do_anonymous_page"
WP = "do_wp_page"

exercise(
    ANON,
    "You now have reads that cost no memory, whoever does them and however many.",
    more=1,
    untried="whole programs, forks among them, and memory that runs out at any point",
)
exercise(
    WP,
    "You now have copy on write: pages are shared until somebody writes, and not longer.",
    more=1,
    untried="programs of several processes, and memory that runs out at any point",
)


@check(ANON, points=1)
def a_read_maps_the_zero_page(kernel: Kernel) -> None:
    """A read of memory that nobody wrote maps the zero page and takes no frame."""
    with kernel.booted(pages=64) as machine:
        mm, at = area(2)
        user_read(mm, at)
        taken = machine.vmstat()["pgalloc_normal"]
        user_read(mm, at + PAGE_SIZE)
        entry = walk(mm, at)
        expect(
            entry is not None and entry.folio is ZERO_PAGE,
            f"after a read the entry is {entry}; it should map the zero page, {ZERO_PAGE}",
            "which folio is there from boot, full of zeroes?",
        )
        expect(
            entry == zero_pte(),
            f"the entry for the zero page is {entry}; it should be {zero_pte()}: read-only, and special",
            "zero_pte() makes one",
        )
        more = machine.vmstat()["pgalloc_normal"] - taken
        expect(
            more == 0,
            f"a second page was only read, and {more} more frame was taken",
            "a read needs no frame",
        )


@check(ANON, points=1, needs=a_read_maps_the_zero_page)
def a_read_is_counted_by_nobody(kernel: Kernel) -> None:
    """A mapping of the zero page moves neither RSS nor a count, and gives fork nothing to copy."""
    with kernel.booted(pages=64) as machine:
        mm, at = area(1)
        user_read(mm, at)
        expect_equal("after a read of the zero page RSS", mm.rss.read(), 0, "no real memory is used")
        count = machine.peek((ZERO_PAGE, "refcount"))
        expect(
            count == 1, f"the zero page's count is {count}; it should still be 1: nobody counts its mappings"
        )
        expect(
            not mm.mmap[0][2].anon_vma,
            "after a read the area has an anon_vma, so that fork would copy its tables; it should have none",
            "who needs an anon_vma: an area that holds a page of its own",
        )


@check(ANON, points=2)
def a_write_gets_a_zeroed_folio(kernel: Kernel) -> None:
    """A write to memory that nobody wrote gets a folio of its own, full of zeroes, and RSS grows by one."""
    with kernel.booted(pages=64) as machine:
        mm, at = area(1)
        user_write(mm, at + 5, b"x")
        seen = user_read(mm, at, 8)
        expect(
            seen == b"\0\0\0\0\0x\0\0",
            f"after writing b'x' at byte 5 the page begins with {seen!r}; all else should be zeroes",
            "a new folio holds what its last owner left in it (0xcc here)",
        )
        expect_equal("after the first write RSS", mm.rss.read(), 1)
        expect(
            mm.mmap[0][2].anon_vma,
            "the area holds a page of its own now, but has no anon_vma: fork would not copy its tables",
            "anon_vma_prepare(vma)",
        )
        entry, faults = walk(mm, at), mm.min_flt.read()
        expect(
            isinstance(entry, Pte) and entry.write and faults == 1,
            f"after the write the entry is {entry}, and there were {faults} faults; it should be writable after one",
            "pte_mkwrite(entry) does not change entry: it gives another one",
        )
        expect(
            isinstance(entry, Pte) and entry.dirty,
            f"after the write the entry is {entry}; it should be dirty: the page has been written to",
            "pte_mkdirty(entry) gives an entry that says so",
        )
        expect(
            zeroed_before_mapped(machine),
            "the entry was set before the folio was cleared: another thread could have read what was left in it",
        )
        machine.births.fail = frozenset([machine.births.tries])
        expect_out_of_memory(mm, mmap(mm, PAGE_SIZE, at=at + PAGE_SIZE), ANON)
        expect_equal("after a write that found no memory RSS", mm.rss.read(), 1)


@check(WP, points=1)
def a_write_to_the_zero_page_copies_nothing(kernel: Kernel) -> None:
    """A write to a page of zeroes gets a zeroed folio; not one byte is copied."""
    with kernel.booted(pages=64) as machine:
        mm, at = area(1)
        place(mm, at, zero_pte())
        start = len(machine.log or ())
        user_write(mm, at + 2, b"hi")
        seen = user_read(mm, at, 6)
        expect(
            seen == b"\0\0hi\0\0",
            f"after writing b'hi' at byte 2 of a page of zeroes it begins with {seen!r}",
            "a new folio must be cleared",
        )
        expect_equal("a real page has taken the place of the zero page, and RSS", mm.rss.read(), 1)
        rows = (machine.log or [])[start:]
        copied = any(row.cell == (ZERO_PAGE, "data") for row in rows)
        expect(not copied, "the bytes of the zero page were read, to be copied", "you know what is in it")
        expect(
            mm.mmap[0][2].anon_vma,
            "the area holds a page of its own now, but has no anon_vma",
            "the read before this write made none: see do_anonymous_page",
        )


@check(WP, points=2)
def a_write_to_a_shared_page_copies_it(kernel: Kernel) -> None:
    """A write to a page that somebody else holds too goes to a copy, and the other one sees nothing."""
    with kernel.booted(pages=64) as machine:
        mm, at = area(1)
        folio = own_page(mm, at, b"old")
        folio_get(folio)  # the other one
        start = len(machine.log or ())
        user_write(mm, at, b"new")
        rows = (machine.log or [])[start:]
        other, seen = folio.data.load(0, 3), user_read(mm, at, 3)
        expect(
            other == b"old", f"the other holder of the page sees {other!r} now; it should still see b'old'"
        )
        expect(seen == b"new", f"after the write the page begins with {seen!r}; it should be b'new'")
        user_write(mm, at + 4, b"!")
        last = user_read(mm, at + 100, 1)
        expect(
            last != b"\xcc", "the rest of the page was not copied: it holds what the last owner left (0xcc)"
        )
        count, hint = machine.peek((folio, "refcount")), "who gives back the reference to the old folio?"
        expect_equal("this side holds its copy now, and the shared folio's count", count, 1, hint)
        rss = mm.rss.read()
        expect(rss == 1, f"RSS is {rss} pages; it should still be 1: one page was exchanged for another")
        mapped = next(
            (n for n, row in enumerate(rows) if isinstance(row.new, Pte) and row.new.folio is not folio), 0
        )
        given_back = next(
            (n for n, row in enumerate(rows) if row.cell == (folio, "refcount") and row.new == 1), len(rows)
        )
        expect(
            mapped < given_back,
            "the old folio was given back while the entry still mapped it",
            "in which order must those two happen?",
        )


@check(WP, points=1)
def a_sole_owner_keeps_its_page(kernel: Kernel) -> None:
    """A page that nobody else holds any more is made writable where it is; without memory, a write fails."""
    with kernel.booted(pages=64) as machine:
        mm, at = area(2)
        folio = own_page(mm, at, b"mine")
        taken = machine.vmstat()["pgalloc_normal"]
        user_write(mm, at, b"M")
        more = machine.vmstat()["pgalloc_normal"] - taken
        expect(
            more == 0, f"nobody else held the page, and still {more} frame was taken", "folio.refcount.read()"
        )
        expect_equal("the beginning of the page", user_read(mm, at, 4), b"Mine")
        place(mm, at + PAGE_SIZE, zero_pte())
        machine.births.fail = frozenset([machine.births.tries])
        expect_out_of_memory(mm, at + PAGE_SIZE, WP)
        folio_get(folio)  # somebody else holds it now
        place(mm, at, mk_pte(folio))
        machine.births.fail = frozenset([machine.births.tries])
        expect_out_of_memory(mm, at, WP)
        what, count = "a copy found no memory, and the count of the page", machine.peek((folio, "refcount"))
        expect_equal(what, count, 2, "nothing has changed: the old page is still mapped here")
