"""The open checks of lab 5: zeroes for disks, as large as there are, and a guess."""

from __future__ import annotations

from ...block.bio import SECTOR_SIZE
from ...block.report import because
from ...check.checks import check, expect, expect_equal
from ...check.notebook import exercise
from ...hw.ram import PAGE_SIZE
from ...machine import Kernel
from ...mm.mm_types import EIO, error_code
from ...mm.page_alloc import Folio
from ..guesses import expect_letter
from ..lab1.fixtures import expect_zeroed, zero
from .fixtures import (
    BLOCKS,
    BUILT,
    KINDS,
    WITHOUT,
    booted,
    data_folio,
    expect_block,
    expect_untouched,
    in_bios,
    lasting,
    pieces,
)

ZERO, BLOCK = "blkdev_issue_zero_pages", "assemble_block"
ONE_GIB = "predict_one_gib"

exercise(ONE_GIB, "Your guess is written down. The next cell counts.", in_kernel=False)
exercise(
    ZERO,
    "You now have a disk zeroed in pieces as large as there are.",
    more=1,
    untried="every edge of a bio with zeroes of other sizes, any range of good disks and bad ones, and memory that gets tight meanwhile",
    calls="largest_zero_folio",
)
exercise(
    BLOCK,
    "You now have blocks of any size, out of whatever data is at hand.",
    more=1.5,
    untried="any part of blocks of any size, zeroes of a third size, and what is on the disk after an error",
    calls="largest_zero_folio",
)


@check(ONE_GIB, points=1)
def a_guess_about_one_gib(kernel: Kernel) -> None:
    """You committed to a guess about 1 GiB of zeroes: the point is yours, right or wrong."""
    expect_letter(kernel, ONE_GIB)


@check(ZERO, points=1)
def zeroes_reach_the_disk_in_any_kernel(kernel: Kernel) -> None:
    """The sectors asked for read as zeroes, and those beside them are as before, whatever zeroes there are."""
    for kind in KINDS:
        for sector, nr in ((0, 8), (3, 5), (1, 100), (7, 0)):
            with booted(kernel, kind) as machine:
                disk = machine.disk(128)
                zero(machine.kernel, disk, sector, nr)
                expect_zeroed(disk, sector, nr)
                expect_untouched(machine, f"a kernel {kind}")


@check(ZERO, points=0.5, needs=zeroes_reach_the_disk_in_any_kernel)
def pieces_are_as_large_as_there_are(kernel: Kernel) -> None:
    """2 MiB are one piece in one bio, or 512 in two; 5 MiB and a sector are counted out just as well."""
    for kind in KINDS:
        for nr in (4096, 5 * 2048 + 1):
            with booted(kernel, kind) as machine:
                disk = machine.disk(1 << 15, old=0)
                zero(machine.kernel, disk, 8, nr)
                found = disk.vecs.read(), disk.bios.read()
                vecs = pieces(nr * SECTOR_SIZE, lasting(kind))
                expect(
                    found == (vecs, in_bios(vecs)),
                    f"a kernel {kind}: {nr * SECTOR_SIZE:,} bytes took {found[0]} pieces in {found[1]} bios; it should be "
                    f"{vecs} in {in_bios(vecs)}",
                    "the folio knows how large it is: folio.nr_pages"
                    if found[0] != vecs
                    else "bio_add_folio says False when a bio is full: only then is it time to send it",
                )


@check(ZERO, points=0.5, needs=zeroes_reach_the_disk_in_any_kernel)
def errors_of_the_disk_are_passed_on(kernel: Kernel) -> None:
    """Past the end, and from a bad sector on, it is EIO and nothing more is sent; a disk that can zero is asked to."""
    for kind in (BUILT, WITHOUT):
        with booted(kernel, kind) as machine:
            disk = machine.disk(1 << 14, old=0)
            error = machine.kernel.blkdev_issue_zero_pages(disk, (1 << 14) - 8, 16)
            expect(
                error == EIO,
                f"8 of 16 sectors lie behind the end of the disk: it returned {error_code(error)}, not EIO",
            )
            disk = machine.disk(1 << 14)
            disk.bd_bad_sector = 100
            error = machine.kernel.blkdev_issue_zero_pages(disk, 96, 1 << 13)
            expect(error == EIO, f"sector 100 cannot be written: it returned {error_code(error)}, not EIO")
            what, hint = "the first bio failed, and the number carried out", "who looks at the error?"
            expect_equal(what, disk.bios.read(), 1, hint)
            able = machine.disk(8192, max_write_zeroes_sectors=1024)
            zero(machine.kernel, able, 0, 2560)
            found = able.bios.read(), able.zeroings.read()
            expect(
                found == (0, 3),
                f"a disk that zeroes 1,024 sectors at a time was sent {found[1]} such commands and {found[0]} bios for "
                "2,560 sectors; it should be 3 and none",
            )


def assemble(
    kernel: Kernel, kind: str, offset: int, length: int, size: int, zeroes: Folio | None = None
) -> None:
    """Let *kernel* write a block, and look at the disk, the bio and the memory."""
    what = f"a kernel {kind}: {length:,} bytes at {offset:,} of a block of {size:,}"
    with booted(kernel, kind) as machine:
        folio, data = data_folio(offset, length)
        machine.at_boot = dict(machine.cells)
        zeroes, disk = zeroes or lasting(kind), machine.disk(512)
        error = machine.kernel.assemble_block(disk, 8, folio, offset, length, size)
        why = because(machine, disk)
        expect(
            error == 0 and error is not None, f"{what}: it returned {error_code(error)}; it should be 0{why}"
        )
        expect_block(disk, 8, offset, data, size, what)
        found = disk.vecs.read(), disk.bios.read()
        vecs = pieces(offset, zeroes) + bool(length) + pieces(size - offset - length, zeroes)
        expect(
            found == (vecs, 1),
            f"{what}: it took {found[0]} pieces in {found[1]} bios; it should be {vecs} in 1",
            "one piece of data; and how many of zeroes, with the folio that there is?",
        )
        expect_untouched(machine, what)
        count = machine.peek((folio, "refcount"))
        expect(count == 1, f"{what}: the count of the data's folio is {count}; it should stay 1")


@check(BLOCK, points=1)
def a_small_block_is_its_data_and_zeroes(kernel: Kernel) -> None:
    """A block of 4 KiB: data in front, in the middle, at the end, or all of it, and zeroes around them."""
    for kind in KINDS:
        for offset, length in ((0, 512), (512, 1024), (3584, 512), (0, PAGE_SIZE), (412, 100)):
            assemble(kernel, kind, offset, length, PAGE_SIZE)


@check(BLOCK, points=1.5, needs=a_small_block_is_its_data_and_zeroes)
def large_blocks_in_both_kernels(kernel: Kernel) -> None:
    """Blocks of 16 and 64 KiB, in few pieces or many, as the zeroes allow."""
    for kind in KINDS:
        for size in BLOCKS[1:]:
            for offset, length in (
                (0, 512),
                (size // 2, 512),
                (size - 512, 512),
                (512, size - 1024),
                (0, size),
            ):
                assemble(kernel, kind, offset, length, size)


@check(BLOCK, points=1, needs=a_small_block_is_its_data_and_zeroes)
def a_block_that_does_not_reach_the_disk_is_an_error(kernel: Kernel) -> None:
    """Past the end of the disk, or at a bad sector, it is EIO."""
    for kind in (BUILT, WITHOUT):
        for sector, bad in ((63, None), (40, 42)):
            with booted(kernel, kind) as machine:
                folio, _ = data_folio(512, 512)
                disk = machine.disk(64)
                disk.bd_bad_sector = bad
                error = machine.kernel.assemble_block(disk, sector, folio, 512, 512, PAGE_SIZE)
                why = "lies partly behind the end of the disk" if bad is None else "has a bad sector"
                expect(error == EIO, f"the block {why}: it returned {error_code(error)}, not EIO")
