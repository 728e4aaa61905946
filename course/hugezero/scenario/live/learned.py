"""What Linux does otherwise than the simulated machine, for known reasons: a machine that has learned it.

The labs do without, since none of it is about zeroes. Comparing with this one keeps a difference of
one of these kinds from hiding another one later in the same program.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...hw.ram import PAGE_SIZE, PTRS_PER_PTE
from ...machine import Kernel
from ...mm import mmap
from ...mm.fault import find_vma
from ...mm.mm_types import VM_READ, VM_SHARED, VM_WRITE, Mm, Vma
from ...mm.page_alloc import alloc_folio, folio_get
from ...mm.pgtable import PteTable, mk_pte, pmd_offset, pte_index, pte_mkdirty, pte_mkwrite
from ..actions import Exec, Madvise, Mmap, Mprotect
from ..simulated import FLAGS, Simulated

HOLES = "a range with a hole"
UNCHANGED = "a change that changes nothing"
THREADS = "exec ends threads"
AROUND = "pages around a page of a file"
SHARED = "shared pages are writable at once"
AT_ONCE = 16  # pages that a read of a file maps, at most
LEARNED = {
    HOLES: "mprotect stops at the first page that is not mapped, madvise goes on to the end; both return ENOMEM.",
    UNCHANGED: "an area that has the rights, or the advice, already is not cut in two.",
    THREADS: "a program has one thread when it begins, so exec ends all others; their names are free no more.",
    AROUND: f"a read of a file maps what is in the cache of the {AT_ONCE} pages around it: fewer faults, more RSS.",
    SHARED: "nobody wants to know of the first write to shared memory, so a read maps it writable: one fault less.",
}


class AsLinux(Simulated):
    """A simulated machine that does what LEARNED says; *learned* names what has made a difference so far."""

    def __init__(self, kernel: Kernel, **config: Any) -> None:
        super().__init__(kernel, **config)
        self.learned: set[str] = set()

    def _mmap(self, action: Mmap) -> None:
        super()._mmap(action)
        start, _ = self.areas[action.area]
        mapping = find_vma(self.mms[action.by], start).vm_file
        for index in range(
            -(-len(action.data or b"") // PAGE_SIZE)
        ):  # what was written to a file is in its cache
            folio: Any = mapping[index].read() or alloc_folio()
            folio.data.paste(0, mapping.data.read(), index * PAGE_SIZE, PAGE_SIZE)
            mapping[index].set(folio)

    def _mprotect(self, action: Mprotect) -> str | None:  # type: ignore[override]
        mm, rights = self.mms[action.by], VM_READ | (VM_WRITE if action.write else 0)
        start, end = _pages(*self._span(action))
        at = start
        for low, high, vma in self._areas(mm, start, end):
            if low > at:
                break
            at = high
            self._unless(
                vma.vm_flags & (VM_READ | VM_WRITE) == rights, mmap.mprotect, mm, low, high - low, rights
            )
        return self._hole(at < end)

    def _madvise(self, action: Madvise) -> str | None:  # type: ignore[override]
        mm = self.mms[action.by]
        start, end = _pages(*self._span(action))
        mapped = 0
        for low, high, vma in self._areas(mm, start, end):
            mapped += high - low
            if action.advice == "dontneed":
                mmap.madvise_dontneed(mm, low, high - low)
            else:
                on, off = FLAGS[action.advice]
                self._unless(vma.vm_flags & (on | off) == on, mmap.madvise, mm, low, high - low, on, off)
        return self._hole(mapped < end - start)

    def _load(self, mm: Mm, address: int) -> int:
        faults = mm.min_flt.read()
        byte = super()._load(mm, address)
        vma = find_vma(mm, address)
        if vma.vm_file is not None and mm.min_flt.read() > faults:
            self._fault_around(vma, address - address % PAGE_SIZE)
        return byte

    def _fault_around(self, vma: Vma, address: int) -> None:
        """Map what is cached of the pages around *address*, in the same table and area, as a read does."""
        table = pmd_offset(vma.vm_mm, address).read()
        index, before = pte_index(address), (address - vma.vm_start) // PAGE_SIZE
        first = max(index - index % AT_ONCE, index - before)
        last = min(first + AT_ONCE, PTRS_PER_PTE, index + (vma.vm_end - address) // PAGE_SIZE)
        for i in range(first, last):
            folio = vma.vm_file[vma.vm_pgoff + before + i - index].read()
            entry = table[i].read()
            if entry is None and folio is not None:
                self.learned.add(AROUND)
                folio_get(folio)
                vma.vm_mm.rss.inc()
                table[i].set(mk_pte(folio))
        self._let_write(vma, table, range(first, last))

    def _let_write(self, vma: Vma, table: PteTable, indices: range) -> None:
        """Make the entries of a shared area writable that may be."""
        if vma.vm_flags & (VM_SHARED | VM_WRITE) != VM_SHARED | VM_WRITE:
            return
        for i in indices:
            entry = table[i].read()
            if entry is not None and not entry.write:
                self.learned.add(SHARED)
                table[i].set(pte_mkdirty(pte_mkwrite(entry)))

    def _exec(self, action: Exec) -> None:
        mm = self.mms[action.by]
        others = [name for name, other in self.mms.items() if other is mm and name != action.by]
        for name in others:
            self.learned.add(THREADS)
            mmap.mmput(self.mms.pop(name))
            self.unborn.add(name)
        super()._exec(action)

    def _areas(self, mm: Mm, start: int, end: int) -> Iterator[tuple[int, int, Vma]]:
        for low, high, vma in mm.mmap:
            if low < end and start < high:
                yield max(low, start), min(high, end), vma

    def _unless(self, unchanged: bool, change: Any, *args: Any) -> None:
        if unchanged:
            self.learned.add(UNCHANGED)
        else:
            change(*args)

    def _hole(self, there: bool) -> str | None:
        if there:
            self.learned.add(HOLES)
        return "ENOMEM" if there else None


def _pages(start: int, length: int) -> tuple[int, int]:
    """The range in whole pages; BadArgument as the system calls have it."""
    return mmap._range(start, length)
