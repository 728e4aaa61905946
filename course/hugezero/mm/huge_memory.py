"""Huge pages: entries of 2 MiB, the tables that wait for their split, and the huge zero page.

Linux: mm/huge_memory.c, include/linux/huge_mm.h
"""

from __future__ import annotations

from ..hw.ram import PMD_SIZE
from ..store import Atomic, Counter, Handle, Slot, call
from .mm_types import VM_HUGEPAGE, Vma
from .page_alloc import HPAGE_PMD_ORDER, Folio
from .pgtable import Pmd, Pte, PteTable
from .vmstat import VMSTAT

HPAGE_PMD_NR = 1 << HPAGE_PMD_ORDER  # pages of 4 KiB in a huge one


class HugeZero(Handle):
    """The one huge folio of zeroes, if there is one now, and how many hold it."""

    __slots__ = ()
    folio = Atomic(None, "the folio, or None", Slot)
    refcount = Atomic(0, "its users, and one for the shrinker; 0 if there is none", Counter)


HUGE_ZERO = HugeZero(0)


class Deposits(Handle):
    """Page tables that wait, one for each huge entry of an mm, in case it must be split."""

    __slots__ = ()
    slots = Slot


def haddr_of(address: int) -> int:
    """The first address of the 2 MiB that *address* is in."""
    return address - address % PMD_SIZE


def thp_vma_suitable(vma: Vma, haddr: int) -> bool:
    """May *vma* have a huge page at *haddr*: was that advised, and do all of the 2 MiB fit?"""
    return bool(vma.vm_flags & VM_HUGEPAGE) and vma.vm_start <= haddr and haddr + PMD_SIZE <= vma.vm_end


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


def is_huge_zero_pmd(entry: object) -> bool:
    """Does *entry* map the huge zero page?"""
    return isinstance(entry, Pmd) and entry.special


def pmd_mkwrite(entry: Pmd) -> Pmd:
    """The same entry, writable."""
    return entry._replace(write=True)


def pmd_wrprotect(entry: Pmd) -> Pmd:
    """The same entry, read-only."""
    return entry._replace(write=False)


def pmd_mkdirty(entry: Pmd) -> Pmd:
    """The same entry, marked as written to."""
    return entry._replace(dirty=True)


def split_huge_pmd(vma: Vma, pmd: Slot) -> None:
    """Map the same memory by small entries, in the table that was put aside.

    Linux: __split_huge_pmd, mm/huge_memory.c
    """
    VMSTAT.thp_split_pmd.inc()
    entry = pmd.read()
    if is_huge_zero_pmd(entry):
        call("split_huge_zero_page_pmd", vma, pmd)
        return
    table = pgtable_trans_huge_withdraw(pmd)
    entry.folio.refcount.add(len(table) - 1)  # each small entry holds the folio
    for i in range(len(table)):
        table[i].set(Pte(entry.folio, entry.write, entry.dirty, page=i))
    pmd.set(table)
