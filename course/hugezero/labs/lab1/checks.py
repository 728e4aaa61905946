"""The open checks of lab 1: what a student sees while writing."""

from __future__ import annotations

from ...check.checks import Failed, check, expect, expect_equal
from ...check.notebook import exercise
from ...hw.ram import PAGE_SIZE
from ...machine import Kernel
from ...mm.fault import user_read, user_write
from ...mm.mm_types import EIO, error_code
from ...mm.mmap import dup_mm, madvise_dontneed, mmap, mmput
from ...mm.page_alloc import ZERO_PAGE, alloc_folio, folio_get
from ...mm.pgtable import Pte, mk_pte, walk, zero_pte
from ...scenario import NotAScenario, Read, Simulated, in_words, simulate
from ...scenario.compare import bytes_in_words
from ..answers import program_in
from ..guesses import expect_letter
from . import guesses  # noqa: F401 (its questions are entered)
from .broken import trusting_kernel
from .fixtures import area, expect_out_of_memory, expect_zeroed, place, zero, zeroed_before_mapped

exercise(
    "do_anonymous_page",
    "You now have reads that cost no memory, whoever does them and however many.",
    more=2,
)
exercise(
    "do_wp_page",
    "You now have copy on write: pages are shared until somebody writes, and not longer.",
    more=2,
)
exercise(
    "blkdev_issue_zero_pages",
    "You now have a kernel that zeroes any disk out of one page of memory.",
    more=2,
)
exercise(
    "copy_pte_range",
    "You now have a fork that copies entries and not bytes.",
    more=1,
    given="bf4ed8723abf",
)
exercise(
    "zap_pte_range",
    "You now have an unmap that gives back what was counted, and no more.",
    more=1,
    given="6a1f866df671",
)
exercise(
    "predict_fork_faults",
    "Your guess is written down. The experiment below tells whether it was right.",
    in_kernel=False,
)
exercise(
    "wrong_bytes",
    "You now know why a page may be written to only when nobody else can see it.",
    in_kernel=False,
)


# do_anonymous_page


@check("do_anonymous_page", points=1)
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


@check("do_anonymous_page", points=1, needs=a_read_maps_the_zero_page)
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


@check("do_anonymous_page", points=1)
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
        expect_out_of_memory(mm, mmap(mm, PAGE_SIZE, at=at + PAGE_SIZE), "do_anonymous_page")
        expect_equal("after a write that found no memory RSS", mm.rss.read(), 1)


# do_wp_page


@check("do_wp_page", points=1)
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


@check("do_wp_page", points=1)
def a_write_to_a_shared_page_copies_it(kernel: Kernel) -> None:
    """A write to a page that somebody else holds too goes to a copy, and the other one sees nothing."""
    with kernel.booted(pages=64) as machine:
        mm, at = area(1)
        folio = alloc_folio()
        assert folio is not None
        folio.data.clear()
        folio.data.store(0, b"old")
        folio_get(folio)  # the other one
        mm.rss.inc()
        place(mm, at, mk_pte(folio))
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


@check("do_wp_page", points=1)
def a_sole_owner_keeps_its_page(kernel: Kernel) -> None:
    """A page that nobody else holds any more is made writable where it is; without memory, a write fails."""
    with kernel.booted(pages=64) as machine:
        mm, at = area(2)
        folio = alloc_folio()
        assert folio is not None
        folio.data.clear()
        folio.data.store(0, b"mine")
        mm.rss.inc()
        place(mm, at, mk_pte(folio))
        taken = machine.vmstat()["pgalloc_normal"]
        user_write(mm, at, b"M")
        more = machine.vmstat()["pgalloc_normal"] - taken
        expect(
            more == 0, f"nobody else held the page, and still {more} frame was taken", "folio.refcount.read()"
        )
        expect_equal("the beginning of the page", user_read(mm, at, 4), b"Mine")
        place(mm, at + PAGE_SIZE, zero_pte())
        machine.births.fail = frozenset([machine.births.tries])
        expect_out_of_memory(mm, at + PAGE_SIZE, "do_wp_page")
        folio_get(folio)  # somebody else holds it now
        place(mm, at, mk_pte(folio))
        machine.births.fail = frozenset([machine.births.tries])
        expect_out_of_memory(mm, at, "do_wp_page")
        what, count = "a copy found no memory, and the count of the page", machine.peek((folio, "refcount"))
        expect_equal(what, count, 2, "nothing has changed: the old page is still mapped here")


# blkdev_issue_zero_pages


@check("blkdev_issue_zero_pages", points=1)
def the_sectors_read_as_zeroes(kernel: Kernel) -> None:
    """The sectors asked for read as zeroes, the ones beside them are as before, and no frame is taken."""
    with kernel.booted(pages=64) as machine:
        for sector, nr in ((0, 8), (3, 5), (1, 16), (2, 9)):
            disk = machine.disk(64)
            zero(kernel, disk, sector, nr)
            expect_zeroed(disk, sector, nr)
        taken = machine.vmstat()["pgalloc_normal"]
        expect(taken == 0, f"{taken} frames were taken; there is a page of zeroes already: {ZERO_PAGE}")


@check("blkdev_issue_zero_pages", points=1, needs=the_sectors_read_as_zeroes)
def a_bio_is_filled_before_it_is_sent(kernel: Kernel) -> None:
    """2 MiB take 512 pieces in 2 bios; a disk that zeroes by itself is asked to, and sent no bio."""
    with kernel.booted(pages=64) as machine:
        disk = machine.disk(8192)
        zero(kernel, disk, 0, 4096)
        bios, vecs = disk.bios.read(), disk.vecs.read()
        expect(
            (bios, vecs) == (2, 512),
            f"2 MiB took {vecs} pieces in {bios} bios; it should be 512 pieces in 2",
            "bio_add_folio says False when a bio is full: when is it time to submit it?",
        )
        expect_zeroed(disk, 0, 4096)
        error = kernel.blkdev_issue_zero_pages(disk, 8184, 16)
        expect(
            error == EIO,
            f"8 of 16 sectors lie behind the end of the disk: it returned {error_code(error)}, not EIO",
        )
        able = machine.disk(8192, max_write_zeroes_sectors=1024)
        zero(kernel, able, 0, 2560)
        bios, zeroings = able.bios.read(), able.zeroings.read()
        expect(
            (bios, zeroings) == (0, 3),
            f"a disk that zeroes 1,024 sectors at a time was sent {zeroings} such commands and {bios} bios for "
            "2,560 sectors; it should be 3 and none",
            "a disk that can zero needs no bio at all",
        )
        expect_zeroed(able, 0, 2560)


# the repairs


@check("copy_pte_range", points=1)
def fork_shares_pages_and_counts_each_holder(kernel: Kernel) -> None:
    """A forked child shares every page; RSS grows for folios and not for the zero page."""
    with kernel.booted(pages=64) as machine:
        mm, at = area(3)
        user_write(mm, at, b"one")
        place(mm, at + PAGE_SIZE, zero_pte())
        taken = machine.vmstat()["pgalloc_normal"]
        child = dup_mm(mm)
        more = machine.vmstat()["pgalloc_normal"] - taken
        expect(more == 1, f"fork took {more} frames; it should be 1, for the child's page table")
        pages = [walk(child, at + i * PAGE_SIZE) for i in range(3)]
        expect(
            pages[0] is not None and pages[1] == zero_pte() and pages[2] is None,
            f"the child's entries are {pages}; it should have a folio, the zero page, and None",
        )
        folio = pages[0].folio  # type: ignore[union-attr]
        count = machine.peek((folio, "refcount"))
        expect(count == 2, f"the shared folio's count is {count}; it should be 2: parent and child")
        count = machine.peek((ZERO_PAGE, "refcount"))
        expect(
            count == 1,
            f"after a fork the zero page's count is {count}; it should still be 1: nobody counts it",
        )
        for who, entry in (("child", walk(child, at)), ("parent", walk(mm, at))):
            expect(
                entry is not None and not entry.write,
                f"after fork the {who} may still write to the shared page",
            )
        rss = child.rss.read()
        expect(
            rss == 1,
            f"the child's RSS is {rss} pages; it should be 1: one folio, and a zero page, which nobody counts",
            "which line is reached for a folio, and for the zero page?",
        )
        expect_equal("the RSS of a child of the child", dup_mm(child).rss.read(), 1)


@check("zap_pte_range", points=1)
def unmapping_gives_back_what_was_counted(kernel: Kernel) -> None:
    """Unmapping gives back each folio and its RSS, and leaves the zero page alone."""
    with kernel.booted(pages=64) as machine:
        mm, at = area(3)
        place(mm, at, zero_pte())
        user_write(mm, at + PAGE_SIZE, b"one")
        madvise_dontneed(mm, at, 3 * PAGE_SIZE)
        left = [str(walk(mm, at + i * PAGE_SIZE)) for i in range(3)]
        expect(
            left == ["None"] * 3, f"after everything was unmapped the entries are {', '.join(left)}, not None"
        )
        mmput(mm)
        count = machine.peek((ZERO_PAGE, "refcount"))
        expect_equal("nobody took a reference, and after an unmap the zero page's count", count, 1)
        expect_equal("when everything is unmapped RSS", mm.rss.read(), 0)
        free = machine.vmstat()["nr_free_pages"]
        expect(free == 64, f"{64 - free} of 64 pages did not come back")


# a prediction


@check("predict_fork_faults", points=1)
def a_guess_is_written_down(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter("predict_fork_faults", kernel.predict_fork_faults())


# one to break


@check("wrong_bytes", points=1)
def the_scenario_shows_wrong_bytes(kernel: Kernel) -> None:
    """Your program reads bytes that it must never see on the kernel whose do_wp_page trusts the dirty bit."""
    name, example, enough = "wrong_bytes", "Mmap('a', 4096)", "64 KiB are enough"
    scenario = program_in(kernel.wrong_bytes(), name, example, largest=1 << 16, enough=enough)
    expect(any(isinstance(action, Read) for action in scenario), "your program reads nothing", "Read('data')")
    try:
        right = [each.seen for each in simulate(scenario, Kernel(), pages=4096)]
        wrong = [each.seen for each in Simulated(trusting_kernel(), pages=4096).run(scenario)]
    except NotAScenario as error:
        raise Failed(str(error)) from None
    differ = [in_words(a) for a, r, w in zip(scenario, right, wrong, strict=True) if r != w]
    expect(
        differ,
        f"on both kernels your program reads {'; '.join(bytes_in_words(each) for each in right if each)}",
        "two processes must share a page that one of them has written to before: how does that come about? "
        "And which of them must read at the end?",
    )
