"""What there is to see of a process from outside, and of the machine, through /proc. Nothing here changes anything."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from ...hw.ram import PAGE_SIZE
from .syscalls import ARENA

PAGEMAP_SCAN = 3 << 30 | 96 << 16 | ord("f") << 8 | 16  # the number of the ioctl
PRESENT, PFNZERO, HUGE = 1 << 3, 1 << 5, 1 << 6  # categories that it tells apart
PM_PRESENT, PM_PFN = 1 << 63, (1 << 55) - 1  # in an entry of pagemap
KPF_THP, KPF_ZERO_PAGE = 22, 24  # bits in an entry of /proc/kpageflags
REGIONS = 512  # that the ioctl returns at a time
EVENTS = ("thp_fault_alloc", "thp_fault_fallback", "thp_split_pmd", "thp_zero_page_alloc")

Region = tuple[int, int, int]  # start, end, categories


class Looked:
    """The files in /proc of one process."""

    def __init__(self, tid: int) -> None:
        self.tid = tid
        self.pagemap = os.open(f"/proc/{tid}/pagemap", os.O_RDONLY)

    def close(self) -> None:
        """Let go of the files."""
        os.close(self.pagemap)

    def areas(self) -> list[tuple[int, int, int]]:
        """(start, end, RSS in pages) of each area of the scenario."""
        found: list[tuple[int, int, int]] = []
        low = high = 0
        for line in Path(f"/proc/{self.tid}/smaps").read_text().splitlines():
            if line[0] in "0123456789abcdef":  # what is said of an area begins with a capital letter
                low, high = (int(part, 16) for part in line.split(" ", 1)[0].split("-"))
                if low > ARENA[1]:
                    break
            elif line.startswith("Rss:") and low > ARENA[0]:  # the arena's first page is the process's own
                found.append((low, high, int(line.split()[1]) * 1024 // PAGE_SIZE))
        return found

    def tables(self) -> int:
        """Page tables of all levels, in pages."""
        text = Path(f"/proc/{self.tid}/status").read_text()
        return int(text.split("VmPTE:")[1].split()[0]) * 1024 // PAGE_SIZE

    def scan(self, low: int, high: int) -> Iterator[Region]:
        """What is mapped from *low* to *high*, by category: PRESENT, and PFNZERO and HUGE where they hold."""
        import fcntl

        out = ctypes.create_string_buffer(24 * REGIONS)
        found = REGIONS
        while found == REGIONS:
            arg = bytearray(
                struct.pack("12Q", 96, 0, low, high, 0, ctypes.addressof(out), REGIONS, 0, 0, PRESENT, 0, PRESENT | PFNZERO | HUGE)
            )  # fmt: skip
            found = fcntl.ioctl(self.pagemap, PAGEMAP_SCAN, arg)
            yield from struct.iter_unpack("3Q", out.raw[: 24 * found])
            low = struct.unpack_from("Q", arg, 32)[0]

    def entries(self, low: int, high: int) -> tuple[int, ...]:
        """The entries of pagemap from *low* to *high*: present or not, and frame numbers for who may know them."""
        pages = (high - low) // PAGE_SIZE
        return struct.unpack(f"{pages}Q", os.pread(self.pagemap, 8 * pages, low // PAGE_SIZE * 8))


def vmstat() -> dict[str, int]:
    """Those counters of the whole machine that a scenario can move, and others seldom do."""
    found = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    return {name: int(found[name]) for name in EVENTS if name in found}
