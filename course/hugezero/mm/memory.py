"""The kernel before lab 1: correct, and it shares nothing.

Every page that is touched gets a frame of its own, also where it is only read, and fork
copies every byte. Each lab replaces some of these functions.
"""

from __future__ import annotations

from ..hw.ram import PAGE_SIZE
from ..store import Slot
from .mm_types import ENOMEM, VM_FAULT_OOM, VM_WRITE, Vma, VmFault, anon_vma_prepare
from .page_alloc import alloc_folio, clear_folio, folio_put
from .pgtable import copy_user_page, mk_pte, pte_alloc, pte_index, pte_mkdirty, pte_mkwrite


def do_anonymous_page(vmf: VmFault) -> int:
    """A frame of zeroes of its own for every page, read or written."""
    anon_vma_prepare(vmf.vma)
    folio = alloc_folio()
    if folio is None:
        return VM_FAULT_OOM
    clear_folio(folio)
    entry = pte_mkdirty(mk_pte(folio))
    vmf.vma.vm_mm.rss.inc()
    vmf.pte.set(pte_mkwrite(entry) if vmf.vma.vm_flags & VM_WRITE else entry)
    return 0


def do_wp_page(vmf: VmFault) -> int:
    """Nothing is shared, so whoever may write to the area may write to the page."""
    vmf.pte.set(pte_mkdirty(pte_mkwrite(vmf.orig_pte)))  # type: ignore[arg-type]
    return 0


def copy_pte_range(dst_vma: Vma, src_vma: Vma, dst_pmd: Slot, src_pmd: Slot, addr: int, end: int) -> int:
    """Copy every page from *addr* to *end* for a forked child. Returns 0, or ENOMEM."""
    src, dst = src_pmd.read(), pte_alloc(dst_vma.vm_mm, dst_pmd)
    if dst is None:
        return ENOMEM
    for address in range(addr, end, PAGE_SIZE):
        entry = src[pte_index(address)].read()
        if entry is None:
            continue
        folio = alloc_folio()
        if folio is None:
            return ENOMEM
        copy_user_page(folio, entry)
        dst_vma.vm_mm.rss.inc()
        dst[pte_index(address)].set(entry._replace(folio=folio, page=0))
    return 0


def zap_pte_range(vma: Vma, pmd: Slot, addr: int, end: int) -> None:
    """Empty the entries from *addr* to *end* and give back what they held."""
    table = pmd.read()
    for address in range(addr, end, PAGE_SIZE):
        entry = table[pte_index(address)].xchg(None)
        if entry is not None:
            vma.vm_mm.rss.dec()
            folio_put(entry.folio)
