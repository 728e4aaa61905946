"""The disk at work, while the CPUs do something else.

It knows no folios and no references. A bio names frames, and the disk writes what these frames
hold at the moment when it comes to them, whoever owns them by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..hw.ram import LEFT_BEHIND, PAGE_SIZE, Contents
from ..mm.page_alloc import Folio
from ..store import Direct
from .bio import Bio, BioVec, BlockDevice, on_disk


def under_way(machine: Direct) -> list[Bio]:
    """Return the bios that no disk has come to yet, of one disk after the other."""
    disks = [cell for cell in machine.cells if isinstance(cell[0], BlockDevice) and cell[1] == "queue"]
    return [bio for cell in disks for bio in machine.peek(cell)]


def work(machine: Direct, bdev: BlockDevice, most: int | None = None) -> int:
    """Let *bdev* carry out the bios that wait for it, *most* of them at most; return how many it did."""
    done = 0
    with machine:
        while most is None or done < most:
            bio = bdev.queue.take()
            if bio is None:
                break
            _carry_out(machine, bio)
            done += 1
    return done


def shut_down(machine: Direct) -> None:
    """Switch the machine off: whatever is under way is waited for."""
    for bio in under_way(machine):
        work(machine, machine.peek((bio, "bi_bdev")), 1)


def _carry_out(machine: Direct, bio: Bio) -> None:
    bdev: BlockDevice = machine.peek((bio, "bi_bdev"))
    size, bad = machine.peek((bdev, "bd_nr_sectors")), machine.peek((bdev, "bd_bad_sector"))
    pieces, error = on_disk(size, bad, machine.peek((bio, "bi_sector")), machine.peek((bio, "bi_io_vec")))
    if pieces:
        bdev.bios.inc()
        bdev.vecs.add(len(pieces))
    for at, vec in pieces:
        for contents, offset, length in _in_memory(machine, vec):
            bdev.data.paste(at, contents, offset, length)
            at += length
    bio.bi_status.set(error)
    end_io = machine.peek((bio, "bi_end_io"))
    if end_io is not None:
        machine.call(end_io, bio)


def _in_memory(machine: Direct, vec: BioVec) -> Iterator[tuple[Contents, int, int]]:
    """Yield the bytes that the frames of *vec* hold now: (contents, offset in them, length), piece by piece."""
    folio, offset, left = vec.bv_folio, vec.bv_offset, vec.bv_len
    while left:
        pfn = folio.pfn + offset // PAGE_SIZE
        owner = machine.births.last_in(pfn) or folio
        whole = owner is folio and (folio.order == 0 or not machine.births.single.get(pfn // 512))
        n = left if whole else min(left, PAGE_SIZE - offset % PAGE_SIZE)
        yield _bytes(machine, owner), (pfn - owner.pfn) * PAGE_SIZE + offset % PAGE_SIZE, n
        offset, left = offset + n, left - n


def _bytes(machine: Direct, owner: Folio) -> Contents:
    contents: Any = machine.peek((owner, "data"))
    return contents if isinstance(contents, Contents) else Contents(fill=LEFT_BEHIND)
