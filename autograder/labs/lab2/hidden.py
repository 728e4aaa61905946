"""The hidden checks of lab 2. They never enter a notebook: only the judge reads this file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hugezero.check.checks import Failed, check
from hugezero.hw.ram import PAGE_SIZE, PMD_SIZE
from hugezero.labs.lab2 import checks as open_checks
from hugezero.labs.lab2 import fixtures
from hugezero.machine import Kernel
from hugezero.mm.huge_memory import mk_huge_zero_pmd
from hugezero.mm.mm_types import VM_FAULT_FALLBACK, VM_FAULT_OOM
from hugezero.scenario import (
    Action,
    Exit,
    Fork,
    Madvise,
    Mmap,
    Mprotect,
    Munmap,
    Read,
    Simulated,
    Thread,
    Write,
)
from hugezero.store import Cell

from solutions import lab1_zero_page, lab2_huge_zero_page

from ..programs import EXAMPLES, all_comes_back, always, functions_of, look_alike, programs

FUNCTIONS = functions_of(lab1_zero_page, lab2_huge_zero_page)
REFERENCE = Kernel(FUNCTIONS)
MACHINE = {"pages": 1 << 14, "log": False}
MANY = max(20, EXAMPLES // 5)  # programs that touch 2 MiB page by page take their time


def _differential(kernel: Kernel, fork: bool) -> None:
    always(
        lambda program: look_alike(kernel, REFERENCE, program, **MACHINE),
        programs(fork=fork, huge=True),
        MANY,
    )


def _alike(kernel: Kernel, *actions: Any, **config: Any) -> None:
    look_alike(kernel, REFERENCE, list(actions), **MACHINE, **config)


def _patient(on_write: bool) -> Kernel:
    """A reference that falls back where it finds no page table: Linux gives up there, and both are right."""
    anonymous: Callable[..., int] = FUNCTIONS["do_huge_pmd_anonymous_page"]

    def do_huge_pmd_anonymous_page(vmf: Any) -> int:
        said = anonymous(vmf)
        return VM_FAULT_FALLBACK if said == VM_FAULT_OOM and (on_write or not vmf.write) else said

    return Kernel({**FUNCTIONS, "do_huge_pmd_anonymous_page": do_huge_pmd_anonymous_page})


PATIENT = [_patient(False), _patient(True)]
AREA: list[Action] = [
    Mmap("a", 3 * PMD_SIZE),
    Madvise("a", "hugepage"),
    Write("a"),
]  # which has an anon_vma, early or late
FAMILY: list[Action] = [
    Read("a", PMD_SIZE + PAGE_SIZE),
    Write("a", 2 * PMD_SIZE - PAGE_SIZE, b"x"),
    Read("a", 2 * PMD_SIZE),
    Mprotect("a", False, 2 * PMD_SIZE + PAGE_SIZE, PAGE_SIZE),
    Fork("child"),
    Write("a", PMD_SIZE, b"y", by="child"),
    Write("a", 2 * PMD_SIZE, b"z"),
    Munmap("a", 0, PAGE_SIZE, by="child"),
    Read("a", 0, 3 * PMD_SIZE, PAGE_SIZE * 7),
    Munmap("a"),
    Exit("child"),
]


def _memory_runs_out(kernel: Kernel) -> None:
    """One allocation fails, at each point in turn: whatever then happens, it is what a reference does."""
    whole = Simulated(REFERENCE, **MACHINE)
    whole.run(AREA)
    start = whole.machine.births.tries
    whole.run(FAMILY)
    for n in [0, *range(start, whole.machine.births.tries + 1)]:  # 0: at boot, for the huge zero folio
        try:
            look_alike(kernel, REFERENCE, [*AREA, *FAMILY], fail=frozenset([n]), **MACHINE)
        except Failed:
            if not any(_passes(kernel, patient, n) for patient in PATIENT):
                raise


def _passes(kernel: Kernel, reference: Kernel, n: int) -> bool:
    try:
        look_alike(kernel, reference, [*AREA, *FAMILY], fail=frozenset([n]), **MACHINE)
    except Failed:
        return False
    return True


AWAY = fixtures.program("unmapping", ("unmap", fixtures.VMA, fixtures.PMD, fixtures.AT))
SPLITTER = fixtures.program("splitter", ("split_huge_pmd", fixtures.VMA, fixtures.PMD, fixtures.AT))


def _nothing_is_lost(kernel: Kernel, cells: dict[Cell, Any], *each: list[Any]) -> object:
    """*each* of those lists of CPUs, from *cells* on, under every schedule, with memory that may run out."""
    for threads in each:
        found = fixtures.schedules(
            fixtures.with_huge_zero(kernel), threads, cells, at_end=fixtures.nothing_lost, may_fail=True,
            story="nothing is lost",
        )  # fmt: skip
    return found


# do_huge_pmd_anonymous_page

ANON = open_checks.ANON


@check(ANON, points=1, needs=open_checks.a_read_maps_the_huge_zero_page)
def no_program_can_tell_huge_reads_from_linux(kernel: Kernel) -> None:
    """No generated program of areas large and small, advised or not, sees anything else than on the reference."""
    for offset in (0, 1, 511):  # an area that begins there, read from its end
        first = [Mmap("a", 3 * PMD_SIZE), Madvise("a", "hugepage")]
        cut = [Munmap("a", 0, offset * PAGE_SIZE)] if offset else []
        cut += [Munmap("a", 3 * PMD_SIZE - offset * PAGE_SIZE, offset * PAGE_SIZE)] if offset else []
        reads = [
            Read("a", 3 * PMD_SIZE - (offset + 1) * PAGE_SIZE),
            Read("a", PMD_SIZE),
            Read("a", offset * PAGE_SIZE),
        ]
        _alike(kernel, *first, *cut, *reads)
    _alike(
        kernel, Mmap("a", PMD_SIZE), Madvise("a", "hugepage"), Read("a"), Fork("b"), Read("a", 0, PMD_SIZE, by="b")
    )  # fmt: skip
    _differential(kernel, fork=True)


@check(
    ANON,
    points=1,
    needs=[open_checks.a_write_gets_a_huge_page, open_checks.small_pages_where_2_mib_cannot_be],
)
def huge_memory_may_run_out(kernel: Kernel) -> None:
    """With memory that runs out at any point, at boot too, it does what the reference does, and all comes back."""
    _memory_runs_out(kernel)
    for fail in (frozenset({0}), frozenset()):
        _alike(kernel, *AREA, Read("a", 0, 3 * PMD_SIZE, PMD_SIZE), Write("a", PMD_SIZE), Exit(), fail=fail)


@check(ANON, points=1, needs=open_checks.two_cpus_may_fault_at_once)
def readers_writers_and_an_unmap(kernel: Kernel) -> object:
    """Readers and a writer beside an unmap, with memory that may run out: nothing is lost under any schedule."""
    reader, writer = fixtures.fault(ANON, False), fixtures.fault(ANON, True)
    return _nothing_is_lost(kernel, fixtures.unmapped(), [reader, AWAY], [writer, reader, AWAY], [reader] * 3)


# do_huge_pmd_wp_page

WP = open_checks.WP


@check(
    WP,
    points=1,
    needs=[open_checks.a_write_to_huge_zeroes_gets_a_huge_page, open_checks.a_write_goes_on_with_small_pages],
)
def no_program_can_tell_huge_writes_from_linux(kernel: Kernel) -> None:
    """No generated program of several processes sees anything else than on the reference; memory may run out."""
    _memory_runs_out(kernel)
    for who in ("main", "child", "grandchild"):
        family: list[Action] = [Fork("child"), Fork("grandchild", "child")]
        reads = [
            Read("a", PAGE_SIZE, 2 * PMD_SIZE, PMD_SIZE, by=each) for each in ("main", "child", "grandchild")
        ]
        for offset in (0, PMD_SIZE):
            _alike(
                kernel,
                *AREA,
                Read("a", PMD_SIZE),
                *family,
                Write("a", offset + PAGE_SIZE, b"w", by=who),
                *reads,
            )
    _differential(kernel, fork=True)


@check(WP, points=1, needs=open_checks.two_cpus_may_write_at_once)
def writers_a_split_and_an_unmap(kernel: Kernel) -> object:
    """A writer beside an unmap, a split and another writer, with memory that may run out: nothing is lost."""
    writer = fixtures.fault(WP, True, mk_huge_zero_pmd(fixtures.ZEROES_2M))
    return _nothing_is_lost(
        kernel, fixtures.mapped(), [writer, AWAY], [writer, SPLITTER], [writer, writer, AWAY]
    )


# split_huge_zero_page_pmd

SPLIT = open_checks.SPLIT


@check(SPLIT, points=1, needs=open_checks.one_huge_entry_becomes_512_small_ones)
def no_program_can_tell_splits_from_linux(kernel: Kernel) -> None:
    """Programs that unmap, protect and forget parts of 2 MiB see what they see on the reference, and all comes back."""
    for start, length in ((0, 1), (511, 1), (3, 7), (1, 510)):
        part = start * PAGE_SIZE, length * PAGE_SIZE
        for act in (
            Munmap("a", *part),
            Mprotect("a", False, *part),
            Madvise("a", "dontneed", *part),
            Madvise("a", "nohugepage", *part),
        ):
            _alike(
                kernel,
                *AREA,
                Read("a", PMD_SIZE),
                act._replace(offset=PMD_SIZE + part[0]),
                Read("a", PMD_SIZE + 100 * PAGE_SIZE, 3 * PAGE_SIZE),
                Write("a", PMD_SIZE + 200 * PAGE_SIZE, b"w", 2 * PAGE_SIZE),
                Fork("child"),
                Read("a", PMD_SIZE + 300 * PAGE_SIZE, 30 * PAGE_SIZE, by="child"),
                Exit(),
                Exit("child"),
            )
    _memory_runs_out(kernel)
    _differential(kernel, fork=True)


@check(SPLIT, points=1, needs=open_checks.a_reader_on_another_cpu_sees_zeroes)
def two_splits_and_an_unmap(kernel: Kernel) -> object:
    """Two CPUs split the same 2 MiB while a third unmaps them: nothing is lost under any schedule."""
    writer = fixtures.fault(WP, True, mk_huge_zero_pmd(fixtures.ZEROES_2M))
    return _nothing_is_lost(kernel, fixtures.mapped(), [SPLITTER, SPLITTER, AWAY], [SPLITTER, writer])


# the repairs


def _nothing_is_left(kernel: Kernel) -> None:
    """When every process has ended, every frame but the huge zero folio's is free again."""
    for order in (("main", "child"), ("child", "main")):
        program = [*AREA, *FAMILY[:7], *(Exit(who) for who in order)]
        all_comes_back(kernel, program, "parent and child have ended", **MACHINE)


@check("copy_huge_pmd", points=1, needs=open_checks.fork_copies_one_entry_for_2_mib)
def no_program_can_tell_huge_forks_from_linux(kernel: Kernel) -> None:
    """No generated program that forks sees anything else than on the reference; memory may run out."""
    _memory_runs_out(kernel)
    _nothing_is_left(kernel)
    _alike(
        kernel, *AREA, Mprotect("a", False, 0, PMD_SIZE), Fork("b"), Fork("c", "b"), Exit("b"), Read("a", by="c"), Exit("c")
    )  # fmt: skip
    _differential(kernel, fork=True)


@check("zap_huge_pmd", points=1, needs=open_checks.unmapping_2_mib_gives_everything_back)
def no_program_can_tell_huge_unmaps_from_linux(kernel: Kernel) -> None:
    """No generated program that unmaps and exits sees anything else than on the reference; nothing is left."""
    _nothing_is_left(kernel)
    threads = [
        Thread("t"),
        Fork("child"),
        Madvise("a", "dontneed", 0, PMD_SIZE),
        Read("a", 0, PMD_SIZE, by="t"),
    ]
    _alike(kernel, *AREA, *threads, Exit(), Read("a", by="child"), Exit("t"), Munmap("a", by="child"))
    _alike(
        kernel, *AREA, Mprotect("a", False, 0, PMD_SIZE), Fork("b"), Munmap("a"), Read("a", by="b"), Exit("b")
    )
    _differential(kernel, fork=True)


@check("change_huge_pmd", points=1, needs=open_checks.mprotect_changes_what_it_was_asked_to)
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
    _differential(kernel, fork=True)
