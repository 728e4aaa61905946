"""A kernel that lends the disk what belongs to a process: the student's part is to show where that ends.

And the CPUs that zero a disk while it works, for searches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...block.bio import SECTOR_SIZE, BlockDevice
from ...block.zeroing import end_zeroout, zeroout_borrowing
from ...explore.state import Peek
from ...explore.threads import Hardware, Thread, calls, cpu
from ...machine import Kernel
from ...mm import memory
from ...mm.mm_types import Mm, VmFault
from ...store import Cell, call
from ..lab4.stand_ins import mm_get_huge_zero_folio
from ..lab4.two_designs import DESIGNS

BDEV, MM = BlockDevice(1), Mm(1)
SECTORS: dict[Cell, Any] = {(BDEV, "bd_nr_sectors"): 1 << 14}
_by_mm = DESIGNS["mms are counted"].functions


def _fault(vmf: VmFault) -> int:
    """Reads share zeroes, and a write has a huge page of its own."""
    if vmf.write:
        return memory.do_huge_pmd_anonymous_page(vmf)
    return _by_mm["do_huge_pmd_anonymous_page"](vmf)


def borrowing_kernel() -> Kernel:
    """A kernel that counts address spaces, and zeroes disks out of what they hold."""
    more = {"do_huge_pmd_anonymous_page": _fault, "mm_get_huge_zero_folio": mm_get_huge_zero_folio}
    return zeroing({**_by_mm, **more}, zeroout_borrowing)


def zeroing(functions: dict[str, Any], routine: Callable[..., int]) -> Kernel:
    """A kernel of *functions* that zeroes disks by *routine*."""
    return Kernel({**functions, "end_zeroout": end_zeroout, "blkdev_issue_zeroout": routine})


# in every order


def program(nr_sects: int) -> Thread:
    """A process that has sectors zeroed, and ends."""
    return calls("program", ("blkdev_issue_zeroout", MM, BDEV, 0, nr_sects), ("__mmput", MM))


@cpu("disk")
def at_work(bios: int) -> None:
    """Carry out so many bios, as they come; the disk reads frames, whoever owns them by then."""
    for _ in range(bios):
        bio = DMA()
        if bio.bi_end_io is not None:
            call(bio.bi_end_io, bio)


def dma(peek: Peek) -> tuple[dict[Cell, Any], Any, str | None]:
    """Carry out the first bio of the queue: all of its pieces in one step."""
    bio, *left = peek(QUEUE)
    data, at, wrong = peek((BDEV, "data")), peek((bio, "bi_sector")) * SECTOR_SIZE, None
    for folio, length, offset in peek((bio, "bi_io_vec")):
        if peek((folio, "state")) == "free":
            wrong = (
                f"the disk reads {folio!r}, which has been freed: it writes what the next owner keeps there"
            )
        data = data.paste(at, peek((folio, "data")), offset, length)
        at += length
    return {QUEUE: tuple(left), (BDEV, "data"): data, (bio, "bi_status"): 0}, bio, wrong


QUEUE: Cell = (BDEV, "queue")
DMA = Hardware(dma, ready=lambda peek: bool(peek(QUEUE)))
