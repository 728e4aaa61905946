"""Address spaces: areas made, changed, copied and taken away.

Linux: mm/mmap.c, mm/mprotect.c, mm/madvise.c, kernel/fork.c
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ..hw.ram import PAGE_SIZE, PMD_SIZE
from ..store import Slot, call, new
from .fault import OutOfMemory
from .huge_memory import pmd_trans_huge_lock, split_huge_pmd
from .mm_types import VM_READ, VM_SHARED, VM_WRITE, AddressSpace, Mm, Vma
from .pgtable import Pmd, PteTable, pmd_offset, pte_free, pte_index, pte_wrprotect

MMAP_BASE = 0x200000  # where the first area goes: 2 MiB


class BadArgument(ValueError):
    """A system call was asked for something that makes no sense (EINVAL)."""


def mm_alloc() -> Mm:
    """Return a new, empty address space."""
    return new("Mm")


def mmap(
    mm: Mm,
    length: int,
    flags: int = VM_READ | VM_WRITE,
    file: AddressSpace | None = None,
    at: int | None = None,
) -> int:
    """Map *length* bytes, rounded up to pages; return the address. Aligned to 2 MiB unless *at* says where."""
    if length <= 0:
        raise BadArgument(f"mmap of {length} bytes: map at least one")
    length = _pages_up(length)
    areas = mm.mmap
    if at is None:
        at = -(-areas[-1][1] // PMD_SIZE) * PMD_SIZE if areas else MMAP_BASE
    if at % PAGE_SIZE:
        raise BadArgument(f"mmap at {at:#x}: the address must be a multiple of {PAGE_SIZE}")
    if any(start < at + length and at < end for start, end, _ in areas):
        raise BadArgument(f"mmap at {at:#x}: something is mapped there already")
    if flags & VM_SHARED and file is None:
        file = new("AddressSpace")
    vma = _new_vma(mm, at, at + length, flags, file, 0)
    mm.mmap = tuple(sorted((*areas, (at, at + length, vma)), key=lambda area: area[0]))
    return at


def munmap(mm: Mm, address: int, length: int) -> None:
    """Unmap a range: entries, areas, and tables that nothing needs any more."""
    start, end = _range(address, length)
    for vma in _isolate(mm, start, end):
        zap_page_range(vma, vma.vm_start, vma.vm_end)
        mm.mmap = tuple(area for area in mm.mmap if area[2] is not vma)
    free_pgtables(mm, start, end)


def mprotect(mm: Mm, address: int, length: int, flags: int) -> None:
    """Change the rights of a range to *flags* (VM_READ, VM_WRITE). Rights that grow come with the next fault."""
    start, end = _range(address, length)
    for vma in _isolate(mm, start, end):
        vma.vm_flags = vma.vm_flags & ~(VM_READ | VM_WRITE) | flags
        for pmd, below, low, high in _pmds(mm, vma.vm_start, vma.vm_end):
            table: Any = below
            if isinstance(below, Pmd):
                if call("change_huge_pmd", vma, pmd, low, high, bool(flags & VM_WRITE)):
                    continue
                table = pmd.read()
            for i in _indices(low, high):
                entry = table[i].read()
                if entry is not None and entry.write and not flags & VM_WRITE:
                    table[i].set(pte_wrprotect(entry))


def madvise(mm: Mm, address: int, length: int, on: int, off: int) -> None:
    """Turn the flags *on* on and *off* off in a range: VM_HUGEPAGE and VM_NOHUGEPAGE.

    A huge entry that two areas would share from now on is split.
    """
    start, end = _range(address, length)
    for vma in _isolate(mm, start, end):
        vma.vm_flags = vma.vm_flags & ~off | on
        for pmd, entry, low, high in _pmds(mm, vma.vm_start, vma.vm_end):
            if isinstance(entry, Pmd) and high - low < PMD_SIZE:
                split_huge_pmd(vma, pmd, low)


def madvise_dontneed(mm: Mm, address: int, length: int) -> None:
    """Forget the pages of a range, but keep the range."""
    start, end = _range(address, length)
    for low, high, vma in mm.mmap:
        if low < end and start < high:
            zap_page_range(vma, max(low, start), min(high, end))


def zap_page_range(vma: Vma, start: int, end: int) -> None:
    """Empty the entries of a range: huge ones whole, or split where the range ends within them."""
    for pmd, entry, low, high in _pmds(vma.vm_mm, start, end):
        if isinstance(entry, Pmd) and high - low < PMD_SIZE:
            split_huge_pmd(vma, pmd, low)
        elif isinstance(entry, Pmd) and pmd_trans_huge_lock(pmd, vma):
            call("zap_huge_pmd", vma, pmd, low)
            vma.vm_mm.page_table_lock.unlock()
            continue
        if pmd.read() is not None:  # another thread may have emptied a huge one meanwhile
            call("zap_pte_range", vma, pmd, low, high)


def free_pgtables(mm: Mm, start: int, end: int) -> None:
    """Give back the page tables between *start* and *end* whose 2 MiB no area uses."""
    areas = mm.mmap
    for base in range(start - start % PMD_SIZE, end, PMD_SIZE):
        if not any(low < base + PMD_SIZE and base < high for low, high, _ in areas):
            pte_free(mm, pmd_offset(mm, base))


def dup_mm(mm: Mm) -> Mm:
    """Return a copy of the address space, for fork.

    Only areas with an anon_vma have their tables copied: what the others show can be faulted
    in again. Raises OutOfMemory, and leaves nothing behind.
    """
    child = mm_alloc()
    for start, end, vma in mm.mmap:
        twin = _new_vma(child, start, end, vma.vm_flags, vma.vm_file, vma.vm_pgoff)
        child.mmap = (*child.mmap, (start, end, twin))
        if not vma.anon_vma:
            continue
        twin.anon_vma = True
        for pmd, entry, low, high in _pmds(mm, start, end):
            if _copy(twin, vma, pmd_offset(child, low), pmd, entry, low, high):
                mmput(child)
                raise OutOfMemory("fork found no memory to copy the page tables")
    return child


def _copy(
    twin: Vma, vma: Vma, dst_pmd: Slot, src_pmd: Slot, entry: Pmd | PteTable, low: int, high: int
) -> int:
    if isinstance(entry, Pmd):
        return call("copy_huge_pmd", twin, vma, dst_pmd, src_pmd)
    return call("copy_pte_range", twin, vma, dst_pmd, src_pmd, low, high)


def mmget(mm: Mm) -> None:
    """Note that one more thread uses *mm*."""
    mm.users.inc()


def mmput(mm: Mm) -> None:
    """Note that a thread has stopped using *mm*; with the last one its memory goes."""
    if mm.users.dec_and_test():
        call("__mmput", mm)


def exit_mmap(mm: Mm) -> None:
    """Take everything away that *mm* maps."""
    for start, end, vma in mm.mmap:
        zap_page_range(vma, start, end)
    areas, mm.mmap = mm.mmap, ()
    for start, end, _ in areas:
        free_pgtables(mm, start, end)


def _new_vma(mm: Mm, start: int, end: int, flags: int, file: AddressSpace | None, pgoff: int) -> Vma:
    vma: Vma = new("Vma")
    vma.vm_mm, vma.vm_start, vma.vm_end, vma.vm_flags = mm, start, end, flags
    if file is not None:
        vma.vm_file, vma.vm_pgoff = file, pgoff
    return vma


def _pages_up(length: int) -> int:
    return -(-length // PAGE_SIZE) * PAGE_SIZE


def _range(address: int, length: int) -> tuple[int, int]:
    if address % PAGE_SIZE:
        raise BadArgument(f"address {address:#x}: it must be a multiple of {PAGE_SIZE}")
    if length <= 0:
        raise BadArgument(f"a range of {length} bytes: it must have at least one")
    return address, address + _pages_up(length)


def _isolate(mm: Mm, start: int, end: int) -> list[Vma]:
    """Return the areas between *start* and *end*, cut so that none reaches over either edge."""
    inside, areas = [], []
    for low, high, vma in mm.mmap:
        cuts = [low, *(edge for edge in (start, end) if low < edge < high), high]
        for first, last in pairwise(cuts):
            part = vma
            if first > low:
                pgoff = vma.vm_pgoff + (first - low) // PAGE_SIZE
                part = _new_vma(mm, first, last, vma.vm_flags, vma.vm_file, pgoff)
                part.anon_vma = vma.anon_vma
            areas.append((first, last, part))
            if start <= first and last <= end:
                inside.append(part)
        if len(cuts) > 2:
            vma.vm_end = cuts[1]
    if len(areas) != len(mm.mmap):
        mm.mmap = tuple(areas)
    return inside


def _pmds(mm: Mm, start: int, end: int) -> Iterator[tuple[Slot, Pmd | PteTable, int, int]]:
    """Yield each PMD entry between *start* and *end* that is not empty, what it holds, and the part of the range that it covers."""
    for base in range(start - start % PMD_SIZE, end, PMD_SIZE):
        pmd = pmd_offset(mm, base)
        entry = pmd.read()
        if entry is not None:
            yield pmd, entry, max(start, base), min(end, base + PMD_SIZE)


def _indices(low: int, high: int) -> range:
    first = pte_index(low)
    return range(first, first + (high - low) // PAGE_SIZE)
