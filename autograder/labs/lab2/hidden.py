"""The hidden checks of lab 2. They never enter a notebook: only the judge reads this file."""

from __future__ import annotations

from typing import Any

from hugezero.check.checks import check
from hugezero.explore.threads import calls
from hugezero.hw.ram import PAGE_SIZE, PMD_SIZE
from hugezero.labs.lab2 import check_reads, check_repairs, check_splits, check_writes, fixtures
from hugezero.labs.lab2.check_reads import ANON
from hugezero.labs.lab2.check_splits import SPLIT
from hugezero.labs.lab2.check_writes import WP
from hugezero.machine import Kernel
from hugezero.scenario import (
    Action,
    Exit,
    Fork,
    Mprotect,
    Munmap,
    Read,
    Write,
)
from hugezero.store import Cell

from .. import families
from ..failing import survives
from ..families import AREA, all_look_alike
from ..programs import all_comes_back, look_alike, programs_look_alike
from .programs import PROGRAMS

REFERENCE = PROGRAMS.reference
MACHINE: dict[str, Any] = {"pages": 1 << 14, "log": False}


def _alike(kernel: Kernel, *actions: Any, **config: Any) -> None:
    look_alike(kernel, REFERENCE, list(actions), **MACHINE, **config)


FAMILY: list[Action] = [
    Read("a", PMD_SIZE + PAGE_SIZE),
    Write("a", 2 * PMD_SIZE - PAGE_SIZE, b"x"),
    Read("a", 2 * PMD_SIZE),
    Mprotect("a", False, 2 * PMD_SIZE + PAGE_SIZE, PAGE_SIZE),
    Fork("child"),
    Read("a", 0, 3 * PMD_SIZE, PMD_SIZE // 2, by="child"),
    Write("a", PMD_SIZE, b"y", by="child"),
    Write("a", 2 * PMD_SIZE, b"z"),
    Munmap("a", 0, PAGE_SIZE, by="child"),
    Read("a", 0, 3 * PMD_SIZE, PMD_SIZE // 2),
    Munmap("a"),
    Exit("child"),
]


def _memory_runs_out(kernel: Kernel) -> None:
    survives(kernel, PROGRAMS, [*AREA, *FAMILY], 1 << 14)


AWAY = calls("unmapping", ("unmap", fixtures.ONE.vma, fixtures.ONE.pmd, fixtures.ONE.at))
SPLITTER = calls("splitter", ("split_huge_pmd", fixtures.ONE.vma, fixtures.ONE.pmd, fixtures.ONE.at))


def _nothing_is_lost(kernel: Kernel, cells: dict[Cell, Any], *each: list[Any]) -> object:
    """*each* of those lists of CPUs, from *cells* on, under every schedule, with memory that may run out."""
    for threads in each:
        found = fixtures.schedules(
            fixtures.with_huge_zero(kernel), threads, cells, at_end=fixtures.nothing_lost, may_fail=True,
            story="nothing is lost",
        )  # fmt: skip
    return found


# do_huge_pmd_anonymous_page


@check(ANON, points=0.5, needs=check_reads.a_read_maps_the_huge_zero_page)
def no_program_can_tell_huge_reads_from_linux(kernel: Kernel) -> None:
    """No generated program of areas large and small, advised or not, sees anything else than on the reference."""
    all_look_alike(kernel, PROGRAMS, families.reads())
    programs_look_alike(kernel, PROGRAMS)


@check(
    ANON,
    points=0.5,
    needs=[check_reads.a_write_gets_a_huge_page, check_reads.small_pages_where_2_mib_cannot_be],
)
def huge_memory_may_run_out(kernel: Kernel) -> None:
    """With memory that runs out at any point, at boot too, it does what the reference does, and all comes back."""
    _memory_runs_out(kernel)
    for fail in (frozenset({0}), frozenset()):
        _alike(kernel, *AREA, Read("a", 0, 3 * PMD_SIZE, PMD_SIZE), Write("a", PMD_SIZE), Exit(), fail=fail)


@check(ANON, points=0.5, needs=check_reads.two_cpus_may_fault_at_once)
def readers_writers_and_an_unmap(kernel: Kernel) -> object:
    """Readers and a writer beside an unmap, with memory that may run out: nothing is lost under any schedule."""
    reader, writer = (fixtures.fault(ANON, write, fixtures.UNMAPPED) for write in (False, True))
    return _nothing_is_lost(kernel, fixtures.UNMAPPED, [reader, AWAY], [writer, reader, AWAY], [reader] * 3)


# do_huge_pmd_wp_page


@check(
    WP,
    points=0.5,
    needs=[
        check_writes.a_write_to_huge_zeroes_gets_a_huge_page,
        check_writes.a_write_goes_on_with_small_pages,
    ],
)
def no_program_can_tell_huge_writes_from_linux(kernel: Kernel) -> None:
    """No generated program of several processes sees anything else than on the reference; memory may run out."""
    _memory_runs_out(kernel)
    all_look_alike(kernel, PROGRAMS, families.writes())
    programs_look_alike(kernel, PROGRAMS)


@check(WP, points=0.5, needs=check_writes.two_cpus_may_write_at_once)
def writers_a_split_and_an_unmap(kernel: Kernel) -> object:
    """A writer beside an unmap, a split and another writer, with memory that may run out: nothing is lost."""
    writer = fixtures.fault(WP, True, fixtures.MAPPED)
    return _nothing_is_lost(
        kernel, fixtures.MAPPED, [writer, AWAY], [writer, SPLITTER], [writer, writer, AWAY]
    )


# split_huge_zero_page_pmd


@check(SPLIT, points=0.5, needs=check_splits.one_huge_entry_becomes_512_small_ones)
def no_program_can_tell_splits_from_linux(kernel: Kernel) -> None:
    """Programs that unmap, protect and forget parts of 2 MiB see what they see on the reference, and all comes back."""
    all_look_alike(kernel, PROGRAMS, families.splits())
    _memory_runs_out(kernel)
    programs_look_alike(kernel, PROGRAMS)


@check(SPLIT, points=0.5, needs=check_splits.a_reader_on_another_cpu_sees_zeroes)
def two_splits_and_an_unmap(kernel: Kernel) -> object:
    """Two CPUs split the same 2 MiB while a third unmaps them: nothing is lost under any schedule."""
    writer = fixtures.fault(WP, True, fixtures.MAPPED)
    return _nothing_is_lost(kernel, fixtures.MAPPED, [SPLITTER, SPLITTER, AWAY], [SPLITTER, writer])


# the repairs


def _nothing_is_left(kernel: Kernel) -> None:
    """When every process has ended, every frame but the huge zero folio's is free again."""
    for order in (("main", "child"), ("child", "main")):
        program = [*AREA, *FAMILY[:7], *(Exit(who) for who in order)]
        all_comes_back(kernel, program, "parent and child have ended", **MACHINE)


@check(check_repairs.COPY, points=0.5, needs=check_repairs.fork_copies_one_entry_for_2_mib)
def no_program_can_tell_huge_forks_from_linux(kernel: Kernel) -> None:
    """No generated program that forks sees anything else than on the reference; memory may run out."""
    _memory_runs_out(kernel)
    _nothing_is_left(kernel)
    all_look_alike(kernel, PROGRAMS, families.forks())
    programs_look_alike(kernel, PROGRAMS)


@check(check_repairs.ZAP, points=0.5, needs=check_repairs.unmapping_2_mib_gives_everything_back)
def no_program_can_tell_huge_unmaps_from_linux(kernel: Kernel) -> None:
    """No generated program that unmaps and exits sees anything else than on the reference; nothing is left."""
    _nothing_is_left(kernel)
    all_look_alike(kernel, PROGRAMS, families.unmaps())
    programs_look_alike(kernel, PROGRAMS)


@check(check_repairs.CHANGE, points=0.5, needs=check_repairs.mprotect_changes_what_it_was_asked_to)
def no_program_can_tell_huge_mprotects_from_linux(kernel: Kernel) -> None:
    """No generated program that protects ranges, whole and in part, sees anything else than on the reference."""
    for offset, length in (
        (0, 2 * PMD_SIZE),
        (PAGE_SIZE, 2 * PMD_SIZE),
        (PMD_SIZE - PAGE_SIZE, 2 * PAGE_SIZE),
    ):
        for write in (False, True):
            acts: list[Action] = [Mprotect("a", False, offset, length), Mprotect("a", write, offset, length)]
            _alike(
                kernel, *AREA, Read("a", PMD_SIZE), *acts, Write("a", PMD_SIZE), Read("a", 0, 2 * PMD_SIZE)
            )
    one = PAGE_SIZE, PAGE_SIZE
    first: Action
    for first in (Read("a"), Write("a", 5 * PAGE_SIZE)):  # 2 MiB that may not be written to, but for one page
        also: list[Action] = [
            first,
            Mprotect("a", False),
            Mprotect("a", True, *one),
            Write("a", PAGE_SIZE),
            Write("a"),
            Read("a"),
        ]
        _alike(kernel, *AREA[:2], *also)
    _memory_runs_out(kernel)
    programs_look_alike(kernel, PROGRAMS)
