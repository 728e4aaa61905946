"""The hidden checks of lab 3. They never enter a notebook: only the judge reads this file."""

from __future__ import annotations

from functools import cache

from hugezero.check.checks import check, expect
from hugezero.check.schedules import Explored, every_schedule
from hugezero.explore.state import Peek
from hugezero.explore.threads import calls
from hugezero.hw.ram import PAGE_SIZE
from hugezero.labs.actors import shrinker, user
from hugezero.labs.lab3 import checks as open_checks
from hugezero.labs.laws import alive, at_rest
from hugezero.machine import Kernel
from hugezero.mm.huge_memory import HUGE_ZERO
from hugezero.mm.page_alloc import Folio
from hugezero.mm.vmstat import VMSTAT
from hugezero.scenario import Action, DropCaches, Exit, Fork, Madvise, Mmap, Munmap, Read, Write

from .. import families
from ..explorations import PMD, Town, memory_is_tight
from ..failing import survives
from ..families import all_look_alike
from ..programs import AMPLE, FRAMES, SCARCE, all_comes_back, look_alike, programs_look_alike
from .programs import PROGRAMS

GET, PUT, SCAN = open_checks.GET, open_checks.PUT, open_checks.SCAN
ANON, WP, SPLIT, ZAP = open_checks.ANON, open_checks.WP, open_checks.SPLIT, open_checks.ZAP
COPY = open_checks.COPY
REFERENCE = PROGRAMS.reference


# get, put and scan alone


def _explored(kernel: Kernel, users: int, shrinkers: int, may_fail: bool = False) -> Explored:
    threads = [user(may_fail)] * users + [shrinker()] * shrinkers
    return every_schedule(kernel, threads, at_end=at_rest, always=alive, may_fail=may_fail)


def _memory_runs_out(kernel: Kernel) -> None:
    """One allocation fails, at each point in turn: nobody sees a wrong byte, and all memory comes back.

    Which allocations there are, and what a fault does without them, is left to whoever wrote it.
    """
    program: list[Action] = [
        Mmap("a", 3 * PMD),
        Madvise("a", "hugepage"),
        Read("a", 0, 2 * PMD, PMD),
        Write("a", 2 * PMD, b"w"),
        Fork("child"),
        Read("a", 2 * PMD, by="child"),
        Write("a", 8, b"x", by="child"),
        Read("a", by="child"),
        Munmap("a", PMD, PAGE_SIZE),
        Read("a", PMD + PAGE_SIZE, 2 * PAGE_SIZE),
        Exit("child"),
        Read("a"),
        Exit(),
        DropCaches(),
    ]
    survives(kernel, PROGRAMS, program, AMPLE)


def _one_after_the_other(kernel: Kernel) -> None:
    """Programs that read zeroes and end: the folio stays for the next one, until memory is asked for."""
    for dropped in (False, True):
        program: list[Action] = []
        for n in range(3):
            me = f"p{n}"
            program += [
                Fork(me),
                Mmap(me, PMD, by=me),
                Madvise(me, "hugepage", by=me),
                Read(me, by=me),
                Exit(me),
            ]
            program += [DropCaches()] if dropped else []
        look_alike(kernel, REFERENCE, program, pages=AMPLE, log=False)


def _another_needs_the_memory(kernel: Kernel) -> None:
    """Two huge frames, and one of them holds the zeroes: a program that needs both can have both, once nobody reads those."""
    for gone in ([Munmap("a")], []):
        program: list[Action] = [
            Mmap("a", PMD),
            Madvise("a", "hugepage"),
            Read("a"),
            *gone,
            Mmap("b", 2 * PMD),
            Madvise("b", "hugepage"),
            Write("b", 0, b"x"),
            Write("b", PMD, b"y"),
            Munmap("b"),
            Mmap("c", PMD),
            Madvise("c", "hugepage"),
            Read("c"),
        ]
        look_alike(kernel, REFERENCE, program, pages=SCARCE, log=False)


@check(GET, points=1, needs=open_checks.no_schedule_gives_a_reader_a_freed_folio)
def three_users_and_the_shrinker_get_along(kernel: Kernel) -> object:
    """Three users and the shrinker, in every order: nobody loses a folio, or reads one that was freed."""
    _explored(kernel, 2, 2)
    return _explored(kernel, 3, 1)


def _a_folio(value: object) -> str:
    return "a folio" if isinstance(value, Folio) else repr(value)


@check(GET, points=1, needs=open_checks.two_first_readers_share_one_folio)
def there_may_be_no_huge_page(kernel: Kernel) -> object:
    """Where an allocation finds no memory, that user is told so, and nobody else is disturbed."""
    with kernel.booted(pages=FRAMES) as machine:  # too few for a huge one
        got = kernel.get_huge_zero_folio(HUGE_ZERO)
        expect(got is None, f"there was no memory, and it returned {_a_folio(got)}; it should return None")
        folio, count = HUGE_ZERO.folio.read(), HUGE_ZERO.refcount.read()
        expect(
            (folio, count) == (None, 0),
            f"there was no memory; hz.folio is {_a_folio(folio)} and the count is {count}; they should be None and 0",
        )
        counted = machine.vmstat()["thp_zero_page_alloc"]
        expect(
            counted == 0, f"there was no memory, and thp_zero_page_alloc counts {counted} that were brought"
        )
    _explored(kernel, 2, 1, may_fail=True)
    return _explored(kernel, 3, 0, may_fail=True)


@check(GET, points=1, needs=open_checks.two_first_readers_share_one_folio)
def no_program_can_tell_it_from_linux(kernel: Kernel) -> None:
    """No program sees anything else than on the reference, and each folio that is brought is counted once."""
    _one_after_the_other(kernel)
    _another_needs_the_memory(kernel)
    _memory_runs_out(kernel)
    programs_look_alike(kernel, PROGRAMS)
    _counted_once(kernel)


def _counted_once(kernel: Kernel) -> None:
    """Of two that bring a folio at once, only one keeps it: that one is counted."""

    def at_end(peek: Peek) -> str | None:
        counted = peek((VMSTAT, "thp_zero_page_alloc"))
        failed = peek((VMSTAT, "thp_zero_page_alloc_failed"))
        wrong = f"one folio is there, and thp_zero_page_alloc says that {counted} were brought"
        if counted == 1 and failed:
            wrong = f"no allocation failed, and thp_zero_page_alloc_failed says that {failed} did"
        return at_rest(peek) or (None if (counted, failed) == (1, 0) else wrong)

    every_schedule(kernel, [user(), user()], at_end=at_end, always=alive)


@check(PUT, points=1, needs=open_checks.a_reference_is_given_back)
def users_come_and_go(kernel: Kernel) -> object:
    """Three users and the shrinker, in every order: the folio stays while somebody uses it, and for the next one."""
    _one_after_the_other(kernel)
    _explored(kernel, 2, 2)
    return _explored(kernel, 3, 1)


@check(SCAN, points=1, needs=open_checks.no_schedule_frees_a_folio_in_use)
def two_shrinkers_free_it_once(kernel: Kernel) -> object:
    """Two shrinkers, or one and three users, in every order: the folio is freed once, and never while it is used."""
    _explored(kernel, 2, 2)
    return _explored(kernel, 3, 1)


@check(SCAN, points=1, needs=open_checks.an_idle_folio_goes_and_a_busy_one_stays)
def memory_comes_back_when_somebody_needs_it(kernel: Kernel) -> None:
    """Whoever needs a huge page gets the one of the zeroes if nobody reads it; no program sees a difference."""
    _another_needs_the_memory(kernel)
    _one_after_the_other(kernel)
    programs_look_alike(kernel, PROGRAMS)


# the put sites, in whole paths


@cache
def _town(*mapped: bool) -> Town:
    return Town(REFERENCE, *mapped)


@check(ANON, points=1, needs=open_checks.two_threads_fault_the_same_memory)
def faults_beside_everything_else(kernel: Kernel) -> object:
    """Threads that fault, write, unmap, and find no memory, beside the shrinker: every reference belongs to an entry."""
    town = _town(False)
    one = town.programs[0]
    fault = ("fault", one.mm, one.at)
    town.explored(kernel, [calls("reader", fault), calls("writer", (*fault, True)), memory_is_tight()])
    unmap = ("madvise_dontneed", one.mm, one.at, PMD)
    town.explored(kernel, [calls("reader", fault), calls("unmapper", fault, unmap), memory_is_tight()])
    alone = calls("reader", (ANON, town.huge_fault(0)))
    town.explored(kernel, [alone, alone, memory_is_tight()], may_fail=True)
    both = _town(False, False)
    one, other = both.programs
    lives = [
        calls("program", ("fault", each.mm, each.at), ("madvise_dontneed", each.mm, each.at, PMD))
        for each in (one, other)
    ]
    never = calls("exit", ("mmput", other.mm))  # it has never read a byte, and holds nothing
    both.explored(kernel, [lives[0], never, memory_is_tight()])
    return both.explored(kernel, [*lives, memory_is_tight()])


@check(ANON, points=1, needs=open_checks.each_huge_entry_holds_a_reference)
def no_program_can_tell_huge_faults_from_linux(kernel: Kernel) -> None:
    """No program sees anything else than on the reference, also where memory runs out."""
    _memory_runs_out(kernel)
    _another_needs_the_memory(kernel)
    all_look_alike(kernel, PROGRAMS, families.reads())
    programs_look_alike(kernel, PROGRAMS)


@check(WP, points=1, needs=open_checks.a_write_gives_the_reference_back)
def writes_beside_everything_else(kernel: Kernel) -> object:
    """Writes beside readers, unmaps, other writes and the shrinker, with and without memory; no program sees a difference."""
    town = _town(True)
    one = town.programs[0]
    write, unmap = ("fault", one.mm, one.at + PAGE_SIZE, True), ("madvise_dontneed", one.mm, one.at, PMD)
    found = town.explored(
        kernel, [calls("writer", write), calls("writer", write), one.reader(2), memory_is_tight()]
    )
    town.explored(
        kernel, [calls("writer", write), calls("unmapper", unmap), one.reader(2), memory_is_tight()]
    )
    alone = calls("writer", (WP, town.huge_fault(0, write=True)))
    town.explored(kernel, [alone, alone, memory_is_tight()], may_fail=True)
    _memory_runs_out(kernel)
    all_look_alike(kernel, PROGRAMS, families.writes())
    programs_look_alike(kernel, PROGRAMS)
    return found


@check(SPLIT, points=1, needs=open_checks.a_split_gives_the_reference_back)
def splits_beside_everything_else(kernel: Kernel) -> object:
    """Splits beside readers, writes, other splits and the shrinker; no program sees a difference."""
    town = _town(True)
    one = town.programs[0]
    parts = [("madvise_dontneed", one.mm, one.at + n * PAGE_SIZE, PAGE_SIZE) for n in (1, 2)]
    split, other = (calls("splitter", part) for part in parts)
    town.explored(
        kernel, [split, calls("writer", ("fault", one.mm, one.at, True)), one.reader(2), memory_is_tight()]
    )
    found = town.explored(kernel, [split, other, one.reader(2), memory_is_tight()])
    _memory_runs_out(kernel)
    all_look_alike(kernel, PROGRAMS, families.splits())
    programs_look_alike(kernel, PROGRAMS)
    return found


@check(ZAP, points=1, needs=open_checks.an_unmap_gives_the_reference_back)
def unmaps_beside_everything_else(kernel: Kernel) -> object:
    """Unmaps beside readers, faults, forks, exits and the shrinker: no CPU is left with a freed page."""
    town = _town(True)
    one = town.programs[0]
    unmap, fault = ("madvise_dontneed", one.mm, one.at, PMD), ("fault", one.mm, one.at)
    town.explored(kernel, [calls("unmapper", unmap), one.reader(1), one.reader(2), memory_is_tight()])
    town.explored(
        kernel, [calls("unmapper", unmap), calls("unmapper", unmap), one.reader(2), memory_is_tight()]
    )
    found = town.explored(
        kernel, [calls("unmapper", unmap), one.reader(1), calls("reader", fault), memory_is_tight()]
    )
    both = _town(True, True)
    one, other = both.programs
    both.explored(
        kernel, [calls("exit", ("mmput", one.mm)), calls("exit", ("mmput", other.mm)), memory_is_tight()]
    )
    forks = calls("parent", ("fork", one.mm))
    unmaps = calls("unmapper", ("madvise_dontneed", other.mm, other.at, PMD), ("fault", other.mm, other.at))
    both.explored(kernel, [forks, unmaps, memory_is_tight()], children=(1000,))
    return found


@check(ZAP, points=1, needs=open_checks.an_unmap_gives_the_reference_back)
def nothing_is_left_behind(kernel: Kernel) -> None:
    """No program sees a difference, and when all have ended and memory was asked for, every frame is free again."""
    for order in (("main", "child"), ("child", "main")):
        program: list[Action] = [
            Mmap("a", 2 * PMD + 3 * PAGE_SIZE),
            Madvise("a", "hugepage"),
            Read("a", 0, 2 * PMD, PMD),
            Write("a", PMD, b"x"),
            Fork("child"),
            Munmap("a", PAGE_SIZE, PAGE_SIZE, "child"),
            Write("a", 2 * PMD, b"y", by="child"),
            *(Exit(who) for who in order),
            DropCaches(),
        ]
        when = "parent and child have ended, memory was asked for"
        all_comes_back(kernel, program, when, pages=AMPLE, log=False)
    _memory_runs_out(kernel)
    all_look_alike(kernel, PROGRAMS, families.unmaps())
    programs_look_alike(kernel, PROGRAMS)


@check(COPY, points=0.5, needs=open_checks.a_child_takes_a_reference_of_its_own)
def no_program_can_tell_huge_forks_from_linux(kernel: Kernel) -> None:
    """No program that forks sees anything else than on the reference; memory may run out."""
    all_look_alike(kernel, PROGRAMS, families.forks())
    _memory_runs_out(kernel)
    programs_look_alike(kernel, PROGRAMS)
