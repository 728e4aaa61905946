"""The open checks of lab 1: a disk that is zeroed."""

from __future__ import annotations

from ...check.checks import check, expect
from ...check.notebook import exercise
from ...machine import Kernel
from ...mm.mm_types import EIO, error_code
from ...mm.page_alloc import ZERO_PAGE
from .fixtures import expect_zeroed, zero

ZERO = "blkdev_issue_zero_pages"

exercise(
    ZERO,
    "You now have a kernel that zeroes any disk out of one page of memory.",
    more=1,
    untried="every edge of a bio, ranges past the end, and disks that zero by themselves",
)


@check(ZERO, points=2)
def the_sectors_read_as_zeroes(kernel: Kernel) -> None:
    """The sectors asked for read as zeroes, the ones beside them are as before, and no frame is taken."""
    with kernel.booted(pages=64) as machine:
        for sector, nr in ((0, 8), (3, 5), (1, 16), (2, 9)):
            disk = machine.disk(64)
            zero(kernel, disk, sector, nr)
            expect_zeroed(disk, sector, nr)
        taken = machine.vmstat()["pgalloc_normal"]
        expect(taken == 0, f"{taken} frames were taken; there is a page of zeroes already: {ZERO_PAGE}")


@check(ZERO, points=1, needs=the_sectors_read_as_zeroes)
def a_bio_is_filled_before_it_is_sent(kernel: Kernel) -> None:
    """2 MiB take 512 pieces in 2 bios; a disk that zeroes by itself is asked to, and sent no bio."""
    with kernel.booted(pages=64) as machine:
        disk = machine.disk(8192)
        zero(kernel, disk, 0, 4096)
        bios, vecs = disk.bios.read(), disk.vecs.read()
        expect(
            (bios, vecs) == (2, 512),
            f"2 MiB took {vecs} pieces in {bios} bios; it should be 512 pieces in 2",
            "bio_add_folio says False when a bio is full: when is it time to submit it?",
        )
        expect_zeroed(disk, 0, 4096)
        error = kernel.blkdev_issue_zero_pages(disk, 8184, 16)
        expect(
            error == EIO,
            f"8 of 16 sectors lie behind the end of the disk: it returned {error_code(error)}, not EIO",
        )
        able = machine.disk(8192, max_write_zeroes_sectors=1024)
        zero(kernel, able, 0, 2560)
        bios, zeroings = able.bios.read(), able.zeroings.read()
        expect(
            (bios, zeroings) == (0, 3),
            f"a disk that zeroes 1,024 sectors at a time was sent {zeroings} such commands and {bios} bios for "
            "2,560 sectors; it should be 3 and none",
            "a disk that can zero needs no bio at all",
        )
        expect_zeroed(able, 0, 2560)
