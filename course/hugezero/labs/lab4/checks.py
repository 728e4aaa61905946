"""The open checks of lab 4: what a student sees while writing."""

from __future__ import annotations

from typing import Any

from ...check.checks import check, expect
from ...check.notebook import INSTEAD, exercise
from ...check.schedules import every_schedule
from ...explore.state import Peek
from ...explore.threads import calls
from ...machine import Kernel
from ...mm.huge_memory import HUGE_ZERO, is_huge_zero_pmd
from ...mm.mm_types import error_code, fault_code
from ...mm.mmap import mm_alloc
from ...mm.page_alloc import Folio
from ...store import in_code
from ..actors import reclaim
from ..answers import program_in
from ..fixtures import expect_fallback, folio_in_use, idle_folio, small
from ..guesses import expect_letter
from ..laws import alive
from . import guesses  # noqa: F401 (its questions are entered)
from .fixtures import (
    MM_GET,
    Room,
    all_hold_once,
    beside,
    expect_forgotten,
    expect_held,
    holder,
    nothing_freed_is_mapped,
    user,
)
from .stand_ins import mm_get_huge_zero_folio, mm_put_huge_zero_folio
from .two_designs import DESIGNS, LEFT, End, how_it_ended

HZ = HUGE_ZERO
ANON, WP, SPLIT = "do_huge_pmd_anonymous_page", "do_huge_pmd_wp_page", "split_huge_zero_page_pmd"
ZAP, COPY = "zap_huge_pmd", "copy_huge_pmd"
MM_PUT, MMPUT = "mm_put_huge_zero_folio", "__mmput"
OUTLIVES = "page_outlives_its_mappings"
ONCE = "an mm has its reference once, however many entries it has; who gives it back, and when?"

INSTEAD["lab4"] = {f.__name__: f for f in (mm_get_huge_zero_folio, mm_put_huge_zero_folio)}

exercise("predict_share_at_72", "Your guess is written down. The next cell counts.", in_kernel=False)
exercise("predict_half_the_work", "Your guess is written down. The next cell measures.", in_kernel=False)
exercise("predict_one_fault_each", "Your guess is written down. The next cell measures.", in_kernel=False)
exercise(
    MM_GET,
    "You now have faults that write to nothing that another mm shares.",
    more=3,
    calls="get_huge_zero_folio put_huge_zero_folio",
)
exercise(
    MM_PUT,
    "You now have a way back for an mm that has taken, and for no other.",
    more=1,
    calls="put_huge_zero_folio",
)
exercise(
    MMPUT,
    "You now have an end of an address space that leaves nothing behind.",
    more=1,
    calls="mm_put_huge_zero_folio split_huge_zero_page_pmd zap_huge_pmd zap_pte_range",
)
exercise(
    ANON,
    "You now have a reference for each mm, and none for an entry.",
    more=1,
    given="b8d35588f820",
    calls="mm_get_huge_zero_folio",
)
exercise(
    COPY,
    "You now have a child that holds by itself what it maps.",
    more=1,
    given="c0aa39f5ad74",
    calls="mm_get_huge_zero_folio",
)
exercise(
    WP,
    "You now have a write that leaves the mm's reference where it is.",
    more=1,
    given="f961756f478e",
    calls="split_huge_zero_page_pmd",
)
exercise(SPLIT, "You now have a split that counts nothing.", more=0.5, given="879de388c6f0")
exercise(ZAP, "You now have an unmap that counts nothing.", more=1, given="9615727cdffc")
exercise(OUTLIVES, "You now know what the flag costs, and how to show it.", more=1, in_kernel=False)


# mm_get_huge_zero_folio


@check(MM_GET, points=1)
def each_mm_takes_one_reference(kernel: Kernel) -> None:
    """An mm that maps the folio for the first time takes a reference, and its flag says so; the next mm does too."""
    with kernel.booted(pages=1024):
        for n in (1, 2):
            mm = mm_alloc()
            folio = kernel.mm_get_huge_zero_folio(mm)
            expect(
                isinstance(folio, Folio) and folio is HZ.folio.read(),
                f"for mm {n} it returned {folio!r}, and HUGE_ZERO.folio holds {HZ.folio.read()!r}; both should be the folio",
                "get_huge_zero_folio(HUGE_ZERO) brings it, or finds it",
            )
            expect(
                mm.huge_zero.test(),
                f"mm {n} has got the folio, and its flag is not set",
                "how is it to know later that it has a reference to give back?",
            )
            expect_held(n, f"after the first fault of mm {n}")
    with kernel.booted(pages=64):
        mm = mm_alloc()
        folio = kernel.mm_get_huge_zero_folio(mm)
        expect(folio is None, f"there was no memory for the folio, and it returned {folio!r}, not None")
        expect(
            not mm.huge_zero.test(),
            "there was no memory for the folio, and the flag of the mm is set all the same",
            "the flag says: this mm has a reference. Has it?",
        )


@check(MM_GET, points=1, needs=each_mm_takes_one_reference)
def later_faults_write_nothing_shared(kernel: Kernel) -> None:
    """Every later fault of the same mm gets the folio, and writes to nothing that another mm shares."""
    with kernel.booted(pages=1024) as machine:
        mm = mm_alloc()
        first = kernel.mm_get_huge_zero_folio(mm)
        assert machine.log is not None
        start = len(machine.log)
        again = kernel.mm_get_huge_zero_folio(mm)
        written = [row for row in machine.log[start:] if row.cell[0] is HZ and row.verb != "read"]
        expect(
            again is first,
            f"the second fault of an mm got {again!r}; it should get the same folio, {first!r}",
        )
        shown = "; ".join(in_code(row.cell, row.verb, row.args) for row in written)
        shown = shown.replace(repr(HZ), "HUGE_ZERO")
        expect(
            not written,
            f"in the second fault of an mm it did {shown}: every other CPU lost the cache line",
            "mm.huge_zero.test() reads the mm's own flag: ask it first",
        )
        expect_held(1, "after two faults of one mm", "how many references does an mm need?")


@check(MM_GET, points=1, needs=later_faults_write_nothing_shared)
def two_threads_take_one_reference(kernel: Kernel) -> object:
    """Two threads of one mm fault at the same moment, and memory is tight: they get the folio, and hold it once."""
    with kernel.booted(pages=64):
        mm = mm_alloc()
    return every_schedule(
        kernel, [user(mm), user(mm), reclaim()], idle_folio(), at_end=all_hold_once(mm), always=alive,
        story="the mm holds the folio once",
        hint="go to the row where the flag is set. Has the mm a reference then? And how many, when both are through?",
    )  # fmt: skip


# mm_put_huge_zero_folio


@check(MM_PUT, points=1)
def only_what_was_taken_is_given_back(kernel: Kernel) -> None:
    """An mm whose flag is set gives one reference back; an mm that never faulted has none to give."""
    with kernel.booted(pages=1024):
        folio_in_use(users=2)
        one, other, never = mm_alloc(), mm_alloc(), mm_alloc()
        one.huge_zero.set()
        other.huge_zero.set()
        kernel.mm_put_huge_zero_folio(never)
        expect_held(
            2,
            "two mms hold the folio, a third that never faulted has ended, and",
            "whose reference was that?",
        )
        kernel.mm_put_huge_zero_folio(one)
        expect_held(1, "one of two mms has ended, and", "who gives back what mm_get_huge_zero_folio took?")
        kernel.mm_put_huge_zero_folio(other)
        expect_held(0, "both mms have ended, and")


# __mmput


@check(MMPUT, points=1)
def first_the_tables_then_the_reference(kernel: Kernel) -> object:
    """With its last user an mm loses all that it maps, and then its reference; no CPU sees a freed page."""
    with beside(kernel, MMPUT).booted(pages=2048) as machine:
        folio_in_use(users=1)
        one, never = holder(), mm_alloc()
        one.remembered(machine, 1)
        cells = small(machine.cells)
        kernel.__mmput(one.mm)
        tables, areas = one.mm.nr_ptes.read(), len(one.mm.mmap)
        expect(
            (tables, areas) == (0, 0),
            f"the last user of an mm has gone; page tables left: {tables}, areas left: {areas}. Both should be 0",
            "exit_mmap(mm) takes everything away that an mm maps",
        )
        expect_held(0, "the only mm that used the folio has ended, and", "mm_put_huge_zero_folio(mm)")
        kernel.__mmput(never)
        expect_held(0, "an mm that never faulted has ended, and")
    return every_schedule(
        beside(kernel, MMPUT), [calls("the last user", (MMPUT, one.mm)), one.reader(1), reclaim()], cells,
        at_end=_ended, always=nothing_freed_is_mapped(one.mm),
        story="no CPU is left with a freed page",
        hint="as long as an entry leads to the folio, somebody may look there: what has to go first?",
    )  # fmt: skip


def _ended(peek: Peek) -> str | None:
    """Nobody holds the folio any more: the mm that did is dead."""
    count, folio = peek((HZ, "refcount")), peek((HZ, "folio"))
    wanted = 0 if folio is None else 1
    if count == wanted:
        return None
    there = "there is no folio" if folio is None else "only the shrinker should hold the folio"
    return f"when all is done {there}, and the count is {count}; it should be {wanted}"


# the places that call


@check(ANON, points=1)
def entries_are_not_counted(kernel: Kernel) -> None:
    """The first huge entry of an mm takes its reference, the second takes none; another mm takes its own."""
    with kernel.booted(pages=2048):
        one, other = Room(), Room()
        for room, n, users in ((one, 0, 1), (one, 1, 1), (other, 0, 2)):
            said = kernel.do_huge_pmd_anonymous_page(room.fault(n))
            entry = room.pmds[n].read()
            expect(
                said == 0 and is_huge_zero_pmd(entry) and entry.folio is HZ.folio.read(),
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
        room = Room()
        said = kernel.do_huge_pmd_anonymous_page(room.fault())
        expect_fallback(said, room.pmds[0], left=64 - machine.vmstat()["nr_free_pages"])


@check(ANON, points=1, needs=entries_are_not_counted)
def the_slower_thread_keeps_the_mms_reference(kernel: Kernel) -> object:
    """Two threads read the same 2 MiB at once: one entry, one table put aside, and the mm's one reference."""
    with kernel.booted(pages=2048) as machine:
        room = Room(1)
        fault, cells = room.fault(), small(machine.cells)

    def at_end(peek: Peek) -> str | None:
        tables = peek((room.mm, "nr_ptes"))
        if tables != 1:
            return f"one huge entry was made, and {tables} page tables are in use; it should be 1"
        count = peek((HZ, "refcount"))
        return None if count == 2 else f"one mm uses the folio, and the count is {count}; it should be 2"

    return every_schedule(
        kernel, [calls("thread", (ANON, small(fault))), calls("thread", (ANON, small(fault)))], cells, at_end=at_end, always=alive,
        story="the mm holds the folio once",
        hint="who was slower made no entry. But whose is the reference, the entry's or the mm's?",
    )  # fmt: skip


@check(COPY, points=1)
def a_child_takes_a_reference_of_its_own(kernel: Kernel) -> None:
    """A child that gets a huge entry of zeroes takes one reference for itself, and its own flag says so."""
    with kernel.booted(pages=2048):
        folio_in_use(users=1)
        parent, child = holder(), Room()
        for n in (0, 1):
            said = kernel.copy_huge_pmd(child.vma, parent.vma, child.pmds[n], parent.pmd)
            entry, right = child.pmds[n].read(), parent.pmd.read()
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


@check(WP, points=1)
def a_write_gives_nothing_back(kernel: Kernel) -> None:
    """A write fault puts a real page in the place of the zeroes; the mm keeps its reference."""
    with beside(kernel, WP).booted(pages=4096) as machine:
        folio_in_use(users=1)
        one = holder()
        one.remembered(machine, 1)
        one.expect_replaced(kernel.do_huge_pmd_wp_page(one.fault(write=True)))
        expect_forgotten(one.mm, "a write")
        expect(one.mm.huge_zero.test(), "after a write the mm's flag is not set any more", ONCE)
        expect_held(1, "the only huge entry of zeroes was replaced, and", ONCE)


@check(SPLIT, points=0.5)
def a_split_gives_nothing_back(kernel: Kernel) -> None:
    """A split maps small zero pages; the mm keeps its reference."""
    with beside(kernel, SPLIT).booted(pages=2048) as machine:
        folio_in_use(users=1)
        one = holder()
        one.remembered(machine, 1)
        kernel.split_huge_zero_page_pmd(one.vma, one.at, one.pmd)
        one.expect_split()
        expect_forgotten(one.mm, "a split")
        expect_held(1, "the only huge entry of zeroes was split, and", ONCE)


@check(ZAP, points=1)
def an_unmap_gives_nothing_back(kernel: Kernel) -> None:
    """An unmap empties the entry and gives back its table; the mm keeps its reference."""
    with beside(kernel, ZAP).booted(pages=2048) as machine:
        folio_in_use(users=1)
        one = holder()
        one.remembered(machine, 1)
        kernel.zap_huge_pmd(one.vma, one.pmd, one.at)
        one.expect_unmapped()
        expect_forgotten(one.mm, "an unmap")
        expect_held(1, "the only huge entry of zeroes was unmapped, and", ONCE)


# what got worse


@check(OUTLIVES, points=1)
def the_scenario_shows_that_the_page_stays(kernel: Kernel) -> str:
    """At its end nobody maps the page; where entries are counted it has gone, and where mms are, it is there."""
    scenario = scenario_of(kernel)
    ends = {name: how_it_ended(design, scenario) for name, design in DESIGNS.items()}
    expect_outlived(ends)
    return "; ".join(f"{name}: {LEFT[end.there]}" for name, end in ends.items())


def scenario_of(kernel: Kernel) -> list[Any]:
    """What the student's function returns, if it is a scenario."""
    example, enough = "Mmap('a', 2 << 20)", "64 MiB are enough"
    return program_in(kernel.page_outlives_its_mappings(), OUTLIVES, example, 64 << 20, enough)


def expect_outlived(ends: dict[str, End]) -> None:
    """Where entries are counted the page has gone in the end, where mms are counted it is there, and nobody maps it."""
    for name, end in ends.items():
        expect(
            not end.maps,
            f"{name}: in the end the page is still mapped, by huge entries: {end.maps}",
            "Munmap, or write over it",
        )
    counted, flag = (next(e for n, e in ends.items() if n.startswith(w)) for w in ("entries", "mms"))
    expect(
        counted.brought,
        "your program never reads the huge zero page: nobody has brought it",
        "Madvise(…, 'hugepage')",
    )
    expect(
        not counted.there,
        "where entries are counted the page is still there in the end as well: so this does not tell the two apart",
        "who takes an idle page away, and only when asked?",
    )
    expect(
        flag.there,
        "where mms are counted the page has gone as well in the end",
        "an mm gives its reference back when its last user goes",
    )


# predictions


@check("predict_share_at_72", points=1)
def a_guess_about_72_cpus(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter("predict_share_at_72", kernel.predict_share_at_72())


@check("predict_half_the_work", points=1)
def a_guess_about_half_the_work(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter("predict_half_the_work", kernel.predict_half_the_work())


@check("predict_one_fault_each", points=1)
def a_guess_about_one_fault_each(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter("predict_one_fault_each", kernel.predict_one_fault_each())
