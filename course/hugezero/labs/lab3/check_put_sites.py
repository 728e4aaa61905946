"""The open checks of lab 3: where huge entries are made and go, references are taken and given back."""

from __future__ import annotations

from ...check.checks import check, expect
from ...check.notebook import exercise
from ...check.schedules import every_schedule
from ...explore.state import Peek
from ...explore.threads import Thread, calls
from ...hw.ram import PAGE_SIZE
from ...machine import Kernel
from ...mm.huge_memory import HUGE_ZERO, is_huge_zero_pmd, mk_huge_pmd, pmd_mkwrite
from ...mm.mm_types import VM_FAULT_FALLBACK, error_code, fault_code
from ...mm.page_alloc import HPAGE_PMD_ORDER, alloc_folio
from ...store import Cell
from ..actors import reclaim
from ..fixtures import expect_fallback, folio_in_use, no_memory_next, place_huge, small
from ..laws import one_table, settled
from ..locked_kernel import beside
from ..process import Process, expect_count, one_maps_it

ANON, WP, SPLIT = "do_huge_pmd_anonymous_page", "do_huge_pmd_wp_page", "split_huge_zero_page_pmd"
ZAP, COPY = "zap_huge_pmd", "copy_huge_pmd"

exercise(
    ANON,
    "You now have a reference for each huge entry, and none for one that was not made.",
    more=1,
    untried="threads that write, unmap and find no memory, beside the shrinker, and whole programs",
    given="83406eee74cf",
    calls="get_huge_zero_folio put_huge_zero_folio",
)
exercise(
    WP,
    "You now have a write that gives back what the read took.",
    more=0.5,
    untried="writes beside readers, unmaps, other writes and the shrinker, and whole programs",
    given="6f83eecc4b6a",
    calls="put_huge_zero_folio split_huge_zero_page_pmd",
)
exercise(
    SPLIT,
    "You now have a split that leaves nobody counted who is not there.",
    more=0.5,
    untried="splits beside readers, writes, other splits and the shrinker, and whole programs",
    given="9a22c36fce4d",
    calls="put_huge_zero_folio",
)
exercise(
    ZAP,
    "You now have an unmap that lets go when no CPU can look any more, and not before.",
    more=1,
    untried="unmaps beside faults, forks, exits and the shrinker, and what is left when all have ended",
    given="90152f375fa0",
    calls="put_huge_zero_folio",
)
exercise(
    COPY,
    "You now have a child that holds what it maps.",
    more=0.25,
    untried="whole programs that fork, with memory that runs out",
    given="8b089fc2efe3",
    calls="get_huge_zero_folio put_huge_zero_folio",
)

GIVES_BACK = "who gives back what the read fault took?"
FLUSH = "a CPU remembers where an address led until flush_pmd_tlb_range has told it to forget: what must wait for that?"


@check(ANON, points=1.5)
def each_huge_entry_holds_a_reference(kernel: Kernel) -> None:
    """A read fault takes one reference for its entry; one that finds no huge page leaves nothing behind."""
    with beside(kernel, ANON).booted(pages=2048):
        for n, one in enumerate((Process(mapped=False), Process(mapped=False)), 1):
            said = kernel.do_huge_pmd_anonymous_page(one.fault())
            entry = one.pmd.read()
            expect(
                said == 0 and is_huge_zero_pmd(entry) and entry.folio is HUGE_ZERO.folio.read(),
                f"reader {n} of 2 MiB: it returned {fault_code(said)}, and the entry is {entry}; it should map the huge zero page",
                "nothing is set aside at boot any more: who brings the folio?",
            )
            expect_count(n + 1, f"with {n} huge entr{'y' if n == 1 else 'ies'}", "an entry, and the shrinker")
    with beside(kernel, ANON).booted(pages=64) as machine:
        one = Process(mapped=False)
        said = kernel.do_huge_pmd_anonymous_page(one.fault())
        expect_fallback(said, one.pmd, left=64 - machine.vmstat()["nr_free_pages"])
    with beside(kernel, ANON).booted(pages=2048):
        folio_in_use(users=0)
        kernel.do_huge_pmd_anonymous_page(Process(mapped=False).fault(write=True))
        expect_count(1, "a write got a huge page of its own, and", "whose entry maps the zeroes?")
        narrow = Process(mapped=False, length=2 * PAGE_SIZE)
        said = kernel.do_huge_pmd_anonymous_page(narrow.fault())
        expect(
            said == VM_FAULT_FALLBACK,
            f"2 MiB do not fit in an area of 8 KiB, and it returned {fault_code(said)}; it should be VM_FAULT_FALLBACK",
        )
        expect_count(1, "2 MiB do not fit in an area of 8 KiB, and", "whose entry maps the zeroes?")


@check(ANON, points=1.5, needs=each_huge_entry_holds_a_reference)
def two_threads_fault_the_same_memory(kernel: Kernel) -> object:
    """Two threads read the same 2 MiB at once: one entry, one reference, one page table put aside."""
    with kernel.booted(pages=2048) as machine:
        one = Process(mapped=False)
        reader, cells = calls("reader", (ANON, one.fault())), small(machine.cells)

    def at_end(peek: Peek) -> str | None:
        return one_table(peek, one.mm) or settled(peek, users=1)

    return every_schedule(
        beside(kernel, ANON), [reader, reader], cells, at_end=at_end, story="nothing is counted twice",
        hint="the slower one took a reference as well: for which entry?",
    )  # fmt: skip


def _beside_a_reader(kernel: Kernel, thread: Thread, one: Process, cells: dict[Cell, object]) -> object:
    """*thread*, which takes the entry of *one* away, beside a CPU that reads there and the shrinker."""
    return every_schedule(
        kernel, [thread, one.reader(1), reclaim()], cells, at_end=settled,
        story="no CPU is left with a freed page", hint=FLUSH,
    )  # fmt: skip


@check(WP, points=1.5)
def a_write_gives_the_reference_back(kernel: Kernel) -> object:
    """A write fault puts a real page in the place of the zeroes; then nobody can see those, and their reference goes."""
    kernel = beside(kernel, WP)
    with one_maps_it(kernel) as (one, _, cells):
        fault = one.fault(write=True)
        one.expect_replaced(kernel.do_huge_pmd_wp_page(fault))
        expect_count(1, "the only huge entry was replaced, and", GIVES_BACK)
    writer = calls("writer", (WP, small(fault)))
    every_schedule(
        kernel, [writer, writer], cells, at_end=settled,
        hint="two threads wrote at once, and one entry was replaced: how many references were its?",
    )  # fmt: skip
    return _beside_a_reader(kernel, writer, one, cells)


@check(SPLIT, points=1.5)
def a_split_gives_the_reference_back(kernel: Kernel) -> object:
    """A split maps small zero pages; the huge one is not mapped any more, and its reference goes."""
    kernel = beside(kernel, SPLIT)
    with one_maps_it(kernel) as (one, _, cells):
        kernel.split_huge_zero_page_pmd(one.vma, one.at, one.pmd)
        one.expect_split()
        expect_count(1, "the only huge entry was split, and", GIVES_BACK)
    return _beside_a_reader(kernel, calls("splitter", (SPLIT, one.vma, one.at, one.pmd)), one, cells)


@check(ZAP, points=2)
def an_unmap_gives_the_reference_back(kernel: Kernel) -> object:
    """An unmap gives back the table and the reference, when no CPU can read there any more."""
    kernel = beside(kernel, ZAP)
    with one_maps_it(kernel) as (one, machine, cells):
        kernel.zap_huge_pmd(one.vma, one.pmd, one.at)
        one.expect_unmapped()
        expect_count(1, "the only huge entry was unmapped, and", GIVES_BACK)
        other = Process(mapped=False)
        folio = place_huge(other.mm, other.at)
        kernel.zap_huge_pmd(other.vma, other.pmd, other.at)
        other.expect_unmapped()
        expect_count(
            1, "an ordinary huge page was unmapped, and", "which entries hold a reference on the zeroes?"
        )
        gone = machine.peek((folio, "state")) == "free"
        expect(gone, "an ordinary huge page was unmapped, and nobody has freed it", "folio_put(folio)")
    return _beside_a_reader(kernel, calls("unmapper", (ZAP, one.vma, one.pmd, one.at)), one, cells)


@check(COPY, points=0.75)
def a_child_takes_a_reference_of_its_own(kernel: Kernel) -> None:
    """A forked child's huge entry holds a reference of its own; a fork that finds no memory takes none."""
    with beside(kernel, COPY).booted(pages=2048) as machine:
        folio = folio_in_use(users=1)
        parent, child = Process(), Process(mapped=False)
        no_memory_next(machine)
        said = kernel.copy_huge_pmd(child.vma, parent.vma, child.pmd, parent.pmd)
        expect(
            said,
            f"there was no memory for the child's page table, and it returned {error_code(said)}; it should be ENOMEM",
        )
        expect_count(2, "a fork found no memory, and")
        said = kernel.copy_huge_pmd(child.vma, parent.vma, child.pmd, parent.pmd)
        entry = child.pmd.read()
        expect(
            said == 0 and is_huge_zero_pmd(entry) and entry.folio is folio,
            f"after a fork it returned {error_code(said)}, and the child's entry is {entry}; it should map the huge zero page",
        )
        rss, tables = child.mm.rss.read(), child.mm.nr_ptes.read()
        expect(
            (rss, tables) == (0, 1),
            f"the child's RSS is {rss} and it has {tables} page tables; it should be 0 and 1",
        )
        expect_count(3, "parent and child map the folio, and", "two entries, and the shrinker")
        own = alloc_folio(HPAGE_PMD_ORDER)
        assert own is not None
        parent, child = Process(), Process(mapped=False)
        parent.pmd.set(pmd_mkwrite(mk_huge_pmd(own)))
        kernel.copy_huge_pmd(child.vma, parent.vma, child.pmd, parent.pmd)
        expect_count(3, "a huge page of the parent's own was copied, and", "whose is that reference?")
