"""Folios: one frame of 4 KiB, or 512 of them, naturally aligned.

Linux: mm/page_alloc.c, include/linux/mm.h
"""

from __future__ import annotations

import heapq
from typing import Any

from ..hw.ram import FROZEN_ZEROES, LEFT_BEHIND, PAGE_SIZE, PTRS_PER_PTE, Bytes, Contents
from ..store import KINDS, Atomic, Counter, Handle, View, current, new
from .shrinker import shrink_slab

HPAGE_PMD_ORDER = PTRS_PER_PTE.bit_length() - 1  # 9: 2**9 frames of 4 KiB are 2 MiB
ORDERS = (0, HPAGE_PMD_ORDER)
SMALL = 1 << 40  # frames from this number on are those of small machines, on which every schedule is run


class Folio(Handle):
    """One or 512 frames that live and die together. Its id: first frame number, order, which life."""

    __slots__ = ()
    dynamic = True
    state = Atomic("free", "free, live, or reserved for ever", View)
    refcount = Atomic(1, "who holds this folio: each mapping, and each cache that has it", Counter)
    data = Atomic(Contents(fill=LEFT_BEHIND), "its bytes; not cleared when it is handed out", Bytes)

    @property
    def body(self) -> Folio:  # type: ignore[override]
        """Return who must be alive for this to be used: the folio itself."""
        return self

    @property
    def pfn(self) -> int:
        """Return the number of its first frame."""
        return self.id[0]

    @property
    def order(self) -> int:
        """Return its order: it is 2**order frames long."""
        return self.id[1]

    @property
    def nr_pages(self) -> int:
        """Return its length in frames of 4 KiB."""
        return 1 << self.order

    @property
    def size_bytes(self) -> int:
        return self.nr_pages * PAGE_SIZE

    def __repr__(self) -> str:
        return f"Folio({self.pfn:#x})"


ZERO_PAGE = Folio((1, 0, 0))  # the one frame of zeroes, there from boot, counted by nobody


def alloc_folio(order: int = 0) -> Folio | None:
    """Return a folio of 2**order frames with one reference, or None if there is no memory.

    It holds whatever its last owner left in it. Where memory is tight, the shrinkers are asked first.
    """
    if order not in ORDERS:
        raise ValueError(
            f"alloc_folio({order!r}): this machine has folios of order {ORDERS[0]} and {ORDERS[1]}"
        )
    folio: Folio | None = new("Folio", order)
    if folio is None and shrink_slab():
        folio = new("Folio", order)
    return folio


def is_folio(folio: Folio, wanted_by: str) -> Folio:
    """Return *folio*, or raise a TypeError that says what else it is."""
    if isinstance(folio, View):
        raise TypeError(f"{wanted_by}({folio!r}): that is where a folio is kept; .read() returns the folio")
    if not isinstance(folio, Folio):
        none = "; alloc_folio() returns None when there is no memory" if folio is None else ""
        raise TypeError(f"{wanted_by}({folio!r}): that is not a folio{none}")
    return folio


def free_folio(folio: Folio) -> None:
    """Give the frames back at once, whoever still holds them."""
    is_folio(folio, "free_folio")
    current().op((folio, "state"), "free", ())


def folio_get(folio: Folio) -> None:
    """Take a reference on a folio that somebody holds already."""
    folio.refcount.inc()


def folio_put(folio: Folio) -> None:
    """Give a reference back; the last one frees the folio."""
    if folio.refcount.dec_and_test():
        free_folio(folio)


def clear_folio(folio: Folio) -> None:
    """Fill a folio with zeroes."""
    is_folio(folio, "clear_folio").data.clear()


def copy_folio(to: Folio, source: Folio) -> None:
    """Copy all bytes of *source* into *to*, a folio of the same order."""
    to.data.paste(0, source.data.read(), 0, source.nr_pages * 4096)


class Births:
    """Where new things come from: frames from a free list, everything else by counting.

    *pages* frames of 4 KiB. The first 2 MiB are the kernel's own. *fail* holds the numbers of
    the allocations of frames, counted from 0, that find no memory.
    """

    def __init__(self, pages: int, fail: frozenset[int] = frozenset()) -> None:
        blocks = -(-pages // PTRS_PER_PTE)
        if blocks < 1:
            raise ValueError(f"a machine with {pages} pages of memory cannot start: give it at least one")
        whole = pages // PTRS_PER_PTE
        self.empty = list(range(1, whole + 1))  # heap of blocks with no frame in use
        self.partial: dict[int, int] = {}  # block: bit mask of its free frames
        if rest := pages % PTRS_PER_PTE:
            self.partial[whole + 1] = (1 << rest) - 1
        self.open = sorted(self.partial)  # heap of partial blocks; may name one twice or too late
        self.lives: dict[int, int] = {}
        self.huge: dict[int, Folio] = {}  # block: the last folio of 2 MiB there,
        self.single: dict[int, dict[int, Folio]] = {}  # and the last ones of one frame that came after it
        self.counts: dict[str, int] = {}
        self.fail = fail
        self.nr_free_pages = pages
        self.pgalloc = self.pgfree = self.tries = 0

    def new(self, kind: str, *args: int) -> Any:
        """Return a new thing of *kind*, or None."""
        if kind == "Folio":
            return self._folio(*args)
        self.counts[kind] = number = self.counts.get(kind, 0) + 1
        return KINDS[kind](number)

    def gone(self, folio: Folio) -> None:
        """Take the frames of a dead folio back."""
        block, frame = divmod(folio.pfn, PTRS_PER_PTE)
        self.nr_free_pages += folio.nr_pages
        self.pgfree += folio.nr_pages
        if folio.order:
            heapq.heappush(self.empty, block)
            return
        free = self.partial.get(block, 0) | 1 << frame
        if free == (1 << PTRS_PER_PTE) - 1:
            self.partial.pop(block, None)
            heapq.heappush(self.empty, block)
            return
        if block not in self.partial:
            heapq.heappush(self.open, block)
        self.partial[block] = free

    def _folio(self, order: int) -> Folio | None:
        self.tries += 1
        if self.tries - 1 in self.fail:
            return None
        pfn = self._frame() if order == 0 else self._block()
        if pfn is None:
            return None
        life = self.lives[pfn] = self.lives.get(pfn, 0) + 1
        self.nr_free_pages -= 1 << order
        self.pgalloc += 1 << order
        folio = Folio((pfn, order, life))
        block = pfn // PTRS_PER_PTE
        if order:
            self.huge[block] = folio
            self.single.pop(block, None)
        else:
            self.single.setdefault(block, {})[pfn] = folio
        return folio

    def last_in(self, pfn: int) -> Folio | None:
        """Return whose bytes frame *pfn* holds: its owner's, or its last one's; None if nobody ever had it."""
        block = pfn // PTRS_PER_PTE
        return self.single.get(block, {}).get(pfn) or self.huge.get(block)

    def _block(self) -> int | None:
        return heapq.heappop(self.empty) * PTRS_PER_PTE if self.empty else None

    def _frame(self) -> int | None:
        while self.open and self.open[0] not in self.partial:
            heapq.heappop(self.open)
        if not self.open:
            if not self.empty:
                return None
            block = heapq.heappop(self.empty)
            self.partial[block] = (1 << PTRS_PER_PTE) - 1
            heapq.heappush(self.open, block)
        block = self.open[0]
        free = self.partial[block]
        lowest = free & -free
        if free == lowest:
            del self.partial[block]
        else:
            self.partial[block] = free ^ lowest
        return block * PTRS_PER_PTE + lowest.bit_length() - 1


def set_zero_page_aside(cells: dict[Any, Any]) -> None:
    """At boot, set the zero page aside: it lives for ever and never changes."""
    cells[ZERO_PAGE, "state"] = "reserved"
    cells[ZERO_PAGE, "data"] = FROZEN_ZEROES
