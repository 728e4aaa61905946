"""Lab 4, the flag in each mm: one reference for a whole address space.

New against lab 3: an mm takes its reference when it first maps the huge zero folio, notes that in
a flag, and gives it back when its last user goes. Faults, splits and unmaps write to nothing that
another mm shares.
"""

from hugezero.hw.ram import PMD_SIZE
from hugezero.mm.huge_memory import (
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
    split_huge_pmd,
    thp_vma_suitable,
    transparent_hugepage_use_zero_page,
    wp_huge_reuse,
)
from hugezero.mm.mm_types import ENOMEM, VM_FAULT_FALLBACK, VM_FAULT_OOM, anon_vma_prepare
from hugezero.mm.mmap import exit_mmap
from hugezero.mm.page_alloc import HPAGE_PMD_ORDER, alloc_folio, clear_folio, folio_get, folio_put
from hugezero.mm.pgtable import pte_alloc_one, pte_free_one, zero_pte
from hugezero.mm.vmstat import VMSTAT
from hugezero.scenario import DropCaches, Madvise, Mmap, Munmap, Read

from solutions.lab3_shrinker import get_huge_zero_folio, put_huge_zero_folio


def mm_get_huge_zero_folio(mm):
    """Let *mm* map the huge zero folio until it dies.

    Returns the folio, or None if there is no huge page to be had.
    Linux: mm/huge_memory.c, since 4.9
    """
    if mm.huge_zero.test():  # the whole point: nothing is written that another mm shares
        return HUGE_ZERO.folio.read()
    folio = get_huge_zero_folio(HUGE_ZERO)
    if folio is not None and mm.huge_zero.test_and_set():
        put_huge_zero_folio(HUGE_ZERO)  # another thread of this mm was first: one reference is enough
    return folio


def mm_put_huge_zero_folio(mm):
    """Give the reference of *mm* back, if it has one. Its last user is gone, and so are its tables.

    Linux: mm/huge_memory.c, since 4.9
    """
    if mm.huge_zero.test():
        put_huge_zero_folio(HUGE_ZERO)


def __mmput(mm):
    """The last thread has stopped using *mm*: take away what it maps, and what it holds.

    Linux: kernel/fork.c
    """
    exit_mmap(mm)
    mm_put_huge_zero_folio(mm)  # last: until its tables are gone, another CPU may read through them


def do_huge_pmd_anonymous_page(vmf):
    """Give 2 MiB to an address of private anonymous memory, all in one entry.

    A read gets the huge zero page, which the mm then holds until it dies, and a page table
    put aside in case it must be split. A write gets a huge page of its own.
    Returns 0, VM_FAULT_OOM, or VM_FAULT_FALLBACK where small pages must do.
    Linux: mm/huge_memory.c, 4.9
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
    folio = mm_get_huge_zero_folio(mm)
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
    if not ours:  # another thread was faster; the mm's reference stays, it has it once
        pte_free_one(mm, table)
    return 0


def do_huge_pmd_wp_page(vmf):
    """Let a write through to 2 MiB of private memory that are mapped read-only by one entry.

    The huge zero page: a zeroed huge page takes its place. A huge page that nobody else
    holds is made writable. Otherwise, and where there is no huge page: split, and let the
    small fault go on.
    Returns 0, or VM_FAULT_FALLBACK after a split.
    Linux: mm/huge_memory.c, 4.9 with the fallback of 6.13
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
    pmd.set(table)
    flush_pmd_tlb_range(vma, haddr, haddr + PMD_SIZE)


def copy_huge_pmd(dst_vma, src_vma, dst_pmd, src_pmd):
    """Copy a huge entry for a forked child, which needs a page table put aside as well.

    A huge page becomes shared: it gets one more holder, RSS counts it, and from now on
    neither side may write to it without a fault. The child's mm takes a reference of its
    own on the huge zero page, before it maps it.
    Returns 0, or ENOMEM.
    Linux: mm/huge_memory.c, 4.9
    """
    table = pte_alloc_one(dst_vma.vm_mm)
    if table is None:
        return ENOMEM
    entry = src_pmd.read()
    if is_huge_zero_pmd(entry):
        mm_get_huge_zero_folio(dst_vma.vm_mm)  # never allocates: the parent holds the folio
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
    Linux: mm/huge_memory.c, 4.9
    """
    entry = pmd.xchg(None)
    flush_pmd_tlb_range(vma, addr, addr + PMD_SIZE)
    pte_free_one(vma.vm_mm, pgtable_trans_huge_withdraw(pmd))
    if is_huge_zero_pmd(entry):
        return
    vma.vm_mm.rss.add(-entry.folio.nr_pages)
    folio_put(entry.folio)


def page_outlives_its_mappings():
    """A program at whose end nobody maps the huge zero page, memory was asked for, and the page stays.

    On lab 3's kernel the same program lets it go.
    Returns a list of actions: Mmap, Madvise, Read, DropCaches, ...
    """
    return [
        Mmap("a", PMD_SIZE),
        Madvise("a", "hugepage"),
        Read("a"),
        Munmap("a"),
        DropCaches(),
    ]


def predict_share_at_72():
    """With 24 CPUs a small part of all time is spent in get. How much is it with 72?

    Returns "a" (about as much), "b" (three times as much), "c" (about ten times as much) or
    "d" (nearly all of it).
    """
    return "c"


def predict_half_the_work():
    """The work of a fault is halved. How many faults do 72 CPUs of lab 3's kernel do in a second?

    Returns "a" (about as many as before), "b" (half as many again) or "c" (twice as many).
    """
    return "a"


def predict_one_fault_each():
    """Each process reads one byte of zeroes, and ends. What does the flag save?

    Returns "a" (half of it), "b" (nothing) or "c" (as much as ever).
    """
    return "b"
