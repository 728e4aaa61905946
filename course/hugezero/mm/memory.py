"""The kernel before lab 1: correct, and it shares nothing.

Every page that is touched gets a frame of its own, also where it is only read, and fork
copies every byte. Each lab replaces some of these functions.
"""

from __future__ import annotations

from ..hw.ram import PAGE_SIZE
from ..store import Slot
from .huge_memory import (
    __do_huge_pmd_anonymous_page,
    haddr_of,
    pgtable_trans_huge_deposit,
    pgtable_trans_huge_withdraw,
    pmd_mkdirty,
    pmd_mkwrite,
    split_huge_pmd,
    thp_vma_suitable,
)
from .mm_types import ENOMEM, VM_FAULT_FALLBACK, VM_FAULT_OOM, VM_WRITE, Mm, Vma, VmFault, anon_vma_prepare
from .mmap import exit_mmap
from .page_alloc import HPAGE_PMD_ORDER, alloc_folio, clear_folio, copy_folio, folio_put
from .pgtable import (
    copy_user_page,
    mk_pte,
    pte_alloc,
    pte_alloc_one,
    pte_free_one,
    pte_index,
    pte_mkdirty,
    pte_mkwrite,
)


def __mmput(mm: Mm) -> None:
    """Take away what *mm* maps: its last thread has stopped using it.

    Linux: kernel/fork.c
    """
    exit_mmap(mm)


def do_anonymous_page(vmf: VmFault) -> int:
    """Give every page that is read or written a frame of zeroes of its own."""
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
    """Make the page writable: nothing is shared, so whoever may write to the area may write to it.

    A private page of a file is copied: the page cache holds it as well, and others read it there.
    """
    entry = vmf.orig_pte
    if vmf.vma.vm_file is not None and entry.folio.refcount.read() > 1:
        anon_vma_prepare(vmf.vma)
        own = alloc_folio()
        if own is None:
            return VM_FAULT_OOM
        copy_user_page(own, entry)
        entry.folio.refcount.dec()  # the page cache has its own
        entry = entry._replace(folio=own, page=0)
    vmf.pte.set(pte_mkdirty(pte_mkwrite(entry)))
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


def do_huge_pmd_anonymous_page(vmf: VmFault) -> int:
    """Give every 2 MiB that are read or written a huge page of their own, as Linux did until 3.7."""
    if not thp_vma_suitable(vmf.vma, haddr_of(vmf.address)):
        return VM_FAULT_FALLBACK
    anon_vma_prepare(vmf.vma)
    return __do_huge_pmd_anonymous_page(vmf)


def do_huge_pmd_wp_page(vmf: VmFault) -> int:
    """Make the huge page writable: nothing is shared, so whoever may write to the area may write to it."""
    vmf.pmd.set(pmd_mkdirty(pmd_mkwrite(vmf.orig_pmd)))
    return 0


def copy_huge_pmd(dst_vma: Vma, src_vma: Vma, dst_pmd: Slot, src_pmd: Slot) -> int:
    """Copy a huge page for a forked child. Returns 0, or ENOMEM."""
    folio = alloc_folio(HPAGE_PMD_ORDER)
    if folio is None:
        return ENOMEM
    table = pte_alloc_one(dst_vma.vm_mm)
    if table is None:
        folio_put(folio)
        return ENOMEM
    entry = src_pmd.read()
    copy_folio(folio, entry.folio)
    pgtable_trans_huge_deposit(dst_pmd, table)
    dst_pmd.set(entry._replace(folio=folio))
    dst_vma.vm_mm.rss.add(folio.nr_pages)
    return 0


def zap_huge_pmd(vma: Vma, pmd: Slot, addr: int) -> None:
    """Empty the huge entry for the 2 MiB at *addr* and give back what it held. The page table lock is held."""
    entry = pmd.xchg(None)
    pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))
    vma.vm_mm.rss.add(-entry.folio.nr_pages)
    folio_put(entry.folio)


def change_huge_pmd(vma: Vma, pmd: Slot, start: int, end: int, write: bool) -> bool:
    """mprotect a huge entry: it is split, whatever the range, and False says that small entries are to be changed."""
    split_huge_pmd(vma, pmd, start)
    return False
