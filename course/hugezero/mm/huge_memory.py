"""Huge pages: entries of 2 MiB, the tables that wait for their split, and the huge zero page.

Linux: mm/huge_memory.c, include/linux/huge_mm.h
"""

from __future__ import annotations

from ..hw.ram import PMD_SIZE
from ..store import Atomic, Counter, Flag, Handle, Lock, Slot
from .mm_types import VM_HUGEPAGE, Vma
from .page_alloc import HPAGE_PMD_ORDER, Folio, alloc_folio
from .pgtable import Pmd, PteTable

HPAGE_PMD_NR = 1 << HPAGE_PMD_ORDER  # pages of 4 KiB in a huge one


class HugeZero(Handle):
    """The one huge folio of zeroes, if there is one now, and how many hold it."""

    __slots__ = ()
    folio = Atomic(None, "the folio, or None", Slot)
    refcount = Atomic(0, "its users, and one for the shrinker; 0 if there is none", Counter)
    use_zero_page = Atomic(
        True, "may read faults map it? /sys/kernel/mm/transparent_hugepage/use_zero_page", Flag
    )


HUGE_ZERO = HugeZero(0)


class Deposits(Handle):
    """Page tables that wait, one for each huge entry of an mm, in case it must be split."""

    __slots__ = ()
    slots = Slot


class PmdLocks(Handle):
    """A lock for each PMD entry of an mm."""

    __slots__ = ()
    slots = Lock


def haddr_of(address: int) -> int:
    """The first address of the 2 MiB that *address* is in."""
    return address - address % PMD_SIZE


def thp_vma_suitable(vma: Vma, haddr: int) -> bool:
    """May *vma* have a huge page at *haddr*: was that advised, and do all of the 2 MiB fit?"""
    return bool(vma.vm_flags & VM_HUGEPAGE) and vma.vm_start <= haddr and haddr + PMD_SIZE <= vma.vm_end


def pmd_lock(pmd: Slot) -> Lock:
    """Take the lock of a PMD entry; the caller gives it back with `.unlock()`."""
    table, index = pmd.cell
    lock: Lock = PmdLocks(table.id)[index]
    lock.lock()
    return lock


def pgtable_trans_huge_deposit(pmd: Slot, table: PteTable) -> None:
    """Put *table* aside for the day when the huge entry at *pmd* must be split."""
    _deposit(pmd).set(table)


def pgtable_trans_huge_withdraw(pmd: Slot) -> PteTable:
    """Take the table back that was put aside for *pmd*."""
    return _deposit(pmd).xchg(None)


def _deposit(pmd: Slot) -> Slot:
    table, index = pmd.cell
    return Deposits(table.id)[index]


def mk_huge_pmd(folio: Folio) -> Pmd:
    """A read-only huge entry for *folio*."""
    return Pmd(folio)


def huge_zero_pmd(folio: Folio) -> Pmd:
    """A read-only, special huge entry for the huge zero page."""
    return Pmd(folio, special=True)


def is_huge_zero_pmd(entry: object) -> bool:
    """Does *entry* map the huge zero page?"""
    return isinstance(entry, Pmd) and entry.special


def pmd_trans_huge(entry: object) -> bool:
    """Is *entry* a huge one, and neither None nor a page table?"""
    return isinstance(entry, Pmd)


def pmd_mkwrite(entry: Pmd) -> Pmd:
    """The same entry, writable."""
    return entry._replace(write=True)


def pmd_wrprotect(entry: Pmd) -> Pmd:
    """The same entry, read-only."""
    return entry._replace(write=False)


def pmd_mkdirty(entry: Pmd) -> Pmd:
    """The same entry, marked as written to."""
    return entry._replace(dirty=True)


def alloc_huge_zero_folio() -> Folio | None:
    """A huge folio that is zero and stays so; None if there is no huge page to be had."""
    folio = alloc_folio(HPAGE_PMD_ORDER)
    if folio is not None:
        folio.data.freeze()
    return folio


def set_huge_zero_page_aside() -> None:
    """At boot, as in the first patches of 2012: the huge zero page is there for ever, if memory allows."""
    HUGE_ZERO.folio.set(alloc_huge_zero_folio())
