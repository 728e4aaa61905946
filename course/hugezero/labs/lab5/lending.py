"""A kernel that lends the disk what belongs to a process: the student's part is to show where that ends.

And the CPUs that zero a disk while it works, for searches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...block.bio import QUEUE as ROOM
from ...block.bio import SECTOR_SIZE, BlockDevice
from ...block.zeroing import zeroout_borrowing
from ...explore.state import Peek
from ...explore.threads import Hardware, cpu
from ...hw.ram import Contents
from ...machine import Kernel
from ...mm import memory
from ...mm.mm_types import ENOMEM, Mm, VmFault, error_code
from ...store import Cell, KernelBug, call
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


def zeroing(
    functions: dict[str, Any], routine: Callable[..., int], end: Callable[..., None] | None = None
) -> Kernel:
    """A kernel of *functions* that zeroes disks by *routine*; its bios may name `end_zeroout`, which is *end*."""
    ends = {"end_zeroout": end} if end else {}
    return Kernel({**functions, **ends, "blkdev_issue_zeroout": routine})


# in every order


@cpu("program")
def program(nr_sects: int, routine: str = "blkdev_issue_zeroout", may_fail: bool = False) -> None:
    """Have sectors zeroed by *routine*, and end; the disk is told that no more bios come.

    With *may_fail*, where the routine finds no memory, zero them in another way.
    """
    error = call(routine, MM, BDEV, 0, nr_sects)
    if error == ENOMEM and may_fail:
        BDEV.data.paste(0, Contents(), 0, nr_sects * SECTOR_SIZE)
    elif error != 0:
        raise KernelBug(f"{routine} returned {error_code(error)}; it should return 0")
    call("__mmput", MM)
    BDEV.queue.append(NO_MORE, ROOM)


@cpu("disk")
def at_work(programs: int = 1) -> None:
    """Carry out the bios of so many *programs*, as they come; the disk reads frames, whoever owns them by then."""
    while programs:
        bio = DMA()
        if bio is NO_MORE:
            programs -= 1
        elif bio.bi_end_io is not None:
            call(bio.bi_end_io, bio)


def dma(peek: Peek) -> tuple[dict[Cell, Any], Any, str | None]:
    """Carry out the first bio of the queue: all of its pieces in one step."""
    bio, *left = peek(QUEUE)
    if bio is NO_MORE:
        return {QUEUE: tuple(left)}, NO_MORE, None
    data, at, wrong = peek((BDEV, "data")), peek((bio, "bi_sector")) * SECTOR_SIZE, None
    for folio, length, offset in peek((bio, "bi_io_vec")):
        if peek((folio, "state")) == "free":
            wrong = (
                f"the disk reads {folio!r}, which has been freed: it writes what the next owner keeps there"
            )
        data = data.paste(at, peek((folio, "data")), offset, length)
        at += length
    return {QUEUE: tuple(left), (BDEV, "data"): data, (bio, "bi_status"): 0}, bio, wrong


NO_MORE = None  # in the queue, after the last bio of a program
QUEUE: Cell = (BDEV, "queue")
DMA = Hardware(dma, ready=lambda peek: bool(peek(QUEUE)))
