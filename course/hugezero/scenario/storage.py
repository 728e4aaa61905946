"""Programs that have a disk zeroed. The disk works when the scenario says so, and the program does not wait."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ..block import disk
from ..block.bio import SECTOR_SIZE, BlockDevice
from ..block.zeroing import PRIVATE_ZEROES
from ..hw.ram import FROZEN_ZEROES
from ..machine import Kernel
from ..mm.page_alloc import Folio
from ..store import record
from .actions import ACTIONS
from .simulated import Simulated
from .stage import WHOLE_MACHINE

DISK = 1 << 14  # sectors: 8 MiB


@record
class Zeroout(NamedTuple):
    """Have *nr_sects* sectors of the disk zeroed, from *sector*, and do not wait for it."""

    sector: int = 0
    nr_sects: int = 4096
    by: str = "main"


@record
class DiskWorks(NamedTuple):
    """The disk carries out what waits for it: *bios* of them, or all (0)."""

    bios: int = 0
    by: str = "main"


class WithDisk(Simulated):
    """A freshly booted machine with one process and one disk, of 8 MiB, full of old data (0xCC).

    What zeroes it is the kernel's function blkdev_issue_zeroout(mm, bdev, sector, nr_sects).
    """

    actions = (*ACTIONS, Zeroout, DiskWorks)
    whole_machine = (*WHOLE_MACHINE, DiskWorks)

    def __init__(self, kernel: Kernel, **config: Any) -> None:
        super().__init__(kernel, **config)
        self.machine.cells[PRIVATE_ZEROES, "state"] = "reserved"
        self.machine.cells[PRIVATE_ZEROES, "data"] = FROZEN_ZEROES
        self.bdev: BlockDevice = self.machine.disk(DISK)
        self.late: list[Folio] = []  # what the disk has read when it was no longer what the bio meant

    def _zeroout(self, action: Zeroout) -> Any:
        return self.machine.call(
            "blkdev_issue_zeroout", self.mms[action.by], self.bdev, action.sector, action.nr_sects
        )

    def _diskworks(self, action: DiskWorks) -> int:
        waiting = disk.under_way(self.machine)[: action.bios or None]
        for bio in waiting:
            folios = [vec.bv_folio for vec in self.machine.peek((bio, "bi_io_vec"))]
            self.late += [one for one in folios if self.machine.peek((one, "state")) == "free"]
            disk.work(self.machine, self.bdev, 1)
        return len(waiting)

    def on_disk(self) -> list[tuple[int, int, str]]:
        """What the disk holds: (first sector, sectors, "zeroes", "old data" or "something else")."""
        found: list[tuple[int, int, str]] = []
        data = self.machine.peek((self.bdev, "data"))
        for sector in range(DISK):
            here = data.load(sector * SECTOR_SIZE, SECTOR_SIZE)
            what = KNOWN.get(here, "something else")
            if found and found[-1][2] == what:
                found[-1] = found[-1][0], found[-1][1] + 1, what
            else:
                found.append((sector, 1, what))
        return found


KNOWN = {bytes(SECTOR_SIZE): "zeroes", b"\xcc" * SECTOR_SIZE: "old data"}


def with_disk(scenario: Iterable[Any], kernel: Kernel, **config: Any) -> WithDisk:
    """Run *scenario* on a machine with a disk."""
    simulated = WithDisk(kernel, **config)
    simulated.run(scenario)
    return simulated
