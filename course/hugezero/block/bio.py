"""A bio: one command to a disk, with the pieces of memory that it reads from.

Linux: block/bio.c, block/blk-lib.c, include/linux/bio.h
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..hw.ram import LEFT_BEHIND, PAGE_SIZE, Bytes, Contents
from ..mm.mm_types import EIO
from ..mm.page_alloc import ZERO_PAGE, Folio
from ..store import SOMETHING, Atomic, Counter, Field, Handle, Slot, Vector, new, operation, record, running

SECTOR_SIZE = 512  # bytes
BIO_MAX_VECS = 256
QUEUE = 1024  # bios that may wait for one disk


@record
class BioVec(NamedTuple):
    """A piece of memory: *bv_len* bytes of a folio, from *bv_offset*."""

    bv_folio: Folio
    bv_len: int
    bv_offset: int


@operation(words=SOMETHING, reads="part", writes=True)
def take(old: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
    return (old[1:], old[0]) if old else (old, None)


class Queue(Vector):
    """A cell that holds what waits for somebody, the oldest first."""

    __slots__ = ()
    verbs = (*Vector.verbs, "take")

    def take(self) -> Any:
        """Take the oldest one out and return it; None if nobody waits."""
        return running.environment.op(self.cell, "take", ())


class BlockDevice(Handle):
    """A disk of sectors of 512 bytes. It starts full of old data, all 0xCC."""

    __slots__ = ()
    bd_nr_sectors = Field(0, "its size, in sectors")
    bd_bad_sector = Field(None, "the first sector that cannot be written any more; None: all can")
    queue = Atomic((), "bios that it has not come to yet, the oldest first", Queue)
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
    bi_status = Atomic(None, "how it went: 0, or EIO; None while it is under way", Slot)
    bi_end_io = Field(None, "the name of the kernel's function that is called with it when it is through")


def bio_alloc(bdev: BlockDevice, sector: int) -> Bio:
    """Return an empty write to *bdev* that starts at *sector*."""
    bio: Bio = new("Bio")
    bio.bi_bdev = bdev
    bio.bi_sector = sector
    return bio


def bio_add_folio(bio: Bio, folio: Folio, length: int, offset: int = 0) -> bool:
    """Add *length* bytes of *folio*, from *offset*; return False if the bio has its 256 pieces already."""
    if not (length > 0 and offset >= 0 and offset + length <= folio.nr_pages * PAGE_SIZE):
        size = folio.nr_pages * PAGE_SIZE
        raise ValueError(f"bio_add_folio: bytes {offset} to {offset + length} of a folio that has {size}")
    return bio.bi_io_vec.append(BioVec(folio, length, offset), BIO_MAX_VECS)


def submit_bio(bio: Bio) -> None:
    """Hand the bio to its disk and go on. When the disk comes to it is the disk's affair: see block/disk.py.

    Then bi_status tells how it went, and the kernel's function bi_end_io is called, if one is named.
    """
    if not bio.bi_bdev.queue.append(bio, QUEUE):
        raise BlockingIOError(f"{bio!r}: {QUEUE:,} bios wait for {bio.bi_bdev!r} already; let it work first")


def submit_bio_wait(bio: Bio) -> int:
    """Let the disk carry the bio out, and wait for that.

    Returns 0, or EIO: for what does not fit on the disk, of which nothing is written, and for a sector
    that cannot be written, in front of which everything is.
    """
    bdev, vecs = bio.bi_bdev, bio.bi_io_vec.read()
    pieces, error = on_disk(bdev.bd_nr_sectors, bdev.bd_bad_sector, bio.bi_sector, vecs)
    if pieces:
        bdev.bios.inc()
        bdev.vecs.add(len(pieces))
    for at, vec in pieces:
        bdev.data.paste(at, vec.bv_folio.data.read(), vec.bv_offset, vec.bv_len)
    return error


def on_disk(
    nr_sectors: int, bad: int | None, sector: int, vecs: tuple[BioVec, ...]
) -> tuple[list[tuple[int, BioVec]], int]:
    """Return what a disk of *nr_sectors*, of which *bad* is broken, writes of a bio: (where, piece), and the bio's status."""
    at, length = sector * SECTOR_SIZE, sum(vec.bv_len for vec in vecs)
    if at < 0 or length % SECTOR_SIZE or at + length > nr_sectors * SECTOR_SIZE:
        return [], EIO
    end = at + length if bad is None else max(at, min(at + length, bad * SECTOR_SIZE))
    error = EIO if end < at + length else 0
    pieces = []
    for vec in vecs:
        if at < end:
            pieces.append((at, vec._replace(bv_len=min(vec.bv_len, end - at))))
        at += vec.bv_len
    return pieces, error


def bdev_write_zeroes_sectors(bdev: BlockDevice) -> int:
    """Return how many sectors *bdev* can zero by one command of its own; 0 if it cannot."""
    return bdev.max_write_zeroes_sectors


def issue_write_zeroes(bdev: BlockDevice, sector: int, nr_sects: int) -> int:
    """Send one write-zeroes command. Returns 0, or EIO where the disk cannot do that."""
    if not 0 < nr_sects <= bdev.max_write_zeroes_sectors or not 0 <= sector <= bdev.bd_nr_sectors - nr_sects:
        return EIO
    bad, end = bdev.bd_bad_sector, sector + nr_sects
    good = end if bad is None else max(sector, min(end, bad))
    bdev.zeroings.inc()
    if sector < good:
        bdev.data.paste(sector * SECTOR_SIZE, Contents(), 0, (good - sector) * SECTOR_SIZE)
    return EIO if good < end else 0


def assemble_block(bdev: BlockDevice, sector: int, folio: Folio, offset: int, length: int) -> int:
    """Write one block of 4 KiB of which only *length* bytes, at *offset*, are at hand; the rest is zeroes.

    The data are in *folio*, at the same offset. Before and after them stands the zero page:
    nothing is copied and no frame is taken. Returns 0, or EIO.
    """
    bio = bio_alloc(bdev, sector)
    if offset:
        bio_add_folio(bio, ZERO_PAGE, offset)
    bio_add_folio(bio, folio, length, offset)
    if offset + length < PAGE_SIZE:
        bio_add_folio(bio, ZERO_PAGE, PAGE_SIZE - offset - length)
    return submit_bio_wait(bio)
