"""Which frame each page maps, and of what kind it is, as far as this machine shows it."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Any

from ...hw.ram import PAGE_SIZE, PTRS_PER_PTE
from .looking import HUGE, KPF_THP, KPF_ZERO_PAGE, PFNZERO, PM_PFN, PM_PRESENT, Looked
from .needs import Powers


class Frames:
    """What pagemap and its neighbors say about pages: by PAGEMAP_SCAN where there is one, else by kpageflags.

    Where there is neither, a page that is mapped is "mapped", and that is all.
    """

    def __init__(self, can: Powers) -> None:
        self.can = can
        self.numbered = can["frames"] and can["flags"]
        self.flags = os.open("/proc/kpageflags", os.O_RDONLY) if self.numbered else -1

    def close(self) -> None:
        """Let go of the file."""
        if self.numbered:
            os.close(self.flags)

    def of(self, looked: Looked, low: int, high: int) -> Iterator[tuple[int, str, Any]]:
        """(address, kind, frame) of each page that is mapped; equal frames are equal, and None where they are hidden."""
        if not self.can["mapped"]:
            return
        for start, end, kind in self._regions(looked, low, high):
            for n, entry in enumerate(looked.entries(start, end)):
                if entry & PM_PRESENT:
                    frame, seen = self._frame(entry & PM_PFN) if self.numbered else (None, "mapped")
                    yield start + n * PAGE_SIZE, kind or seen, frame

    def _regions(self, looked: Looked, low: int, high: int) -> Iterator[tuple[int, int, str]]:
        if not self.can["scan"]:
            yield low, high, ""
            return
        for start, end, what in looked.scan(low, high):
            yield start, end, "huge " * bool(what & HUGE) + ("zero page" if what & PFNZERO else "folio")

    def _frame(self, frame: int) -> tuple[int, str]:
        """The first frame of the folio that *frame* belongs to, and its kind as far as its own flags tell.

        They do not tell whether a huge folio is mapped by one entry or by many.
        """
        flags = struct.unpack("Q", os.pread(self.flags, 8, 8 * frame))[0]
        huge, zero = flags >> KPF_THP & 1, flags >> KPF_ZERO_PAGE & 1
        kind = "huge " * huge + "zero page" if zero else "mapped" if huge else "folio"
        return (frame - frame % PTRS_PER_PTE if huge else frame), kind
