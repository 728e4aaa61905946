"""The hidden checks of lab 4: whole paths of the functions that make huge entries and take them away."""

from __future__ import annotations

from hugezero.check.checks import check
from hugezero.explore.threads import calls
from hugezero.labs.lab4 import check_places as open_checks
from hugezero.labs.lab4.check_places import ANON, COPY, SPLIT, WP, ZAP
from hugezero.machine import Kernel
from hugezero.mm.mm_types import Mm

from .. import families
from ..explorations import FIRST_MM
from ..families import all_comes_back_after_a_fork, no_difference
from .held_by_mms import town
from .programs import PROGRAMS


@check(ANON, points=0.5, needs=open_checks.entries_are_not_counted)
def faults_beside_everything_else(kernel: Kernel) -> object:
    """Threads that fault, write, unmap, end, and find no memory, beside the shrinker; no program sees a difference."""
    one = (place := town(False, threads=2)).programs[0]
    lives = calls("reader", one.reads, one.ends)
    found = place.explored(kernel, lives, lives)
    place.explored(kernel, calls("reader", one.reads), calls("writer", one.writes()))
    alone = place.handles("reader", ANON)
    place.explored(kernel, alone, alone, may_fail=True)
    no_difference(kernel, PROGRAMS, families.reads())
    return found


@check(COPY, points=0.5, needs=open_checks.a_child_takes_a_reference_of_its_own)
def forks_beside_exits(kernel: Kernel) -> object:
    """A fork beside the parent's exit, the child's, and the shrinker: whoever lives longer still has its zeroes."""
    no_difference(kernel, PROGRAMS, families.forks())
    one, child = (place := town(True, threads=2)).programs[0], Mm(FIRST_MM)
    leaves = calls("thread", one.ends)
    found = place.explored(kernel, calls("parent", one.forks, one.ends), leaves, children=(FIRST_MM,))
    place.explored(kernel, calls("parent", one.forks, ("mmput", child)), leaves, children=(FIRST_MM,))
    all_comes_back_after_a_fork(kernel, PROGRAMS)
    return found


@check(WP, points=0.5, needs=open_checks.a_write_gives_nothing_back)
def writes_beside_everything_else(kernel: Kernel) -> object:
    """Writes beside readers, unmaps, other writes and the shrinker, with and without memory; no program sees a difference."""
    one = (place := town(True)).programs[0]
    writer = calls("writer", one.writes(page=1))
    found = place.explored(kernel, writer, writer, one.reader(2))
    alone = place.handles("writer", WP, write=True)
    place.explored(kernel, alone, calls("unmapper", one.unmaps), may_fail=True)
    no_difference(kernel, PROGRAMS, families.writes())
    return found


@check(SPLIT, points=0.25, needs=open_checks.a_split_gives_nothing_back)
def splits_beside_everything_else(kernel: Kernel) -> object:
    """Splits beside readers, unmaps, other splits and the shrinker; no program sees a difference."""
    one = (place := town(True)).programs[0]
    split, other = (calls("splitter", one.unmaps_only(page)) for page in (1, 2))
    place.explored(kernel, split, calls("unmapper", one.unmaps), one.reader(2))
    found = place.explored(kernel, split, other, one.reader(2))
    no_difference(kernel, PROGRAMS, families.splits())
    return found


@check(ZAP, points=0.5, needs=open_checks.an_unmap_gives_nothing_back)
def no_cpu_remembers_what_was_unmapped(kernel: Kernel) -> object:
    """Unmaps of zeroes and of a page of one's own, beside readers, exits and the shrinker: nobody reads a freed page."""
    one = (place := town(True)).programs[0]
    place.explored(kernel, calls("unmapper", one.unmaps, one.ends), one.reader(1))
    two = (empty := town(False)).programs[0]
    found = empty.explored(kernel, calls("writer", two.writes(), two.unmaps), two.reader(1))
    no_difference(kernel, PROGRAMS, families.unmaps())
    all_comes_back_after_a_fork(kernel, PROGRAMS)
    return found
