"""Bytes in frames and on disks, kept sparse: what is all one byte costs nothing."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, NamedTuple

from ..store import NOTHING, KernelBug, View, Words, cell_name, operation, record, running

PAGE_SIZE = 4096  # bytes
PTRS_PER_PTE = 512  # entries in a table
PMD_SIZE = PAGE_SIZE * PTRS_PER_PTE  # bytes
LEFT_BEHIND = 0xCC  # what a frame holds that was handed out and not cleared


@record
class Contents(NamedTuple):
    """Bytes: *fill* everywhere but in *runs*.

    A run is (offset, bytes); there is at most one for each 4 KiB, with no fill at its ends, so
    that equal bytes are equal values. *frozen* bytes may never change.
    """

    fill: int = 0
    runs: tuple[tuple[int, bytes], ...] = ()
    frozen: bool = False

    def load(self, offset: int, length: int) -> bytes:
        """Return *length* bytes from *offset*."""
        out = bytearray([self.fill]) * length
        for start, data in self._between(offset, offset + length):
            lo, hi = max(start, offset), min(start + len(data), offset + length)
            if lo < hi:
                out[lo - offset : hi - offset] = data[lo - start : hi - start]
        return bytes(out)

    def store(self, offset: int, data: bytes) -> Contents:
        """Return the same contents with *data* at *offset*."""
        runs = self.runs
        while data:
            page = offset - offset % PAGE_SIZE
            here, data = data[: page + PAGE_SIZE - offset], data[page + PAGE_SIZE - offset :]
            i = bisect_left(runs, (page,))
            old = runs[i] if i < len(runs) and runs[i][0] < page + PAGE_SIZE else None
            runs = (*runs[:i], *self._joined(old, offset, here), *runs[i + (old is not None) :])
            offset += len(here)
        return self._replace(runs=runs)

    def paste(self, at: int, source: Contents, offset: int, length: int) -> Contents:
        """Return the same contents with *length* bytes of *source*, from *offset*, copied to *at*."""
        if source.fill != self.fill:
            return self.store(at, source.load(offset, length))
        kept = self
        for start, data in self._between(at, at + length):
            lo, hi = max(start, at), min(start + len(data), at + length)
            kept = kept.store(lo, bytes([self.fill]) * (hi - lo)) if lo < hi else kept
        for start, data in source._between(offset, offset + length):
            lo, hi = max(start, offset), min(start + len(data), offset + length)
            kept = kept.store(at + lo - offset, data[lo - start : hi - start]) if lo < hi else kept
        return kept

    def _between(self, low: int, high: int) -> tuple[tuple[int, bytes], ...]:
        """Return the runs in the pages that *low* to *high* touch."""
        first = bisect_left(self.runs, (low - low % PAGE_SIZE,))
        return self.runs[first : bisect_left(self.runs, (high,))]

    def _joined(self, old: tuple[int, bytes] | None, offset: int, data: bytes) -> list[tuple[int, bytes]]:
        """Return one page's run *old* with *data* over it, without fill at its ends."""
        start = offset
        if old is not None:
            start = min(old[0], offset)
            end = max(old[0] + len(old[1]), offset + len(data))
            both = bytearray([self.fill]) * (end - start)
            both[old[0] - start : old[0] - start + len(old[1])] = old[1]
            both[offset - start : offset - start + len(data)] = data
            data = bytes(both)
        fill = bytes([self.fill])
        data = data.rstrip(fill)
        start += len(data) - len(data.lstrip(fill))
        data = data.lstrip(fill)
        return [(start, data)] if data else []


ZEROES = Contents()
FROZEN_ZEROES = Contents(frozen=True)


def _writable(old: Contents) -> None:
    if old.frozen:
        raise KernelBug("a write into a page that must stay zero")


@operation(words=Words(NOTHING.gave, does="reads", program="read"), reads="part", writes=False)
def load(old: Contents, offset: int, length: int) -> tuple[Contents, bytes]:
    return old, old.load(offset, length)


@operation(words=Words(NOTHING.gave, does="writes to", program="write"), reads="nothing", writes=True)
def store(old: Contents, offset: int, data: bytes) -> tuple[Contents, None]:
    _writable(old)
    return old.store(offset, data), None


@operation(words=NOTHING, reads="nothing", writes=True)
def clear(old: Contents) -> tuple[Contents, None]:
    _writable(old)
    return ZEROES, None


@operation(words=NOTHING, reads="nothing", writes=True)
def paste(old: Contents, at: int, source: Contents, offset: int, length: int) -> tuple[Contents, None]:
    _writable(old)
    return old.paste(at, source, offset, length), None


class Bytes(View):
    """A cell that holds bytes: the contents of a frame, or of a disk."""

    __slots__ = ()
    verbs = (*View.verbs, "load", "store", "clear", "paste")

    def _within(self, verb: str, offset: Any, length: Any) -> None:
        """Raise IndexError unless the cell has *length* bytes from *offset* on."""
        if type(offset) is not int or type(length) is not int:
            raise TypeError(
                f"{cell_name(self.cell)}.{verb}: offsets and lengths are whole numbers of bytes, not {offset!r}, {length!r}"
            )
        size = self.cell[0].size_bytes
        if offset < 0 or length < 0 or (size is not None and offset + length > size):
            has = "no such bytes" if size is None else f"{size:,} bytes"
            raise IndexError(
                f"{cell_name(self.cell)}.{verb}: bytes {offset:,} to {offset + length:,} were asked for, and it has {has}"
            )

    def load(self, offset: int, length: int) -> bytes:
        """Return *length* bytes from *offset*."""
        self._within("load", offset, length)
        return running.environment.op(self.cell, "load", (offset, length))

    def store(self, offset: int, data: bytes) -> None:
        """Write *data* at *offset*."""
        if not isinstance(data, bytes):
            raise TypeError(f"{cell_name(self.cell)}.store({offset}, {data!r}): the data must be bytes")
        self._within("store", offset, len(data))
        running.environment.op(self.cell, "store", (offset, data))

    def clear(self) -> None:
        """Make every byte zero."""
        running.environment.op(self.cell, "clear", ())

    def paste(self, at: int, source: Contents, offset: int, length: int) -> None:
        """Write *length* bytes of *source*, from *offset*, at *at*."""
        if not isinstance(source, Contents):
            raise TypeError(f"{cell_name(self.cell)}.paste: {source!r} is not the contents of anything")
        self._within("paste", at, length)
        running.environment.op(self.cell, "paste", (at, source, offset, length))
