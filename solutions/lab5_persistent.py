"""Lab 5, the persistent huge zero folio: a page of zeroes that outlives every process.

New against lab 4: a kernel built for it allocates the folio at boot and never gives it back, so
that whoever has no mm, such as a disk that is still writing, can use it too.
"""

from hugezero.block.bio import (
    SECTOR_SIZE,
    bdev_write_zeroes_sectors,
    bio_add_folio,
    bio_alloc,
    issue_write_zeroes,
    submit_bio,
    submit_bio_wait,
)
from hugezero.hw.ram import PAGE_SIZE
from hugezero.mm.huge_memory import HUGE_ZERO
from hugezero.mm.mm_types import ENOMEM
from hugezero.mm.page_alloc import ZERO_PAGE
from hugezero.mm.printk import CONFIG, pr_warn
from hugezero.mm.shrinker import shrinker_register
from hugezero.scenario import DropCaches, Exit, Fork, Madvise, Mmap, Write
from hugezero.scenario.storage import DiskWorks, Zeroout

from solutions.lab3_shrinker import get_huge_zero_folio, put_huge_zero_folio


def secret_on_disk():
    """A program after which a disk that should hold zeroes holds what a process wrote to its own memory.

    Returns a list of actions: Zeroout, DiskWorks, Mmap, Write, Fork, Exit, DropCaches, ...
    """
    return [
        Mmap("b", 2 << 20),
        Madvise("b", "hugepage"),
        Fork("other"),
        Zeroout(),
        Exit(),
        DropCaches(),
        Write("b", 0, b"secret", by="other"),
        DiskWorks(),
    ]


def zeroout_counting(mm, bdev, sector, nr_sects):
    """Have *nr_sects* sectors of *bdev*, from *sector*, zeroed out of the huge zero folio, and do not wait for the disk.

    Each bio holds a reference of its own from before it is sent until the disk is through with it; then
    `end_zeroout` gives it back. *mm*, the process that asks, may be gone by then. Returns 0 when all bios
    are on their way, or ENOMEM; then those that were sent before are carried out all the same.
    """
    end = sector + nr_sects
    while sector < end:
        zeroes = get_huge_zero_folio(HUGE_ZERO)
        if zeroes is None:
            return ENOMEM
        length = min(zeroes.nr_pages * PAGE_SIZE, (end - sector) * SECTOR_SIZE)
        bio = bio_alloc(bdev, sector)
        bio_add_folio(bio, zeroes, length)
        bio.bi_end_io = "end_zeroout"
        submit_bio(bio)
        sector += length // SECTOR_SIZE
    return 0


def end_zeroout(bio):
    """Give back the reference of a bio of `zeroout_counting`: the disk is through with it, whether it could write or not."""
    put_huge_zero_folio(HUGE_ZERO)


def predict_counting_again():
    """A reference for each request: how much more do 72 CPUs get done than 8?

    Returns "a" (less), "b" (9 times as much), "c" (about 4 times) or "d" (about 1.5 times).
    """
    return "d"


def hugezero_init(config):
    """At boot: keep the huge zero folio for ever if *config* says so; if not, register its shrinker.

    Where there is no memory for it, say so in the kernel's log, and boot all the same.
    Linux: thp_shrinker_init, mm/huge_memory.c, since 6.18
    """
    if not config.PERSISTENT_HUGE_ZERO_FOLIO.test():
        shrinker_register("shrink_huge_zero_folio_count", "shrink_huge_zero_folio_scan", HUGE_ZERO)
    elif get_huge_zero_folio(HUGE_ZERO) is None:
        pr_warn("no memory for a persistent huge zero folio: small pages of zeroes must do")


def mm_get_huge_zero_folio(mm):
    """Let *mm* map the huge zero folio until it dies.

    A persistent one is simply there, or is not. Returns the folio, or None if there is none to be had.
    Linux: mm/huge_memory.c, since 6.18
    """
    if CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() or mm.huge_zero.test():
        return HUGE_ZERO.folio.read()
    folio = get_huge_zero_folio(HUGE_ZERO)
    if folio is not None and mm.huge_zero.test_and_set():
        put_huge_zero_folio(HUGE_ZERO)
    return folio


def mm_put_huge_zero_folio(mm):
    """Give the reference of *mm* back, if it has one. Nobody has one on a persistent folio.

    Linux: mm/huge_memory.c, since 6.18
    """
    if not CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() and mm.huge_zero.test():
        put_huge_zero_folio(HUGE_ZERO)


def largest_zero_folio():
    """The largest folio of zeroes that anybody may use at any time, with no mm to hold it by.

    Ask it for its size: it is the persistent huge zero folio, or the zero page.
    Linux: include/linux/huge_mm.h, since 6.18
    """
    folio = HUGE_ZERO.folio.read() if CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() else None
    return ZERO_PAGE if folio is None else folio


def predict_one_gib():
    """What does 1 GiB of zeroes take with the persistent folio?

    Returns "a" (262,144 vectors in 1,024 bios), "b" (512 vectors in 2 bios) or "c" (512 vectors in 1 bio).
    """
    return "b"


def blkdev_issue_zero_pages(bdev, sector, nr_sects):
    """Make *nr_sects* sectors of *bdev*, from *sector*, read as zeroes.

    A disk that can zero by itself is asked to, as much at a time as it takes. Any other one is
    written to with the largest folio of zeroes, as many pieces to a bio as fit. No memory is
    allocated.
    Returns 0, or EIO.
    Linux: __blkdev_issue_zero_pages, block/blk-lib.c, since 6.18
    """
    at_once = bdev_write_zeroes_sectors(bdev)
    while nr_sects and at_once:
        n = min(nr_sects, at_once)
        error = issue_write_zeroes(bdev, sector, n)
        if error:
            return error
        sector, nr_sects = sector + n, nr_sects - n
    zeroes = largest_zero_folio()
    whole = zeroes.nr_pages * PAGE_SIZE
    while nr_sects:
        bio = bio_alloc(bdev, sector)
        while nr_sects and bio_add_folio(bio, zeroes, min(whole, nr_sects * SECTOR_SIZE)):
            n = min(whole // SECTOR_SIZE, nr_sects)
            sector, nr_sects = sector + n, nr_sects - n
        error = submit_bio_wait(bio)
        if error:
            return error
    return 0


def assemble_block(bdev, sector, folio, offset, length, block_size):
    """Write a block of *block_size* bytes of which only *length*, at *offset*, are at hand; the rest is zeroes.

    The data are in *folio*, at the same offset. Nothing is copied, and no memory is allocated.
    Returns 0, or EIO.
    Linux: iomap_dio_zero, fs/iomap/direct-io.c, since 6.19
    """
    bio = bio_alloc(bdev, sector)
    zeroes = largest_zero_folio()
    whole = zeroes.nr_pages * PAGE_SIZE
    for pad, data in ((offset, length), (block_size - offset - length, 0)):
        while pad:
            n = min(pad, whole)
            bio_add_folio(bio, zeroes, n)
            pad -= n
        if data:
            bio_add_folio(bio, folio, data, offset)
    return submit_bio_wait(bio)


def when_would_you():
    """From how much memory on would you turn the option on, for a machine that writes zeroes to disks?

    Returns a number of MiB, or "never".
    """
    return 1024
