"""Two ways to zero a part of a disk without waiting for it: each sends its bios off and returns.

They differ in where the zeroes come from, and in who makes sure that they stay. Bios of up to
2 MiB, one piece of memory each. A third way is for students to write.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..hw.ram import PAGE_SIZE
from ..mm.mm_types import ENOMEM, Mm
from ..mm.page_alloc import Folio
from ..store import call
from .bio import SECTOR_SIZE, BlockDevice, bio_add_folio, bio_alloc, submit_bio

PRIVATE_ORDER = 4
PRIVATE_ZEROES = Folio((16, PRIVATE_ORDER, 0))  # 64 KiB of zeroes, there from boot: iomap kept such a page


def zeroout_borrowing(mm: Mm, bdev: BlockDevice, sector: int, nr_sects: int) -> int:
    """Zero a part of *bdev* out of the huge zero folio that the calling process, *mm*, holds.

    Returns 0 when all bios are on their way, or ENOMEM.
    """
    zeroes = call("mm_get_huge_zero_folio", mm)
    if zeroes is None:
        return ENOMEM
    for first, length in _requests(sector, nr_sects, zeroes):
        bio = bio_alloc(bdev, first)
        bio_add_folio(bio, zeroes, length)
        submit_bio(bio)
    return 0


def zeroout_private(mm: Mm, bdev: BlockDevice, sector: int, nr_sects: int) -> int:
    """Zero a part of *bdev* out of 64 KiB of zeroes that nobody ever frees. Returns 0."""
    for first, length in _requests(sector, nr_sects, PRIVATE_ZEROES):
        bio = bio_alloc(bdev, first)
        bio_add_folio(bio, PRIVATE_ZEROES, length)
        submit_bio(bio)
    return 0


def _requests(sector: int, nr_sects: int, zeroes: Folio) -> Iterator[tuple[int, int]]:
    """Yield the range in parts for which one piece of *zeroes* is enough: first sector, bytes."""
    at_once = zeroes.nr_pages * PAGE_SIZE // SECTOR_SIZE
    for first in range(sector, sector + nr_sects, at_once):
        yield first, min(at_once, sector + nr_sects - first) * SECTOR_SIZE
