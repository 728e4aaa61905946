"""The hidden checks of lab 4. They never enter a notebook: only the judge reads this file."""

from __future__ import annotations

from functools import cache

from hugezero.check.checks import check, expect
from hugezero.check.schedules import Explored, every_schedule
from hugezero.explore.state import Peek
from hugezero.explore.threads import Thread, calls
from hugezero.hw.ram import PAGE_SIZE
from hugezero.hw.tlb import Tlb
from hugezero.labs.actors import shrinker, take
from hugezero.labs.lab4 import checks as open_checks
from hugezero.labs.lab4.fixtures import MM_GET
from hugezero.labs.lab4.two_designs import LEFT, how_it_ended
from hugezero.labs.laws import alive, at_rest
from hugezero.machine import Kernel
from hugezero.mm.huge_memory import HUGE_ZERO, set_huge_zero_page_aside
from hugezero.mm.mm_types import Mm
from hugezero.mm.mmap import mm_alloc
from hugezero.mm.pgtable import Pmd, PmdTable
from hugezero.scenario import (
    Action,
    DropCaches,
    Exec,
    Exit,
    Fork,
    Madvise,
    Mmap,
    Munmap,
    Read,
    Write,
)
from hugezero.store import call

from .. import families
from ..explorations import FIRST_MM, PMD, Town, memory_is_tight
from ..failing import survives
from ..families import all_look_alike
from ..programs import AMPLE, all_comes_back, functions_of, look_alike, programs_look_alike
from .programs import LABS, PROGRAMS

MM_PUT, MMPUT = open_checks.MM_PUT, open_checks.MMPUT
ANON, COPY, WP, ZAP = open_checks.ANON, open_checks.COPY, open_checks.WP, open_checks.ZAP
SPLIT = open_checks.SPLIT
OUTLIVES = open_checks.OUTLIVES
REFERENCE = PROGRAMS.reference
STATES = 45_000  # at most, of one search


# programs


def _memory_runs_out(kernel: Kernel) -> None:
    """One allocation fails, at each point in turn: nobody sees a wrong byte, and all memory comes back."""
    program: list[Action] = [
        Mmap("a", 3 * PMD),
        Madvise("a", "hugepage"),
        Read("a", 0, 2 * PMD, PMD),
        Write("a", 2 * PMD, b"w"),
        Fork("child"),
        Read("a", 2 * PMD, by="child"),
        Write("a", 0, b"x", by="child"),
        Munmap("a", PMD, PAGE_SIZE),
        Read("a", PMD + PAGE_SIZE, 2 * PAGE_SIZE),
        Exit("child"),
        Munmap("a"),
        DropCaches(),
        Exec(),
        DropCaches(),
    ]
    survives(kernel, PROGRAMS, program, AMPLE)


def _families(kernel: Kernel) -> None:
    """Parents and children that end in any order: when all have ended and memory was asked for, all is free again."""
    for order in (("main", "child"), ("child", "main")):
        program: list[Action] = [
            Mmap("a", 2 * PMD + 3 * PAGE_SIZE),
            Madvise("a", "hugepage"),
            Read("a", 0, 2 * PMD, PMD),
            Fork("child"),
            Munmap("a", PAGE_SIZE, PAGE_SIZE, "child"),
            Write("a", PMD, b"x"),
            Exit(order[0]),
            DropCaches(),
            Exit(order[1]),
            DropCaches(),
        ]
        look_alike(kernel, REFERENCE, program, pages=AMPLE, log=False)
        when = "parent and child have ended, memory was asked for"
        all_comes_back(kernel, program, when, pages=AMPLE, log=False)


# the functions alone, under every schedule


def _life(mm: Mm, may_fail: bool = False) -> Thread:
    """A thread of *mm* that maps the folio, reads, and ends; the last one gives back what the mm holds."""

    def lives() -> None:
        take(MM_GET, mm, may_fail=may_fail)
        if mm.users.dec_and_test():
            call(MM_PUT, mm)

    return Thread(f"thread of {mm!r}", lives)


def _lives(kernel: Kernel, *threads: int, shrinkers: int = 1, may_fail: bool = False) -> Explored:
    """Address spaces with so many threads each, from their first fault to their end, beside the shrinker."""
    with kernel.booted(pages=64, log=False) as machine:
        mms = [mm_alloc() for _ in threads]
        for mm, users in zip(mms, threads, strict=True):
            mm.users.set(users)
        cells = dict(machine.cells)
    lives = [_life(mm, may_fail) for mm, users in zip(mms, threads, strict=True) for _ in range(users)]
    return every_schedule(
        kernel, [*lives, *[shrinker()] * shrinkers], cells, at_end=at_rest, always=alive, may_fail=may_fail,
        limit=STATES, story="nobody reads a freed page, and nothing is lost",
    )  # fmt: skip


@check(MM_GET, points=1, needs=open_checks.two_threads_take_one_reference)
def an_unrelated_mm_and_the_shrinker(kernel: Kernel) -> object:
    """Two threads of one mm, a thread of another and the shrinker, in every order, from first fault to exit."""
    _lives(kernel, 2, shrinkers=2)
    return _lives(kernel, 2, 1)


@check(MM_GET, points=1, needs=open_checks.each_mm_takes_one_reference)
def there_may_be_no_folio(kernel: Kernel) -> object:
    """Where there is no memory for the folio the mm has no reference, and may ask again; nobody else is disturbed."""
    with kernel.booted(pages=1024, log=False, fail=frozenset(range(2))) as machine:
        mm = mm_alloc()
        for _ in range(2):
            got, flag = kernel.mm_get_huge_zero_folio(mm), mm.huge_zero.test()
            expect(
                (got, flag) == (None, False),
                f"there was no memory; it returned {got!r}, and the mm's flag is {flag}; they should be None and False",
            )
        got, count = kernel.mm_get_huge_zero_folio(mm), machine.peek((HUGE_ZERO, "refcount"))
        expect(
            got is not None and mm.huge_zero.test() and count == 2,
            f"there was no memory twice, and then there was; it returned {got!r}, and the count is {count}, not 2",
        )
    _lives(kernel, 2, may_fail=True)
    return _lives(kernel, 1, 1, may_fail=True)


@check(MM_GET, points=1, needs=open_checks.later_faults_write_nothing_shared)
def no_program_can_tell_it_from_linux(kernel: Kernel) -> None:
    """No program sees anything else than on the reference, also where memory runs out."""
    _memory_runs_out(kernel)
    _families(kernel)
    programs_look_alike(kernel, PROGRAMS)


@check(MM_PUT, points=1, needs=open_checks.only_what_was_taken_is_given_back)
def mms_come_and_go(kernel: Kernel) -> object:
    """Address spaces that come and go beside the shrinker, with and without memory: nothing is lost, nothing freed twice."""
    _families(kernel)
    _lives(kernel, 1, 1, may_fail=True)
    return _lives(kernel, 1, 1, shrinkers=2)


# whole paths


class HeldByMms(Town):
    """Where each mm that uses the folio holds it once, from its first fault to its end."""

    def users(self, peek: Peek) -> tuple[int, str]:
        """The mms that have their flag set and are still in use."""
        n = len(self._holders(peek))
        return n, f"{n} living mm{'s have their flags' if n != 1 else ' has its flag'} set"

    def at_end(self, peek: Peek) -> str | None:
        """And each mm that maps the folio is one of them."""
        holders = self._holders(peek)
        for mm in self.mms:
            if mm not in holders and any(entry.special for entry in self._huge(peek, mm)):
                return f"when all is done {mm!r} maps the folio, and its flag is not set"
        if holders and peek((HUGE_ZERO, "folio")) is None:
            return f"when all is done {holders[0]!r} has its flag set, and the folio has gone"
        for mm in self.mms:
            for one in peek((Tlb(mm.id), "cached")):
                entry = peek((PmdTable(mm.id), one.start // PMD))
                if not isinstance(entry, Pmd) or entry.folio is not one.folio:
                    return f"when all is done a CPU still takes {one.start:#x} to be in {one.folio!r}; the entry says {entry}"
        return super().at_end(peek)

    def _holders(self, peek: Peek) -> list[Mm]:
        return [mm for mm in self.mms if peek((mm, "huge_zero")) and peek((mm, "users")) > 0]


@cache
def _town(*mapped: bool, threads: int = 1) -> HeldByMms:
    """Programs on the reference's kernel; each has so many threads."""
    town = HeldByMms(REFERENCE, *mapped)
    for program in town.programs:
        town.cells[program.mm, "users"] = threads
    return town


@check(MMPUT, points=1, needs=open_checks.first_the_tables_then_the_reference)
def ends_beside_everything_else(kernel: Kernel) -> object:
    """Exits beside forks, faults, other exits and the shrinker, and of an mm that never faulted: all comes back."""
    one, other = (both := _town(True, False)).programs
    exits = [calls("exit", ("mmput", each.mm)) for each in (one, other)]
    both.explored(kernel, [*exits, memory_is_tight()])
    both.explored(kernel, [exits[0], calls("reader", ("fault", other.mm, other.at)), memory_is_tight()])
    only = (pair := _town(True, threads=2)).programs[0]
    forks = calls("parent", ("fork", only.mm), ("mmput", only.mm))
    leaves = calls("thread", ("mmput", only.mm))
    found = pair.explored(kernel, [forks, leaves, memory_is_tight()], children=(FIRST_MM,))
    _memory_runs_out(kernel)
    _families(kernel)
    return found


@check(ANON, points=1, needs=open_checks.entries_are_not_counted)
def faults_beside_everything_else(kernel: Kernel) -> object:
    """Threads that fault, write, unmap, end, and find no memory, beside the shrinker; no program sees a difference."""
    town = _town(False, threads=2)
    one = town.programs[0]
    fault, end = ("fault", one.mm, one.at), ("mmput", one.mm)
    found = town.explored(
        kernel, [calls("reader", fault, end), calls("reader", fault, end), memory_is_tight()]
    )
    town.explored(kernel, [calls("reader", fault), calls("writer", (*fault, True)), memory_is_tight()])
    alone = calls("reader", (ANON, town.huge_fault(0)))
    town.explored(kernel, [alone, alone, memory_is_tight()], may_fail=True)
    _memory_runs_out(kernel)
    all_look_alike(kernel, PROGRAMS, families.reads())
    programs_look_alike(kernel, PROGRAMS)
    return found


@check(COPY, points=1, needs=open_checks.a_child_takes_a_reference_of_its_own)
def forks_beside_exits(kernel: Kernel) -> object:
    """A fork beside the parent's exit, the child's, and the shrinker: whoever lives longer still has its zeroes."""
    all_look_alike(kernel, PROGRAMS, families.forks())
    town = _town(True, threads=2)
    one, child = town.programs[0], Mm(FIRST_MM)
    leaves = calls("thread", ("mmput", one.mm))
    survives = calls("parent", ("fork", one.mm), ("mmput", one.mm))
    found = town.explored(kernel, [survives, leaves, memory_is_tight()], children=(FIRST_MM,))
    dies = calls("parent", ("fork", one.mm), ("mmput", child))
    town.explored(kernel, [dies, leaves, memory_is_tight()], children=(FIRST_MM,))
    _memory_runs_out(kernel)
    _families(kernel)
    programs_look_alike(kernel, PROGRAMS)
    return found


@check(WP, points=1, needs=open_checks.a_write_gives_nothing_back)
def writes_beside_everything_else(kernel: Kernel) -> object:
    """Writes beside readers, unmaps, other writes and the shrinker, with and without memory; no program sees a difference."""
    town = _town(True)
    one = town.programs[0]
    write, unmap = ("fault", one.mm, one.at, True), ("madvise_dontneed", one.mm, one.at, PMD)
    found = town.explored(
        kernel, [calls("writer", write), calls("writer", write), one.reader(2), memory_is_tight()]
    )
    alone = calls("writer", (WP, town.huge_fault(0, write=True)))
    town.explored(kernel, [alone, calls("unmapper", unmap), memory_is_tight()], may_fail=True)
    _memory_runs_out(kernel)
    all_look_alike(kernel, PROGRAMS, families.writes())
    programs_look_alike(kernel, PROGRAMS)
    return found


@check(ZAP, points=1, needs=open_checks.an_unmap_gives_nothing_back)
def no_cpu_remembers_what_was_unmapped(kernel: Kernel) -> object:
    """Unmaps of zeroes and of a page of one's own, beside readers, exits and the shrinker: nobody reads a freed page."""
    town = _town(True)
    one = town.programs[0]
    unmap = ("madvise_dontneed", one.mm, one.at, PMD)
    town.explored(kernel, [calls("unmapper", unmap, ("mmput", one.mm)), one.reader(1), memory_is_tight()])
    empty = _town(False)
    two = empty.programs[0]
    own = calls("writer", ("fault", two.mm, two.at, True), ("madvise_dontneed", two.mm, two.at, PMD))
    found = empty.explored(kernel, [own, two.reader(1), memory_is_tight()])
    _families(kernel)
    all_look_alike(kernel, PROGRAMS, families.unmaps())
    programs_look_alike(kernel, PROGRAMS)
    return found


@check(SPLIT, points=0.5, needs=open_checks.a_split_gives_nothing_back)
def splits_beside_everything_else(kernel: Kernel) -> object:
    """Splits beside readers, unmaps, other splits and the shrinker; no program sees a difference."""
    town = _town(True)
    one = town.programs[0]
    parts = [("madvise_dontneed", one.mm, one.at + n * PAGE_SIZE, PAGE_SIZE) for n in (1, 2)]
    split, other = (calls("splitter", part) for part in parts)
    unmap = calls("unmapper", ("madvise_dontneed", one.mm, one.at, PMD))
    town.explored(kernel, [split, unmap, one.reader(2), memory_is_tight()])
    found = town.explored(kernel, [split, other, one.reader(2), memory_is_tight()])
    all_look_alike(kernel, PROGRAMS, families.splits())
    _memory_runs_out(kernel)
    programs_look_alike(kernel, PROGRAMS)
    return found


# what got worse


def _for_ever() -> Kernel:
    """A kernel whose page is there from boot on, whoever needs it: it counts nobody, and nothing takes it away."""
    return Kernel(
        REFERENCE.functions,
        hugezero_init=set_huge_zero_page_aside,
        mm_get_huge_zero_folio=lambda mm: HUGE_ZERO.folio.read(),
        mm_put_huge_zero_folio=lambda mm: None,
    )


@check(OUTLIVES, points=1)
def every_design_tells(kernel: Kernel) -> str:
    """On the kernels of all labs: only where entries are counted, and where there is no such page, none is left."""
    scenario = open_checks.scenario_of(kernel)
    ends = {f"lab {n}": how_it_ended(Kernel(functions_of(*LABS[:n])), scenario) for n in range(1, 5)}
    ends["lab 5"] = how_it_ended(_for_ever(), scenario)
    for name, end in ends.items():
        expect(not end.maps, f"{name}: in the end the page is still mapped, by huge entries: {end.maps}")
        right = name not in ("lab 1", "lab 3")
        expect(
            end.there == right,
            f"{name}: in the end {LEFT[end.there]}; a program that shows what the flag costs leaves it so that "
            f"{LEFT[right]}",
        )
    return "; ".join(f"{name}: {LEFT[end.there]}" for name, end in ends.items())
