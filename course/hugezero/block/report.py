"""What became of the bios of a machine, in words: for messages of checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .bio import SECTOR_SIZE, Bio, BlockDevice


def because(machine: Any, bdev: BlockDevice) -> str:
    """Return ": a bio of …", of the first bio to *bdev* with which something went wrong; "" if nothing did.

    *machine* keeps a log: a bio whose pieces nobody has read since the last one was added, and that no
    disk has come to, was never sent.
    """
    why = next(_wrong(machine, bdev), "")
    return f": {why}" if why else ""


def _wrong(machine: Any, bdev: BlockDevice) -> Iterator[str]:
    sent: dict[Any, bool] = {}  # in order of the first piece; was it read after the last one?
    for row in machine.log or ():
        if isinstance(row.cell[0], Bio) and row.cell[1] == "bi_io_vec":
            sent[row.cell[0]] = row.verb != "append"
    for bio, was_sent in sent.items():
        if machine.peek((bio, "bi_bdev")) is not bdev:
            continue
        sector, vecs = machine.peek((bio, "bi_sector")), machine.peek((bio, "bi_io_vec"))
        length = sum(vec.bv_len for vec in vecs)
        what = f"a bio of {length:,} bytes for sector {sector:,}"
        size, bad = machine.peek((bdev, "bd_nr_sectors")), machine.peek((bdev, "bd_bad_sector"))
        if bio in machine.peek((bdev, "queue")):
            yield f"{what} is still in the disk's queue: nobody has waited for it"
        elif not was_sent and machine.peek((bio, "bi_status")) is None:
            yield f"{what} was filled, and never sent"
        elif length % SECTOR_SIZE:
            yield f"{what}, which is no whole number of sectors, got EIO"
        elif not 0 <= sector <= size - length // SECTOR_SIZE:
            yield f"{what} got EIO: the disk ends at sector {size:,}, after {max(0, size - sector) * SECTOR_SIZE:,} of them"
        elif bad is not None and bad < sector + length // SECTOR_SIZE:
            yield f"{what} got EIO: the disk cannot write from sector {bad:,} on"
