"""Lab 3, the shrinker: a huge zero page that comes when it is needed and goes when it is not.

New against lab 2: nothing is set aside at boot. Each mapping holds a reference, and so does the
shrinker, which alone may give the page back. Whoever replaces or empties an entry gives the
mapping's reference back, but only when no CPU uses the old translation any more.
"""

from hugezero.hw.ram import PMD_SIZE
from hugezero.mm.huge_memory import (
    HPAGE_PMD_NR,
    HUGE_ZERO,
    __do_huge_pmd_anonymous_page,
    flush_pmd_tlb_range,
    haddr_of,
    is_huge_zero_pmd,
    map_anon_folio_pmd,
    mk_huge_zero_pmd,
    pgtable_trans_huge_deposit,
    pgtable_trans_huge_withdraw,
    pmd_wrprotect,
    register_huge_zero_shrinker,
    split_huge_pmd,
    thp_vma_suitable,
    transparent_hugepage_use_zero_page,
    wp_huge_reuse,
)
from hugezero.mm.mm_types import ENOMEM, VM_FAULT_FALLBACK, VM_FAULT_OOM, anon_vma_prepare
from hugezero.mm.page_alloc import (
    HPAGE_PMD_ORDER,
    alloc_folio,
    clear_folio,
    folio_get,
    folio_put,
    free_folio,
)
from hugezero.mm.pgtable import pte_alloc_one, pte_free_one, zero_pte
from hugezero.mm.vmstat import VMSTAT

hugezero_init = register_huge_zero_shrinker  # what a machine does when it boots


def get_huge_zero_folio(hz):
    """Take a reference on the huge zero folio, allocating it if there is none.

    Returns the folio, or None if no huge page is to be had.
    Linux: mm/huge_memory.c, 3.8
    """
    while not hz.refcount.inc_not_zero():
        folio = alloc_folio(HPAGE_PMD_ORDER)
        if folio is None:
            VMSTAT.thp_zero_page_alloc_failed.inc()
            return None
        clear_folio(folio)
        if hz.folio.cmpxchg(None, folio) is not None:
            free_folio(folio)  # another CPU was faster: ask again
            continue
        hz.refcount.set(2)  # the caller, and the shrinker
        VMSTAT.thp_zero_page_alloc.inc()
        return folio
    return hz.folio.read()


def put_huge_zero_folio(hz):
    """Give a reference on the huge zero folio back.

    The last one is the shrinker's, so this never frees anything.
    Linux: mm/huge_memory.c, 3.8
    """
    hz.refcount.dec()


def shrink_huge_zero_folio_count(hz):
    """How many pages could go now? All of the huge zero folio's if nobody uses it, or 0.

    Linux: mm/huge_memory.c, 3.8
    """
    return HPAGE_PMD_NR if hz.refcount.read() == 1 else 0


def shrink_huge_zero_folio_scan(hz):
    """Free the huge zero folio if nobody uses it. Returns how many pages were freed.

    Linux: mm/huge_memory.c, 3.8
    """
    if hz.refcount.cmpxchg(1, 0) != 1:
        return 0
    free_folio(hz.folio.xchg(None))
    return HPAGE_PMD_NR


def do_huge_pmd_anonymous_page(vmf):
    """Give 2 MiB to an address of private anonymous memory, all in one entry.

    A read gets the huge zero page, with a reference for this entry, and a page table put
    aside in case it must be split. A write gets a huge page of its own.
    Returns 0, VM_FAULT_OOM, or VM_FAULT_FALLBACK where small pages must do.
    Linux: mm/huge_memory.c, 3.8
    """
    vma, mm = vmf.vma, vmf.vma.vm_mm
    if not thp_vma_suitable(vma, haddr_of(vmf.address)):
        return VM_FAULT_FALLBACK
    anon_vma_prepare(vma)
    if vmf.write or not transparent_hugepage_use_zero_page():
        return __do_huge_pmd_anonymous_page(vmf)
    table = pte_alloc_one(mm)
    if table is None:
        return VM_FAULT_OOM
    folio = get_huge_zero_folio(HUGE_ZERO)
    if folio is None:
        pte_free_one(mm, table)
        VMSTAT.thp_fault_fallback.inc()
        return VM_FAULT_FALLBACK
    mm.page_table_lock.lock()
    ours = vmf.pmd.read() is None
    if ours:
        pgtable_trans_huge_deposit(vmf.pmd, table)
        vmf.pmd.set(mk_huge_zero_pmd(folio))
    mm.page_table_lock.unlock()
    if not ours:  # another thread was faster, and took a reference of its own
        pte_free_one(mm, table)
        put_huge_zero_folio(HUGE_ZERO)
    return 0


def do_huge_pmd_wp_page(vmf):
    """Let a write through to 2 MiB of private memory that are mapped read-only by one entry.

    The huge zero page: a zeroed huge page takes its place, and the entry's reference is
    given back. A huge page that nobody else holds is made writable. Otherwise, and where
    there is no huge page: split, and let the small fault go on.
    Returns 0, or VM_FAULT_FALLBACK after a split.
    Linux: mm/huge_memory.c, 3.8 with the fallback of 6.13
    """
    vma, mm, entry = vmf.vma, vmf.vma.vm_mm, vmf.orig_pmd
    haddr = haddr_of(vmf.address)
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
                flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)
                put_huge_zero_folio(HUGE_ZERO)
            mm.page_table_lock.unlock()
            if not same:  # another thread was faster
                folio_put(folio)
            return 0
        VMSTAT.thp_fault_fallback.inc()
    split_huge_pmd(vma, vmf.pmd, vmf.address)
    return VM_FAULT_FALLBACK


def split_huge_zero_page_pmd(vma, haddr, pmd):
    """Map the zeroes at *haddr* by small entries, in the page table that was put aside for *pmd*.

    The huge entry's reference is given back. The page table lock is held. Nothing is
    allocated, so this cannot fail.
    Linux: __split_huge_zero_page_pmd, mm/huge_memory.c
    """
    table = pgtable_trans_huge_withdraw(pmd)
    for i in range(len(table)):
        table[i].set(zero_pte())
    pmd.set(table)
    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)
    put_huge_zero_folio(HUGE_ZERO)


def copy_huge_pmd(dst_vma, src_vma, dst_pmd, src_pmd):
    """Copy a huge entry for a forked child, which needs a page table put aside as well.

    A huge page becomes shared: it gets one more holder, RSS counts it, and from now on
    neither side may write to it without a fault. The huge zero page gets one more reference,
    for the child's entry.
    Returns 0, or ENOMEM.
    Linux: mm/huge_memory.c, 3.8
    """
    table = pte_alloc_one(dst_vma.vm_mm)
    if table is None:
        return ENOMEM
    entry = src_pmd.read()
    if is_huge_zero_pmd(entry):
        get_huge_zero_folio(HUGE_ZERO)  # never allocates: the parent's entry holds the folio
    else:
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
    Linux: mm/huge_memory.c, with the order of aa88b68c3b1d
    """
    entry = pmd.xchg(None)
    flush_pmd_tlb_range(vma, addr, addr + PMD_SIZE)
    pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))
    if is_huge_zero_pmd(entry):
        put_huge_zero_folio(HUGE_ZERO)  # after the flush: until then another CPU may read the folio
        return
    vma.vm_mm.rss.add(-entry.folio.nr_pages)
    folio_put(entry.folio)


def predict_two_first_faults():
    """Two CPUs see a count of 0, and both bring a folio. What is the worst that can come of it?

    Returns "a" (one page too many for a moment), "b" (a page is lost for ever),
    "c" (a reader sees freed memory) or "d" (nothing).
    """
    return "b"


def break_get_schedule():
    """A schedule that breaks the get_huge_zero_folio that to_break showed you.

    Returns (seed, schedule): the text that you gave to to_break, and the numbers of the
    CPUs in the order in which they go, as in ("ada", [0, 0, 1]).
    """
    return "reference", [1, 0, 0, 0, 0, 1]


def break_scan_schedule():
    """A schedule that breaks the shrink_huge_zero_folio_scan that to_break showed you.

    Returns (seed, schedule): the text that you gave to to_break, and the numbers of the
    CPUs in the order in which they go, as in ("ada", [0, 0, 1]).
    """
    return "reference", [0, 0, 0, 1, 1, 2, 0, 2]


def predict_idle():
    """Five programs read zeroes, and memory is short before each ends. How many huge zero folios are brought?

    Returns "a" (5), "b" (6), "c" (1) or "d" (none).
    """
    return "c"
