"""A bio: one command to a disk, with the pieces of memory that it reads from.

Linux: block/bio.c, block/blk-lib.c, include/linux/bio.h
"""

from __future__ import annotations

from typing import NamedTuple

from ..hw.ram import LEFT_BEHIND, PAGE_SIZE, Bytes, Contents
from ..mm.mm_types import EIO
from ..mm.page_alloc import ZERO_PAGE, Folio
from ..store import Atomic, Counter, Field, Handle, Vector, new, record

SECTOR_SIZE = 512  # bytes
BIO_MAX_VECS = 256


@record
class BioVec(NamedTuple):
    """A piece of memory: *bv_len* bytes of a folio, from *bv_offset*."""

    bv_folio: Folio
    bv_len: int
    bv_offset: int


class BlockDevice(Handle):
    """A disk of sectors of 512 bytes. It starts full of old data, all 0xCC."""

    __slots__ = ()
    bd_nr_sectors = Field(0, "its size, in sectors")
    max_write_zeroes_sectors = Field(
        0, "how many sectors it can zero by one command of its own; 0: it cannot"
    )
    data = Atomic(Contents(fill=LEFT_BEHIND), "the bytes on it", Bytes)
    bios = Atomic(0, "write commands carried out", Counter)
    vecs = Atomic(0, "pieces of memory in those", Counter)
    zeroings = Atomic(0, "write-zeroes commands carried out", Counter)


class Bio(Handle):
    """One write: consecutive sectors of a disk, and where in memory their bytes are."""

    __slots__ = ()
    dynamic = True
    bi_bdev = Field(None, "the disk")
    bi_sector = Field(0, "the first sector")
    bi_io_vec = Atomic((), "its pieces, in order", Vector)


def bio_alloc(bdev: BlockDevice, sector: int) -> Bio:
    """An empty write to *bdev* that starts at *sector*."""
    bio: Bio = new("Bio")
    bio.bi_bdev = bdev
    bio.bi_sector = sector
    return bio


def bio_add_folio(bio: Bio, folio: Folio, length: int, offset: int = 0) -> bool:
    """Add *length* bytes of *folio*, from *offset*; False if the bio has its 256 pieces already."""
    if not (length > 0 and offset >= 0 and offset + length <= folio.nr_pages * PAGE_SIZE):
        size = folio.nr_pages * PAGE_SIZE
        raise ValueError(f"bio_add_folio: bytes {offset} to {offset + length} of a folio that has {size}")
    return bio.bi_io_vec.append(BioVec(folio, length, offset), BIO_MAX_VECS)


def submit_bio_wait(bio: Bio) -> int:
    """Let the disk carry the bio out. Returns 0, or EIO for what does not fit on the disk."""
    bdev, vecs = bio.bi_bdev, bio.bi_io_vec.read()
    at = bio.bi_sector * SECTOR_SIZE
    length = sum(vec.bv_len for vec in vecs)
    if at < 0 or length % SECTOR_SIZE or at + length > bdev.bd_nr_sectors * SECTOR_SIZE:
        return EIO
    bdev.bios.inc()
    bdev.vecs.add(len(vecs))
    for vec in vecs:
        bdev.data.paste(at, vec.bv_folio.data.read(), vec.bv_offset, vec.bv_len)
        at += vec.bv_len
    return 0


def bdev_write_zeroes_sectors(bdev: BlockDevice) -> int:
    """How many sectors *bdev* can zero by one command of its own; 0 if it cannot."""
    return bdev.max_write_zeroes_sectors


def issue_write_zeroes(bdev: BlockDevice, sector: int, nr_sects: int) -> int:
    """One write-zeroes command. Returns 0, or EIO where the disk cannot do that."""
    if not 0 < nr_sects <= bdev.max_write_zeroes_sectors or sector + nr_sects > bdev.bd_nr_sectors:
        return EIO
    bdev.zeroings.inc()
    bdev.data.paste(sector * SECTOR_SIZE, Contents(), 0, nr_sects * SECTOR_SIZE)
    return 0


def assemble_block(bdev: BlockDevice, sector: int, folio: Folio, offset: int, length: int) -> int:
    """Write one block of 4 KiB of which only *length* bytes, at *offset*, are at hand; the rest is zeroes.

    The data are in *folio*, at the same offset. Before and behind them stands the zero page:
    nothing is copied and no frame is taken. Returns 0, or EIO.
    """
    bio = bio_alloc(bdev, sector)
    if offset:
        bio_add_folio(bio, ZERO_PAGE, offset)
    bio_add_folio(bio, folio, length, offset)
    if offset + length < PAGE_SIZE:
        bio_add_folio(bio, ZERO_PAGE, PAGE_SIZE - offset - length)
    return submit_bio_wait(bio)
