"""The hidden checks of lab 3: whole paths of the functions that make huge entries and take them away."""

from __future__ import annotations

from functools import cache

from hugezero.check.checks import check
from hugezero.explore.threads import calls
from hugezero.labs.lab3 import check_put_sites as open_checks
from hugezero.labs.lab3.check_put_sites import ANON, COPY, SPLIT, WP, ZAP
from hugezero.machine import Kernel

from .. import families
from ..explorations import FIRST_MM, Town
from ..families import all_comes_back_after_a_fork, all_look_alike, no_difference
from ..programs import SCARCE
from .programs import PROGRAMS


@cache
def _town(*mapped: bool) -> Town:
    return Town(PROGRAMS.reference, *mapped)


@check(ANON, points=0.5, needs=open_checks.two_threads_fault_the_same_memory)
def faults_beside_everything_else(kernel: Kernel) -> object:
    """Threads that fault, write, unmap, and find no memory, beside the shrinker: every reference belongs to an entry."""
    one = (town := _town(False)).programs[0]
    town.explored(kernel, calls("reader", one.reads), calls("writer", one.writes()))
    town.explored(kernel, calls("reader", one.reads), calls("unmapper", one.reads, one.unmaps))
    alone = town.handles("reader", ANON)
    town.explored(kernel, alone, alone, may_fail=True)
    both = _town(False, False)
    lives = [calls("program", each.reads, each.unmaps) for each in both.programs]
    never = calls("exit", both.programs[1].ends)  # it has never read a byte, and holds nothing
    both.explored(kernel, lives[0], never)
    return both.explored(kernel, *lives)


@check(ANON, points=0.5, needs=open_checks.each_huge_entry_holds_a_reference)
def no_program_can_tell_huge_faults_from_linux(kernel: Kernel) -> None:
    """No program sees anything else than on the reference, also where memory runs out."""
    all_look_alike(kernel, PROGRAMS, families.another_needs_the_memory(), SCARCE)
    no_difference(kernel, PROGRAMS, families.reads())


@check(WP, points=0.5, needs=open_checks.a_write_gives_the_reference_back)
def writes_beside_everything_else(kernel: Kernel) -> object:
    """Writes beside readers, unmaps, other writes and the shrinker, with and without memory; no program sees a difference."""
    one = (town := _town(True)).programs[0]
    writer = calls("writer", one.writes(page=1))
    found = town.explored(kernel, writer, writer, one.reader(2))
    town.explored(kernel, writer, calls("unmapper", one.unmaps), one.reader(2))
    alone = town.handles("writer", WP, write=True)
    town.explored(kernel, alone, alone, may_fail=True)
    no_difference(kernel, PROGRAMS, families.writes())
    return found


@check(SPLIT, points=0.5, needs=open_checks.a_split_gives_the_reference_back)
def splits_beside_everything_else(kernel: Kernel) -> object:
    """Splits beside readers, writes, other splits and the shrinker; no program sees a difference."""
    one = (town := _town(True)).programs[0]
    split, other = (calls("splitter", one.unmaps_only(page)) for page in (1, 2))
    town.explored(kernel, split, calls("writer", one.writes()), one.reader(2))
    found = town.explored(kernel, split, other, one.reader(2))
    no_difference(kernel, PROGRAMS, families.splits())
    return found


@check(ZAP, points=0.5, needs=open_checks.an_unmap_gives_the_reference_back)
def unmaps_beside_everything_else(kernel: Kernel) -> object:
    """Unmaps beside readers, faults, forks, exits and the shrinker: no CPU is left with a freed page."""
    one = (town := _town(True)).programs[0]
    unmapper = calls("unmapper", one.unmaps)
    town.explored(kernel, unmapper, one.reader(1), one.reader(2))
    town.explored(kernel, unmapper, unmapper, one.reader(2))
    found = town.explored(kernel, unmapper, one.reader(1), calls("reader", one.reads))
    one, other = (both := _town(True, True)).programs
    both.explored(kernel, calls("exit", one.ends), calls("exit", other.ends))
    unmaps = calls("unmapper", other.unmaps, other.reads)
    both.explored(kernel, calls("parent", one.forks), unmaps, children=(FIRST_MM,))
    return found


@check(ZAP, points=0.5, needs=open_checks.an_unmap_gives_the_reference_back)
def nothing_is_left_behind(kernel: Kernel) -> None:
    """No program sees a difference, and when all have ended and memory was asked for, every frame is free again."""
    no_difference(kernel, PROGRAMS, families.unmaps())
    all_comes_back_after_a_fork(kernel, PROGRAMS)


@check(COPY, points=0.25, needs=open_checks.a_child_takes_a_reference_of_its_own)
def no_program_can_tell_huge_forks_from_linux(kernel: Kernel) -> None:
    """No program that forks sees anything else than on the reference; memory may run out."""
    no_difference(kernel, PROGRAMS, families.forks())
