"""The open checks of lab 1: the repairs, a guess, and a kernel to break."""

from __future__ import annotations

from ...check.checks import Failed, check, expect, expect_equal
from ...check.notebook import exercise
from ...hw.ram import PAGE_SIZE
from ...machine import Kernel
from ...mm.fault import user_write
from ...mm.mmap import dup_mm, madvise_dontneed, mmput
from ...mm.page_alloc import ZERO_PAGE
from ...mm.pgtable import walk, zero_pte
from ...scenario import NotAScenario, Read, Simulated, in_words, simulate
from ...scenario.compare import bytes_in_words
from ..answers import program_in
from ..guesses import expect_letter
from .broken import trusting_kernel
from .fixtures import area, place

COPY = "copy_pte_range"
ZAP = "zap_pte_range"
FORK_FAULTS = "predict_fork_faults"
WRONG_BYTES = "wrong_bytes"

exercise(
    COPY,
    "You now have a fork that copies entries and not bytes.",
    more=0.5,
    untried="whole programs that fork, children of children among them",
    given="bf4ed8723abf",
)
exercise(
    ZAP,
    "You now have an unmap that gives back what was counted, and no more.",
    more=0.5,
    untried="whole programs that unmap parts of areas, and end",
    given="6a1f866df671",
)
exercise(
    FORK_FAULTS,
    "Your guess is written down. The experiment below tells whether it was right.",
    in_kernel=False,
)
exercise(
    WRONG_BYTES,
    "You now know why a page may be written to only when nobody else can see it.",
    in_kernel=False,
)


@check(COPY, points=1.5)
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


@check(ZAP, points=1.5)
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


@check(FORK_FAULTS, points=1)
def a_guess_is_written_down(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter(kernel, FORK_FAULTS)


@check(WRONG_BYTES, points=1)
def the_scenario_shows_wrong_bytes(kernel: Kernel) -> None:
    """Your program reads bytes that it must never see on the kernel whose do_wp_page trusts the dirty bit."""
    example, enough = "Mmap('a', 4096)", "64 KiB are enough"
    scenario = program_in(kernel.wrong_bytes(), WRONG_BYTES, example, largest=1 << 16, enough=enough)
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
