"""The open checks of lab 4: the places that make huge entries and take them away, and count none of them."""

from __future__ import annotations

from ...check.checks import check, expect
from ...check.notebook import exercise
from ...check.schedules import every_schedule
from ...explore.state import Peek
from ...explore.threads import calls
from ...hw.ram import PMD_SIZE
from ...machine import Kernel
from ...mm.huge_memory import HUGE_ZERO as HZ
from ...mm.mm_types import error_code, fault_code
from ...mm.pgtable import Pmd, pmd_offset, walk
from ..fixtures import expect_fallback, folio_in_use, small
from ..laws import alive, counted, one_table
from ..process import Process, one_maps_it
from .fixtures import beside, expect_forgotten, expect_held

ANON, WP, SPLIT = "do_huge_pmd_anonymous_page", "do_huge_pmd_wp_page", "split_huge_zero_page_pmd"
ZAP, COPY = "zap_huge_pmd", "copy_huge_pmd"
ONCE = "an mm has its reference once, however many entries it has; who gives it back, and when?"

exercise(
    ANON,
    "You now have a reference for each mm, and none for an entry.",
    more=0.5,
    untried="threads that write, unmap, end and find no memory, beside the shrinker, and whole programs",
    given="b8d35588f820",
    calls="mm_get_huge_zero_folio",
)
exercise(
    COPY,
    "You now have a child that holds by itself what it maps.",
    more=0.5,
    untried="forks beside exits and the shrinker",
    given="c0aa39f5ad74",
    calls="mm_get_huge_zero_folio",
)
exercise(
    WP,
    "You now have a write that leaves the mm's reference where it is.",
    more=0.5,
    untried="writes beside readers, unmaps, other writes and the shrinker, and whole programs",
    given="f961756f478e",
    calls="split_huge_zero_page_pmd",
)
exercise(
    SPLIT,
    "You now have a split that counts nothing.",
    more=0.25,
    untried="splits beside readers, unmaps, other splits and the shrinker, and whole programs",
    given="879de388c6f0",
)
exercise(
    ZAP,
    "You now have an unmap that counts nothing.",
    more=0.5,
    untried="unmaps, also of a page of one's own, beside readers, exits and the shrinker",
    given="9615727cdffc",
)


def _unread() -> Process:
    """A process with 4 MiB that may use huge pages; it has touched none of it."""
    return Process(mapped=False, length=2 * PMD_SIZE)


@check(ANON, points=1)
def entries_are_not_counted(kernel: Kernel) -> None:
    """The first huge entry of an mm takes its reference, the second takes none; another mm takes its own."""
    with kernel.booted(pages=2048):
        one, other = _unread(), _unread()
        for room, n, users in ((one, 0, 1), (one, 1, 1), (other, 0, 2)):
            said = kernel.do_huge_pmd_anonymous_page(room.fault(n))
            entry = walk(room.mm, room.at + n * PMD_SIZE)
            expect(
                said == 0 and isinstance(entry, Pmd) and entry.special and entry.folio is HZ.folio.read(),
                f"a read of 2 MiB returned {fault_code(said)}, and the entry is {entry}; it should map the huge zero page",
            )
            whose = "the other mm" if room is other else "the mm"
            expect_held(users, f"after {'the second' if n else 'the first'} huge entry of {whose}", ONCE)
            expect(
                room.mm.huge_zero.test(),
                f"{whose} maps the folio, and its flag is not set",
                "mm_get_huge_zero_folio takes the reference, and sets it",
            )
    with kernel.booted(pages=64) as machine:
        room = _unread()
        said = kernel.do_huge_pmd_anonymous_page(room.fault())
        expect_fallback(said, room.pmd, left=64 - machine.vmstat()["nr_free_pages"])


@check(ANON, points=1.5, needs=entries_are_not_counted)
def the_slower_thread_keeps_the_mms_reference(kernel: Kernel) -> object:
    """Two threads read the same 2 MiB at once: one entry, one table put aside, and the mm's one reference."""
    with kernel.booted(pages=2048) as machine:
        room = Process(mapped=False)
        thread, cells = calls("thread", (ANON, room.fault())), small(machine.cells)

    def at_end(peek: Peek) -> str | None:
        told = "one mm uses the folio, and the count is {count}; it should be {wanted}"
        return one_table(peek, room.mm) or counted(peek, 1, told)

    return every_schedule(
        kernel, [thread, thread], cells, at_end=at_end, always=alive,
        story="the mm holds the folio once",
        hint="who was slower made no entry. But whose is the reference, the entry's or the mm's?",
    )  # fmt: skip


@check(COPY, points=1.5)
def a_child_takes_a_reference_of_its_own(kernel: Kernel) -> None:
    """A child that gets a huge entry of zeroes takes one reference for itself, and its own flag says so."""
    with kernel.booted(pages=2048):
        folio_in_use(users=1)
        parent, child = Process(holds=True), _unread()
        for n in (0, 1):
            pmd = pmd_offset(child.mm, child.at + n * PMD_SIZE)
            said = kernel.copy_huge_pmd(child.vma, parent.vma, pmd, parent.pmd)
            entry, right = pmd.read(), parent.pmd.read()
            expect(
                said == 0 and entry == right,
                f"it returned {error_code(said)}, and the child's entry is {entry}; it should be 0, and {right}",
            )
            times = "one entry was copied" if n == 0 else "two entries were copied"
            expect(
                child.mm.huge_zero.test(),
                f"{times}, and the child's flag is not set: when it ends, it gives nothing back",
                "the flag of the parent says nothing about the child",
            )
            expect_held(
                2, f"{times}, and", "the parent will end one day. Who holds the folio for the child then?"
            )


@check(WP, points=1.5)
def a_write_gives_nothing_back(kernel: Kernel) -> None:
    """A write fault puts a real page in the place of the zeroes; the mm keeps its reference."""
    with one_maps_it(beside(kernel, WP), holds=True) as (one, _, _):
        one.expect_replaced(kernel.do_huge_pmd_wp_page(one.fault(write=True)))
        expect_forgotten(one.mm, "a write")
        expect(one.mm.huge_zero.test(), "after a write the mm's flag is not set any more", ONCE)
        expect_held(1, "the only huge entry of zeroes was replaced, and", ONCE)


@check(SPLIT, points=0.75)
def a_split_gives_nothing_back(kernel: Kernel) -> None:
    """A split maps small zero pages; the mm keeps its reference."""
    with one_maps_it(beside(kernel, SPLIT), holds=True) as (one, _, _):
        kernel.split_huge_zero_page_pmd(one.vma, one.at, one.pmd)
        one.expect_split()
        expect_forgotten(one.mm, "a split")
        expect_held(1, "the only huge entry of zeroes was split, and", ONCE)


@check(ZAP, points=1.5)
def an_unmap_gives_nothing_back(kernel: Kernel) -> None:
    """An unmap empties the entry and gives back its table; the mm keeps its reference."""
    with one_maps_it(beside(kernel, ZAP), holds=True) as (one, _, _):
        kernel.zap_huge_pmd(one.vma, one.pmd, one.at)
        one.expect_unmapped()
        expect_forgotten(one.mm, "an unmap")
        expect_held(1, "the only huge entry of zeroes was unmapped, and", ONCE)
