"""From an access to a page: walk the tables, and fault until the access goes through.

Linux: handle_mm_fault and handle_pte_fault in mm/memory.c
"""

from __future__ import annotations

from typing import Any

from ..hw.ram import PAGE_SIZE, PTRS_PER_PTE
from ..store import call, current
from .mm_types import (
    VM_FAULT_FALLBACK,
    VM_FAULT_OOM,
    VM_HUGEPAGE,
    VM_READ,
    VM_SHARED,
    VM_WRITE,
    Mm,
    Vma,
    VmFault,
    anon_vma_prepare,
    fault_code,
)
from .page_alloc import alloc_folio, copy_folio, folio_get
from .pgtable import Pmd, Pte, mk_pte, place_of, pmd_offset, pte_alloc, pte_mkdirty, pte_mkwrite, walk
from .vmstat import VMSTAT

IN_VAIN = 3  # faults without progress that other threads, which empty what was filled, can be blamed for


class SegmentationFault(Exception):
    """The program used an address that it may not use."""


class OutOfMemory(Exception):
    """The kernel had no memory for the program to go on."""


def touch(mm: Mm, address: int, write: bool = False) -> Pte | Pmd:
    """Access one byte at *address*; return the entry through which the access went.

    Raises SegmentationFault, OutOfMemory, and KernelBug for a handler that makes no progress.
    """
    entry, in_vain = walk(mm, address), 0
    while entry is None or (write and not entry.write):
        handler = handle_mm_fault(mm, address, write)
        before, entry = entry, walk(mm, address)
        if entry is not None and entry.special and entry.write:
            raise current().bug(
                f"{handler} made the zero page writable: whoever writes there changes everybody's zeroes"
            )
        in_vain = in_vain + 1 if entry == before else 0
        if in_vain == IN_VAIN:
            raise current().bug(
                f"no progress: {handler} said that it was done, but the entry for {address:#x} is still {entry}"
            )
    return entry


def user_read(mm: Mm, address: int, length: int = 1) -> bytes:
    """Read *length* bytes of one page, as the program would."""
    entry = touch(mm, address)
    return entry.folio.data.load(place_of(entry, address), length)


def user_write(mm: Mm, address: int, data: bytes) -> None:
    """Write *data* into one page, as the program would."""
    entry = touch(mm, address, write=True)
    entry.folio.data.store(place_of(entry, address), data)


def find_vma(mm: Mm, address: int) -> Vma:
    """Return the area that *address* is in."""
    for start, end, vma in mm.mmap:
        if start <= address < end:
            return vma
    raise SegmentationFault(f"no memory is mapped at {address:#x}")


def handle_mm_fault(mm: Mm, address: int, write: bool) -> str:
    """Let a handler of the kernel deal with one fault; return the handler's name."""
    vma = find_vma(mm, address)
    flags = vma.vm_flags
    if not flags & (VM_WRITE if write else VM_READ):
        raise SegmentationFault(f"{address:#x} may not be {'written to' if write else 'read'}")
    VMSTAT.pgfault.inc()
    mm.min_flt.inc()
    pmd = pmd_offset(mm, address)
    page = address - address % PAGE_SIZE
    below = pmd.read()
    handler = _huge_handler(vma, flags, below)
    if handler:
        huge = VmFault(vma, page, write, pmd, None, None, below)  # type: ignore[arg-type]
        if _handled(handler, huge, VM_FAULT_FALLBACK):
            return handler
        now = pmd.read()
        if isinstance(now, Pmd) and now != below:
            return handler  # another thread was faster
        if now is not None and now == below:
            raise current().bug(f"{handler} fell back to small pages and left a huge entry for {address:#x}")
        below = now
    table = pte_alloc(mm, pmd) if below is None else below
    if table is None:
        raise OutOfMemory(f"no memory for a page table for {address:#x}")
    if isinstance(table, Pmd):
        return handler or "nobody"  # another thread was faster: the access is tried again
    pte = table[address // PAGE_SIZE % PTRS_PER_PTE]
    entry = pte.read()
    if entry is not None and (entry.write or not write):
        return handler or "nobody"  # a huge page was split, and that was enough
    if entry is not None:
        handler = "do_shared_wp_page" if flags & VM_SHARED else "do_wp_page"
    else:
        handler = "do_anonymous_page" if vma.vm_file is None else "do_fault"
    _handled(handler, VmFault(vma, page, write, pmd, pte, entry))
    return handler


def _huge_handler(vma: Vma, flags: int, below: Any) -> str:
    """Return who deals with a fault in 2 MiB at once; None if that is not asked for."""
    if isinstance(below, Pmd):
        return "do_huge_pmd_wp_page"
    if below is None and flags & VM_HUGEPAGE and vma.vm_file is None:
        return "do_huge_pmd_anonymous_page"
    return ""


def _handled(handler: str, vmf: VmFault, fallback: int = 0) -> bool:
    """Call *handler*; return whether it dealt with the fault, or else asked for *fallback*."""
    result = GIVEN[handler](vmf) if handler in GIVEN else call(handler, vmf)
    if result == VM_FAULT_OOM and result is not True:
        raise OutOfMemory(f"{handler} found no memory for {vmf.address:#x}")
    if type(result) is not int or result not in (0, fallback):
        others = "VM_FAULT_OOM or VM_FAULT_FALLBACK" if fallback else "or VM_FAULT_OOM"
        raise current().bug(f"{handler} returned {fault_code(result)}: a fault handler returns 0, {others}")
    return result == 0


def do_fault(vmf: VmFault) -> int:
    """Map a page of a file, or of shared memory, from its page cache.

    Linux: do_read_fault, do_cow_fault and do_shared_fault, mm/memory.c
    """
    vma, mapping = vmf.vma, vmf.vma.vm_file
    index = (vmf.address - vma.vm_start) // PAGE_SIZE + vma.vm_pgoff
    folio = mapping[index].read()
    if folio is None:
        folio = alloc_folio()
        if folio is None:
            return VM_FAULT_OOM
        folio.data.clear()
        contents = mapping.data.read()
        if contents is not None:
            folio.data.paste(0, contents, index * PAGE_SIZE, PAGE_SIZE)
        mapping[index].set(folio)  # the cache holds the first reference
    shared = vma.vm_flags & VM_SHARED
    if vmf.write and not shared:
        anon_vma_prepare(vma)
        copy = alloc_folio()
        if copy is None:
            return VM_FAULT_OOM
        copy_folio(copy, folio)
        entry = pte_mkdirty(pte_mkwrite(mk_pte(copy)))
    else:
        folio_get(folio)
        entry = mk_pte(folio)
        if vmf.write:
            entry = pte_mkdirty(pte_mkwrite(entry))
    vma.vm_mm.rss.inc()
    vmf.pte.set(entry)
    return 0


def do_shared_wp_page(vmf: VmFault) -> int:
    """Let the first write to a page that is shared on purpose through: nothing is copied.

    Linux: wp_page_shared, mm/memory.c
    """
    entry: Any = vmf.orig_pte
    vmf.pte.set(pte_mkdirty(pte_mkwrite(entry)))
    return 0


GIVEN = {"do_fault": do_fault, "do_shared_wp_page": do_shared_wp_page}  # handlers that no lab replaces
