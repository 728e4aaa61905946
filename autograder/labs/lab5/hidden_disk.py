"""The hidden checks of lab 5: zeroes for disks."""

from __future__ import annotations

from typing import Any

from hugezero.block.bio import BIO_MAX_VECS, SECTOR_SIZE, BlockDevice
from hugezero.block.zeroing import PRIVATE_ZEROES
from hugezero.check.checks import check, expect
from hugezero.explore.threads import calls
from hugezero.hw.ram import FROZEN_ZEROES, PAGE_SIZE
from hugezero.labs.lab1.fixtures import expect_zeroed, zero
from hugezero.labs.lab5 import check_disk as open_checks
from hugezero.labs.lab5.check_disk import BLOCK, ZERO
from hugezero.labs.lab5.check_folio import LARGEST
from hugezero.labs.lab5.fixtures import (
    BLOCKS,
    BUILT,
    KINDS,
    WITHOUT,
    booted,
    data_folio,
    expect_untouched,
    in_bios,
    lasting,
    pieces,
)
from hugezero.machine import Kernel
from hugezero.mm.mm_types import EIO
from hugezero.mm.page_alloc import Folio
from hugezero.store import Cell
from hypothesis import strategies as st

from ..programs import EXAMPLES, always
from .both_kernels import (
    LEAVES,
    ZEROES_THERE,
    held_by,
    in_each,
    in_use,
    persistent,
)

MANY = max(20, EXAMPLES // 5)
PER_PAGE = PAGE_SIZE // SECTOR_SIZE
BDEV = BlockDevice(1)
SIXTEEN_KIB = Folio((32, 2, 0))


def _with(kernel: Kernel, zeroes: Folio) -> Kernel:
    """The kernel, where the largest folio of zeroes has a third size: who asks it is told so."""
    return Kernel({**kernel.functions, LARGEST: lambda: zeroes})


def _there(machine: Any, zeroes: Folio) -> Folio:
    machine.cells[zeroes, "state"] = "reserved"
    machine.cells[zeroes, "data"] = FROZEN_ZEROES
    return zeroes


def _counts(kernel: Kernel, kind: str, sector: int, nr: int, private: bool) -> None:
    """How many pieces and bios a range takes, on a disk that is all zeroes already."""
    with booted(_with(kernel, PRIVATE_ZEROES) if private else kernel, kind, log=False) as machine:
        zeroes = _there(machine, PRIVATE_ZEROES) if private else lasting(kind)
        disk = machine.disk(1 << 17, old=0)
        zero(machine.kernel, disk, sector, nr)
        vecs, found = pieces(nr * SECTOR_SIZE, zeroes), (disk.vecs.read(), disk.bios.read())
        size = f"zeroes of {zeroes.nr_pages * PAGE_SIZE:,} bytes"
        expect(
            found == (vecs, in_bios(vecs)),
            f"{nr} sectors from {sector}, {size}: {found[0]} pieces in {found[1]} bios; it should be {vecs} in "
            f"{in_bios(vecs)}",
        )
        expect_untouched(machine, f"{nr} sectors from {sector}, {size}")


@check(ZERO, points=0.5, needs=open_checks.pieces_are_as_large_as_there_are)
def every_edge_of_a_bio_of_any_zeroes(kernel: Kernel) -> None:
    """Up to 257 pieces, whole and broken off, of 4 KiB and of 64 KiB, and some of 2 MiB."""
    edges = (0, 1, BIO_MAX_VECS - 1, BIO_MAX_VECS, BIO_MAX_VECS + 1)
    for kind, private, whole, counts in (
        (WITHOUT, False, PER_PAGE, edges),
        (WITHOUT, True, 128, edges),
        (BUILT, False, 4096, (0, 1, 2, 30)),
    ):
        for many in counts:
            for tail in (0, 1, whole - 1):
                _counts(kernel, kind, 3, many * whole + tail, private)


def _bytes(kernel: Kernel, example: tuple[str, int, int, int, int | None]) -> None:
    kind, sector, nr, able, bad = example
    with booted(kernel, kind, log=False) as machine:
        disk = machine.disk(1200, able)
        disk.bd_bad_sector = bad
        error = machine.kernel.blkdev_issue_zero_pages(disk, sector, nr)
        what = f"a kernel {kind}: {nr} sectors from {sector} of a disk of 1200" + (
            f" that zeroes {able} at a time" if able else ""
        )
        past, broken = sector + nr > 1200, bad is not None and bad < sector + nr and nr > 0
        right = EIO if past or broken else 0
        if bad is not None:
            what += f", whose sector {bad} is bad"
        expect(
            error == right and type(error) is int, f"{what}: it returned {error!r}; it should return {right}"
        )
        if not right:
            expect_zeroed(disk, sector, nr)
        elif broken and not past:
            expect_zeroed(disk, sector, max(0, bad - sector) if bad is not None else 0)
        expect_untouched(machine, what)


@check(ZERO, points=0.5, needs=open_checks.errors_of_the_disk_are_passed_on)
def any_range_of_any_disk_in_any_kernel(kernel: Kernel) -> object:
    """Generated ranges of good disks and bad ones; and under every schedule, while a process ends and memory is tight."""
    ranges = st.tuples(
        st.sampled_from(KINDS),
        st.integers(0, 70),
        st.integers(0, 90) | st.sampled_from([1024, 1130, 1200]),
        st.sampled_from([0, 0, 0, 7, 512]),
        st.sampled_from([None, None, 0, 64, 65, 600]),
    )
    always(lambda example: _bytes(kernel, example), ranges, MANY)
    user = calls("writer", (ZERO, BDEV, 0, 8))
    there: dict[Cell, Any] = {**ZEROES_THERE, (BDEV, "bd_nr_sectors"): 64}
    machines = [{**cells, **there} for cells in (persistent(), in_use())]
    return in_each(
        kernel, machines, user, LEAVES, at_end=held_by(0), story="the disk reads nothing that has gone"
    )


# assemble_block


@check(BLOCK, points=0.5, needs=open_checks.large_blocks_in_both_kernels)
def any_part_of_any_block(kernel: Kernel) -> None:
    """Generated parts of blocks of 4, 16 and 64 KiB, also none, in every kernel."""

    @st.composite
    def parts(draw: Any) -> tuple[str, int, int, int]:
        size = draw(st.sampled_from(BLOCKS))
        offset = draw(st.integers(0, size) | st.integers(0, size // 512).map(lambda n: n * 512))
        length = draw(st.integers(0, size - offset) | st.just(size - offset))
        return draw(st.sampled_from(KINDS)), offset, length, size

    always(lambda example: open_checks.assemble(kernel, *example), parts(), MANY)


@check(BLOCK, points=0.5, needs=open_checks.large_blocks_in_both_kernels)
def zeroes_of_a_third_size_do_as_well(kernel: Kernel) -> None:
    """Where the largest folio of zeroes has some other size, 16 KiB, blocks are made of that."""
    for size in BLOCKS:
        for offset, length in ((0, 512), (size - 512, 512), (512, 512), (size // 2, size // 4)):
            with booted(_with(kernel, SIXTEEN_KIB), WITHOUT) as machine:
                folio, _ = data_folio(offset, length)
                zeroes, disk = _there(machine, SIXTEEN_KIB), machine.disk(512)
                machine.at_boot = dict(machine.cells)
                what = f"{length:,} bytes at {offset:,} of a block of {size:,}, with zeroes of 16 KiB"
                error = machine.kernel.assemble_block(disk, 8, folio, offset, length, size)
                expect(error == 0 and error is not None, f"{what}: it returned {error!r}; it should be 0")
                vecs = pieces(offset, zeroes) + 1 + pieces(size - offset - length, zeroes)
                found = disk.vecs.read()
                expect(found == vecs, f"{what}: it took {found} pieces; it should be {vecs}")
                expect_untouched(machine, what)


@check(BLOCK, points=0.5, needs=open_checks.a_block_that_does_not_reach_the_disk_is_an_error)
def one_bio_a_block_and_no_more_on_the_disk_than_reached_it(kernel: Kernel) -> None:
    """A block is one write: past the end nothing of it is written, and of a bad disk what lies before the bad sector."""
    for kind in KINDS:
        for size in BLOCKS:
            for bad in range(8, 8 + size // SECTOR_SIZE, 5):
                with booted(kernel, kind) as machine:
                    folio, data = data_folio(512, size - 1024)
                    machine.at_boot = dict(machine.cells)
                    disk = machine.disk(512)
                    disk.bd_bad_sector = bad
                    what = f"a kernel {kind}: a block of {size:,} at sector 8 of a disk whose sector {bad} is bad"
                    error = machine.kernel.assemble_block(disk, 8, folio, 512, size - 1024, size)
                    expect(error == EIO, f"{what}: it returned {error!r}; it should return EIO, {EIO}")
                    block = (bytes(512) + data + bytes(512))[: (bad - 8) * SECTOR_SIZE]
                    block += b"\xcc" * (size - len(block))
                    expect(
                        disk.data.load(8 * SECTOR_SIZE, size) == block,
                        f"{what}: it should have reached the disk up to that sector, and no further",
                    )
            with booted(kernel, kind) as machine:
                folio, _ = data_folio(512, 512)
                disk = machine.disk(size // SECTOR_SIZE)
                before = disk.data.read()
                error = machine.kernel.assemble_block(disk, 1, folio, 512, 512, size)
                expect(
                    error == EIO and disk.data.read() == before,
                    f"a kernel {kind}: a block of {size:,} reaches past the end of the disk: it returned {error!r}, and "
                    "nothing of it should be written",
                )
