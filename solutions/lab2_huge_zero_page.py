"""Lab 2, the huge zero page: 2 MiB of zeroes, mapped by one entry.

New against lab 1: a read of a large area that may use huge pages maps one huge page of zeroes
for 512 small ones. It was set aside at boot; a write, an unmap of a part, and a fork have to
know it when they see it.
"""

from hugezero.hw.ram import PMD_SIZE
from hugezero.mm.huge_memory import (
    HUGE_ZERO,
    __do_huge_pmd_anonymous_page,
    haddr_of,
    is_huge_zero_pmd,
    map_anon_folio_pmd,
    mk_huge_zero_pmd,
    pgtable_trans_huge_deposit,
    pgtable_trans_huge_withdraw,
    pmd_wrprotect,
    set_huge_zero_page_aside,
    split_huge_pmd,
    thp_vma_suitable,
    transparent_hugepage_use_zero_page,
    wp_huge_reuse,
)
from hugezero.mm.mm_types import ENOMEM, VM_FAULT_FALLBACK, VM_FAULT_OOM, anon_vma_prepare
from hugezero.mm.page_alloc import HPAGE_PMD_ORDER, alloc_folio, clear_folio, folio_get, folio_put
from hugezero.mm.pgtable import pte_alloc_one, pte_free_one, zero_pte
from hugezero.mm.vmstat import VMSTAT

hugezero_init = set_huge_zero_page_aside  # what a machine does when it boots


def do_huge_pmd_anonymous_page(vmf):
    """Give 2 MiB to an address of private anonymous memory, all in one entry.

    A read gets the huge zero page, with a page table put aside in case it must be split.
    A write gets a huge page of its own.
    Returns 0, VM_FAULT_OOM, or VM_FAULT_FALLBACK where small pages must do.
    Linux: mm/huge_memory.c, first patches of the series of 2012
    """
    vma, mm = vmf.vma, vmf.vma.vm_mm
    if not thp_vma_suitable(vma, haddr_of(vmf.address)):
        return VM_FAULT_FALLBACK
    anon_vma_prepare(vma)
    if vmf.write or not transparent_hugepage_use_zero_page():
        return __do_huge_pmd_anonymous_page(vmf)
    folio = HUGE_ZERO.folio.read()
    if folio is None:
        VMSTAT.thp_fault_fallback.inc()
        return VM_FAULT_FALLBACK
    table = pte_alloc_one(mm)
    if table is None:
        return VM_FAULT_OOM
    mm.page_table_lock.lock()
    ours = vmf.pmd.read() is None
    if ours:
        pgtable_trans_huge_deposit(vmf.pmd, table)
        vmf.pmd.set(mk_huge_zero_pmd(folio))
    mm.page_table_lock.unlock()
    if not ours:  # another thread was faster
        pte_free_one(mm, table)
    return 0


def do_huge_pmd_wp_page(vmf):
    """Let a write through to 2 MiB of private memory that are mapped read-only by one entry.

    The huge zero page: a zeroed huge page takes its place. A huge page that nobody else
    holds is made writable. Otherwise, and where there is no huge page: split, and let the
    small fault go on.
    Returns 0, or VM_FAULT_FALLBACK after a split.
    Linux: mm/huge_memory.c, as of 6.13
    """
    vma, mm, entry = vmf.vma, vmf.vma.vm_mm, vmf.orig_pmd
    if not is_huge_zero_pmd(entry):
        if wp_huge_reuse(vmf):
            return 0
    else:
        folio = alloc_folio(HPAGE_PMD_ORDER)
        if folio is not None:
            clear_folio(folio)
            mm.page_table_lock.lock()
            same = vmf.pmd.read() == entry
            if same:
                map_anon_folio_pmd(folio, vmf.pmd, vma)
            mm.page_table_lock.unlock()
            if not same:  # another thread was faster
                folio_put(folio)
            return 0
        VMSTAT.thp_fault_fallback.inc()
    split_huge_pmd(vma, vmf.pmd, vmf.address)
    return VM_FAULT_FALLBACK


def split_huge_zero_page_pmd(vma, haddr, pmd):
    """Map the zeroes at *haddr* by small entries, in the page table that was put aside for *pmd*.

    The page table lock is held. Nothing is allocated, so this cannot fail.
    Linux: __split_huge_zero_page_pmd, mm/huge_memory.c
    """
    table = pgtable_trans_huge_withdraw(pmd)
    for i in range(len(table)):
        table[i].set(zero_pte())
    pmd.set(table)  # last: until now every thread reads zeroes through the huge entry


def copy_huge_pmd(dst_vma, src_vma, dst_pmd, src_pmd):
    """Copy a huge entry for a forked child, which needs a page table put aside as well.

    A huge page becomes shared: it gets one more holder, RSS counts it, and from now on
    neither side may write to it without a fault. The huge zero page is counted by nobody.
    Returns 0, or ENOMEM.
    Linux: mm/huge_memory.c
    """
    table = pte_alloc_one(dst_vma.vm_mm)
    if table is None:
        return ENOMEM
    entry = src_pmd.read()
    if not is_huge_zero_pmd(entry):
        folio_get(entry.folio)
        dst_vma.vm_mm.rss.add(entry.folio.nr_pages)
        if entry.write:
            entry = pmd_wrprotect(entry)
            src_pmd.set(entry)
    pgtable_trans_huge_deposit(dst_pmd, table)
    dst_pmd.set(entry)
    return 0


def zap_huge_pmd(vma, pmd, addr):
    """Empty the huge entry for the 2 MiB at *addr* and give back what it held.

    The page table that was put aside comes back too. The page table lock is held.
    Linux: mm/huge_memory.c
    """
    entry = pmd.xchg(None)
    pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))
    if is_huge_zero_pmd(entry):
        return
    vma.vm_mm.rss.add(-entry.folio.nr_pages)
    folio_put(entry.folio)


def change_huge_pmd(vma, pmd, start, end, write):
    """mprotect the part from *start* to *end* of a huge entry.

    Returns True; or False if it was split, so that its small entries are to be changed instead.
    Linux: mm/huge_memory.c, and its caller change_pmd_range in mm/mprotect.c
    """
    if end - start < PMD_SIZE:
        split_huge_pmd(vma, pmd, start)
        return False
    if not write:
        pmd.set(pmd_wrprotect(pmd.read()))
    return True


def predict_faults():
    """How many page faults does it take to read 64 MiB that begin 4 KiB after a multiple of 2 MiB?

    Returns "a" (32), "b" (33), "c" (543) or "d" (16,384).
    """
    return "c"


def predict_table_memory():
    """How much memory do page tables take now, beside lab 1?

    Returns "a" (about a five-hundredth), "b" (the same) or "c" (more).
    """
    return "b"


def predict_who_pays():
    """On a small machine where nobody ever reads a zero, who pays for the 2 MiB when a program writes?

    Returns "a" (that program, by more faults), "b" (nobody) or "c" (that program, which is ended).
    """
    return "a"
