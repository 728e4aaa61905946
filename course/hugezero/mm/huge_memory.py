"""Huge pages: entries of 2 MiB, the tables that wait for their split, and the huge zero page.

Linux: mm/huge_memory.c, include/linux/huge_mm.h
"""

from __future__ import annotations

from ..hw.ram import PMD_SIZE
from ..hw.tlb import Tlb
from ..store import Atomic, Counter, Flag, Handle, Lock, Slot, call, current
from .mm_types import VM_FAULT_FALLBACK, VM_FAULT_OOM, VM_HUGEPAGE, VM_WRITE, Vma, VmFault
from .page_alloc import HPAGE_PMD_ORDER, Folio, alloc_folio, clear_folio, folio_put, is_folio
from .pgtable import Pmd, Pte, PteTable, pte_alloc_one, pte_free_one
from .printk import CONFIG, Config
from .shrinker import shrinker_register
from .vmstat import VMSTAT

HPAGE_PMD_NR = 1 << HPAGE_PMD_ORDER  # pages of 4 KiB in a huge one


class HugeZero(Handle):
    """The one huge folio of zeroes, if there is one now, and how many hold it."""

    __slots__ = ()
    folio = Atomic(None, "the folio, or None", Slot)
    refcount = Atomic(0, "its users, and one for the shrinker; 0 if there is none", Counter)
    lock = Atomic(False, "for kernels that change folio and refcount under a lock", Lock)


HUGE_ZERO = HugeZero(0)


class TransparentHugepage(Handle):
    """The switches below /sys/kernel/mm/transparent_hugepage that this course needs."""

    __slots__ = ()
    use_zero_page = Atomic(True, "may a read be given the huge zero page?", Flag)


TRANSPARENT_HUGEPAGE = TransparentHugepage(0)


class Deposits(Handle):
    """Page tables that wait, one for each huge entry of an mm, in case it must be split."""

    __slots__ = ()
    slots = Slot


def haddr_of(address: int) -> int:
    """Return the first address of the 2 MiB that *address* is in."""
    return address - address % PMD_SIZE


def thp_vma_suitable(vma: Vma, haddr: int) -> bool:
    """Return whether *vma* may have a huge page at *haddr*: it was advised, and all of the 2 MiB fit."""
    return bool(vma.vm_flags & VM_HUGEPAGE) and vma.vm_start <= haddr and haddr + PMD_SIZE <= vma.vm_end


def pgtable_trans_huge_deposit(pmd: Slot, table: PteTable) -> None:
    """Put *table* aside for the day when the huge entry at *pmd* must be split."""
    _deposit(pmd).set(table)


def pgtable_trans_huge_withdraw(pmd: Slot) -> PteTable:
    """Take the table back that was put aside for *pmd*; KernelBug if none was."""
    table: PteTable | None = _deposit(pmd).xchg(None)
    if table is None:
        raise current().bug("a huge entry has no page table put aside: it can be neither split nor unmapped")
    return table


def _deposit(pmd: Slot) -> Slot:
    table, index = pmd.cell
    return Deposits(table.id)[index]


def transparent_hugepage_use_zero_page() -> bool:
    """Return whether a read may be given the huge zero page."""
    return TRANSPARENT_HUGEPAGE.use_zero_page.test()


def mk_huge_pmd(folio: Folio) -> Pmd:
    """Return a read-only huge entry for *folio*."""
    return Pmd(is_folio(folio, "mk_huge_pmd"))


def mk_huge_zero_pmd(folio: Folio) -> Pmd:
    """Return a read-only, special huge entry for *folio*, the huge zero page: RSS does not count it."""
    return Pmd(is_folio(folio, "mk_huge_zero_pmd"), special=True)


def is_huge_zero_pmd(entry: object) -> bool:
    """Return whether *entry* maps the huge zero page."""
    return isinstance(entry, Pmd) and entry.special


def pmd_mkwrite(entry: Pmd) -> Pmd:
    """Return the same entry, writable."""
    return entry._replace(write=True)


def pmd_wrprotect(entry: Pmd) -> Pmd:
    """Return the same entry, read-only."""
    return entry._replace(write=False)


def pmd_mkdirty(entry: Pmd) -> Pmd:
    """Return the same entry, marked as written to."""
    return entry._replace(dirty=True)


def pmd_trans_huge_lock(pmd: Slot, vma: Vma) -> bool:
    """Take the page table lock if *pmd* holds a huge entry; return whether it does."""
    vma.vm_mm.page_table_lock.lock()
    if isinstance(pmd.read(), Pmd):
        return True
    vma.vm_mm.page_table_lock.unlock()
    return False


def split_huge_pmd(vma: Vma, pmd: Slot, address: int) -> None:
    """Map the same memory by small entries, in the table that was put aside.

    Nothing is done if *pmd* holds no huge entry any more. Takes the page table lock.
    Linux: __split_huge_pmd, mm/huge_memory.c
    """
    if not pmd_trans_huge_lock(pmd, vma):
        return
    VMSTAT.thp_split_pmd.inc()
    entry = pmd.read()
    if is_huge_zero_pmd(entry):
        call("split_huge_zero_page_pmd", vma, haddr_of(address), pmd)
    else:
        _split_huge_page_pmd(entry, pmd)
    vma.vm_mm.page_table_lock.unlock()


def _split_huge_page_pmd(entry: Pmd, pmd: Slot) -> None:
    small = pgtable_trans_huge_withdraw(pmd)
    entry.folio.refcount.add(len(small) - 1)  # each small entry holds the folio
    for page in range(len(small)):
        small[page].set(Pte(entry.folio, entry.write, entry.dirty, page=page))
    pmd.set(small)


def map_anon_folio_pmd(folio: Folio, pmd: Slot, vma: Vma) -> None:
    """Map a cleared huge page that is this process's own; RSS and the statistics count it.

    Writable if *vma* is. The page table lock is held.
    Linux: mm/huge_memory.c
    """
    entry = pmd_mkdirty(mk_huge_pmd(folio))
    pmd.set(pmd_mkwrite(entry) if vma.vm_flags & VM_WRITE else entry)
    vma.vm_mm.rss.add(folio.nr_pages)
    VMSTAT.thp_fault_alloc.inc()


def wp_huge_reuse(vmf: VmFault) -> bool:
    """Make a huge page writable where it is, if nobody else holds it; return whether that was so.

    Linux: do_huge_pmd_wp_page from 5.8 on, after its label "reuse"
    """
    lock, entry = vmf.vma.vm_mm.page_table_lock, vmf.orig_pmd
    lock.lock()
    reuse = vmf.pmd.read() == entry and entry.folio.refcount.read() == 1
    if reuse:
        vmf.pmd.set(pmd_mkdirty(pmd_mkwrite(entry)))
    lock.unlock()
    return reuse


def __do_huge_pmd_anonymous_page(vmf: VmFault) -> int:
    """Give a huge page of its own to the 2 MiB that *vmf* is in, which fit.

    Returns 0, VM_FAULT_OOM, or VM_FAULT_FALLBACK if there is no huge page.
    Linux: mm/huge_memory.c
    """
    mm = vmf.vma.vm_mm
    folio = alloc_folio(HPAGE_PMD_ORDER)
    if not folio:
        VMSTAT.thp_fault_fallback.add(1)
        return VM_FAULT_FALLBACK
    spare = pte_alloc_one(mm)
    if not spare:
        folio_put(folio)
        return VM_FAULT_OOM
    clear_folio(folio)
    if not _map_if_empty(vmf, folio, spare):
        pte_free_one(mm, spare)
        folio_put(folio)
    return 0


def _map_if_empty(vmf: VmFault, folio: Folio, spare: PteTable) -> bool:
    """Map *folio* with *spare* put aside for its split, unless another thread was faster; return whether it was mapped."""
    lock = vmf.vma.vm_mm.page_table_lock
    lock.lock()
    empty = vmf.pmd.read() is None
    if empty:
        pgtable_trans_huge_deposit(vmf.pmd, spare)
        map_anon_folio_pmd(folio, vmf.pmd, vmf.vma)
    lock.unlock()
    return empty


def flush_pmd_tlb_range(vma: Vma, start: int, end: int) -> None:
    """Make every CPU forget what it remembers of the huge entries of *vma* from *start* to *end*.

    When it returns, nobody uses an old translation any more.
    """
    Tlb(vma.vm_mm.id).cached.flush(start, end)


def set_huge_zero_page_aside(config: Config = CONFIG) -> None:
    """At boot, set a huge page of zeroes aside for everybody, for ever; none where there is no memory for it.

    Linux: hugepage_init, in the first patches of the series of 2012
    """
    folio = alloc_folio(HPAGE_PMD_ORDER)
    if folio is not None:
        clear_folio(folio)
        HUGE_ZERO.folio.set(folio)


def register_huge_zero_shrinker(config: Config = CONFIG) -> None:
    """At boot, see to it that the huge zero page may go when memory gets tight.

    Linux: hugepage_init, since 3.8
    """
    shrinker_register("shrink_huge_zero_folio_count", "shrink_huge_zero_folio_scan", HUGE_ZERO)
