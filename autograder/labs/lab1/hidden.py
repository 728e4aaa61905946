"""The hidden checks of lab 1. They never enter a notebook: only the judge reads this file."""

from __future__ import annotations

from typing import Any

from hugezero.block.bio import BIO_MAX_VECS, SECTOR_SIZE
from hugezero.check.checks import check, expect
from hugezero.hw.ram import PAGE_SIZE
from hugezero.labs.lab1 import check_disk, check_faults, check_repairs
from hugezero.machine import Kernel
from hugezero.mm.mm_types import EIO
from hugezero.scenario import Action, Exit, Fork, Madvise, Mmap, Munmap, Read, Write
from hypothesis import strategies as st

from ..failing import survives
from ..programs import all_comes_back, always, look_alike, programs_look_alike
from .programs import PROGRAMS

REFERENCE = PROGRAMS.reference
SMALL: dict[str, Any] = {"pages": 256, "log": False}
PER_PAGE = PAGE_SIZE // SECTOR_SIZE


FAMILY: list[Action] = [
    Mmap("a", 5 * PAGE_SIZE),
    Write("a", 4 * PAGE_SIZE),
    Read("a", 0, 2 * PAGE_SIZE),
    Write("a", PAGE_SIZE, b"x", 2 * PAGE_SIZE),
    Fork("child"),
    Write("a", 0, b"y", 4 * PAGE_SIZE, by="child"),
    Write("a", PAGE_SIZE, b"z"),
    Read("a", 0, 4 * PAGE_SIZE, by="child"),
    Read("a", 0, 5 * PAGE_SIZE),
    Munmap("a"),
    Read("a", 0, 5 * PAGE_SIZE, by="child"),
    Exit("child"),
]


def _memory_runs_out(kernel: Kernel) -> None:
    survives(kernel, PROGRAMS, FAMILY, 256)


def _three_generations(kernel: Kernel) -> None:
    """A page with three holders: each of them in turn writes to it, forgets it, or unmaps it."""
    first: list[Action] = [
        Mmap("a", 4 * PAGE_SIZE),
        Read("a", 3 * PAGE_SIZE),
        Write("a", 0, b"x", 3 * PAGE_SIZE),
        Fork("child"),
        Fork("grandchild", "child"),
    ]
    everybody = ("main", "child", "grandchild")
    for who in everybody:
        acts: tuple[Action, ...] = (
            Write("a", 0, b"y", 4 * PAGE_SIZE, by=who),
            Munmap("a", 0, PAGE_SIZE, who),
        )
        for act in (*acts, Madvise("a", "dontneed", by=who)):
            reads = [Read("a", PAGE_SIZE, 3 * PAGE_SIZE, by=each) for each in everybody]
            look_alike(kernel, REFERENCE, [*first, act, *reads, Munmap("a", by=who)], **SMALL)


def _nothing_is_left(kernel: Kernel) -> None:
    """When every process has ended, every frame is free again."""
    for order in (("main", "child"), ("child", "main")):
        program: list[Action] = [
            Mmap("a", 3 * PAGE_SIZE),
            Read("a"),
            Write("a", PAGE_SIZE, b"x", 2 * PAGE_SIZE),
            Fork("child"),
            Write("a", PAGE_SIZE, by="child"),
            Write("a", 2 * PAGE_SIZE),
            *(Exit(who) for who in order),
        ]
        all_comes_back(kernel, program, "parent and child have ended", **SMALL)


@check(check_faults.ANON, points=0.5, needs=check_faults.a_read_is_counted_by_nobody)
def no_program_can_tell_reads_from_linux(kernel: Kernel) -> None:
    """No generated program that has not forked sees anything else than on the reference."""
    programs_look_alike(kernel, PROGRAMS, alone=True)


@check(
    "do_anonymous_page",
    points=0.5,
    needs=[check_faults.a_read_is_counted_by_nobody, check_faults.a_write_gets_a_zeroed_folio],
)
def anonymous_memory_may_run_out(kernel: Kernel) -> None:
    """With forks, and with memory that runs out at any point, it still does what the reference does."""
    _memory_runs_out(kernel)
    programs_look_alike(kernel, PROGRAMS)


@check(
    "do_wp_page",
    points=0.5,
    needs=[
        check_faults.a_write_to_the_zero_page_copies_nothing,
        check_faults.a_write_to_a_shared_page_copies_it,
    ],
)
def no_program_can_tell_writes_from_linux(kernel: Kernel) -> None:
    """No generated program of several processes sees anything else than on the reference."""
    _three_generations(kernel)
    programs_look_alike(kernel, PROGRAMS)


@check(check_faults.WP, points=0.5, needs=check_faults.a_write_to_a_shared_page_copies_it)
def copies_may_run_out_of_memory(kernel: Kernel) -> None:
    """With memory that runs out at any point it does what the reference does, and all of it comes back."""
    _memory_runs_out(kernel)
    _nothing_is_left(kernel)


@check(check_repairs.COPY, points=0.5, needs=check_repairs.fork_shares_pages_and_counts_each_holder)
def no_program_can_tell_forks_from_linux(kernel: Kernel) -> None:
    """No generated program that forks sees anything else than on the reference."""
    _three_generations(kernel)
    programs_look_alike(kernel, PROGRAMS)
    _memory_runs_out(kernel)


@check(check_repairs.ZAP, points=0.5, needs=check_repairs.unmapping_gives_back_what_was_counted)
def no_program_can_tell_unmaps_from_linux(kernel: Kernel) -> None:
    """No generated program that unmaps and exits sees anything else than on the reference."""
    _three_generations(kernel)
    programs_look_alike(kernel, PROGRAMS)
    _nothing_is_left(kernel)


def _disk_after(
    kernel: Kernel, sector: int, nr: int, able: int, size: int
) -> tuple[object, dict[str, object]]:
    """What zeroing returned, and all that can be seen of the disk and of memory afterwards."""
    with kernel.booted(pages=64, log=False) as machine:
        disk = machine.disk(size, able)
        error = kernel.blkdev_issue_zero_pages(disk, sector, nr)
        seen = {name: machine.peek((disk, name)) for name in ("data", "bios", "vecs", "zeroings")}
        seen["frames taken"] = machine.births.pgalloc
    return error, seen


def _zeroes_as_the_reference(kernel: Kernel, sector: int, nr: int, able: int = 0, size: int = 8192) -> None:
    what = f"{nr} sectors from sector {sector} of a disk of {size}" + (
        f" that zeroes {able} at a time" if able else ""
    )
    error, seen = _disk_after(kernel, sector, nr, able, size)
    _, right = _disk_after(REFERENCE, sector, nr, able, size)
    if sector + nr > size:
        expect(error == EIO, f"{what}, past its end: it returned {error!r}; it should return EIO, {EIO}")
        return
    expect(error == 0 and error is not None, f"{what}: it returned {error!r}; it should return 0")
    expect(seen["data"] == right["data"], f"{what}: the bytes on the disk are not what they should be")
    for name in ("bios", "vecs", "zeroings", "frames taken"):
        expect(seen[name] == right[name], f"{what}: {seen[name]} {name}; it should be {right[name]}")


@check(check_disk.ZERO, points=0.5, needs=check_disk.the_sectors_read_as_zeroes)
def every_edge_of_a_bio(kernel: Kernel) -> None:
    """0, 1, 255, 256 and 257 pieces, whole and broken off, from every sector of a page."""
    for pieces in (0, 1, BIO_MAX_VECS - 1, BIO_MAX_VECS, BIO_MAX_VECS + 1):
        for tail in (0, 1, PER_PAGE - 1):
            for head in (0, 1, PER_PAGE - 1):
                _zeroes_as_the_reference(kernel, head, pieces * PER_PAGE + tail)


@check(check_disk.ZERO, points=0.5, needs=check_disk.a_bio_is_filled_before_it_is_sent)
def any_range_of_any_disk(kernel: Kernel) -> None:
    """Generated ranges, also past the end, on disks that zero by themselves and disks that cannot."""
    ranges = st.tuples(
        st.integers(0, 70),
        st.integers(0, 300) | st.sampled_from([2047, 2048, 2049, 4200]),
        st.sampled_from([0, 0, 1, 7, 1024, 1 << 20]),
        st.sampled_from([8192, 2048]),
    )
    always(lambda example: _zeroes_as_the_reference(kernel, *example), ranges)
