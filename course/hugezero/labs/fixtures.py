"""What CPUs and processes meet: the huge zero folio, in use or idle, and areas of 2 MiB that may map it."""

from __future__ import annotations

from typing import Any

from ..check.checks import expect
from ..hw.ram import PMD_SIZE
from ..machine import Kernel, Machine
from ..mm.huge_memory import (
    HPAGE_PMD_NR,
    HUGE_ZERO,
    Deposits,
    map_anon_folio_pmd,
    pgtable_trans_huge_deposit,
)
from ..mm.mm_types import VM_FAULT_FALLBACK, VM_HUGEPAGE, VM_READ, VM_WRITE, Mm, VmFault, fault_code
from ..mm.mmap import mm_alloc, mmap
from ..mm.page_alloc import HPAGE_PMD_ORDER, SMALL, ZERO_PAGE, Folio, alloc_folio, clear_folio
from ..mm.pgtable import Pmd, PteTable, pmd_offset, pte_alloc_one
from ..store import Cell, Slot

COUNT, FOLIO = (HUGE_ZERO, "refcount"), (HUGE_ZERO, "folio")

ADVISED = VM_READ | VM_WRITE | VM_HUGEPAGE


def folio_in_use(users: int) -> Folio:
    """The huge zero folio as if somebody had brought it: *users* hold it, and the shrinker."""
    folio = alloc_folio(HPAGE_PMD_ORDER)
    assert folio is not None
    clear_folio(folio)
    HUGE_ZERO.folio.set(folio)
    HUGE_ZERO.refcount.set(users + 1)
    return folio


def idle_folio() -> dict[Cell, Any]:
    """The cells of a small machine on which the folio is there, and nobody uses it."""
    with Kernel().booted(pages=HPAGE_PMD_NR) as machine:
        folio_in_use(users=0)
    cells: dict[Cell, Any] = small(machine.cells)
    return cells


def huge_area(length: int = PMD_SIZE) -> tuple[Mm, int]:
    """A new address space with one area of *length* bytes that may use huge pages; returns both.

    The area begins where 2 MiB do.
    """
    mm = mm_alloc()
    return mm, mmap(mm, length, ADVISED)


def huge_fault(mm: Mm, address: int, write: bool = False) -> VmFault:
    """What a huge fault at *address* is told."""
    vma = next(vma for start, end, vma in mm.mmap if start <= address < end)
    pmd = pmd_offset(mm, address)
    return VmFault(vma, address, write, pmd, None, None, pmd.read())  # type: ignore[arg-type]


def place_huge(mm: Mm, address: int, entry: Pmd | None = None) -> Folio:
    """Map 2 MiB as if a fault had: by *entry*, or by a huge page of its own. Returns the folio."""
    vma, pmd = mm.mmap[0][2], pmd_offset(mm, address)
    vma.anon_vma = True
    table = pte_alloc_one(mm)
    assert table is not None
    pgtable_trans_huge_deposit(pmd, table)
    if entry is not None:
        pmd.set(entry)
        return entry.folio
    folio = alloc_folio(HPAGE_PMD_ORDER)
    assert folio is not None
    clear_folio(folio)
    map_anon_folio_pmd(folio, pmd, vma)
    return folio


def deposited(mm: Mm, address: int) -> Any:
    """The table that is put aside for the 2 MiB at *address*, or None."""
    return Deposits(mm.id)[address // PMD_SIZE].read()


def no_memory_next(machine: Machine) -> None:
    """Let the next allocation find no memory; those after it do."""
    machine.births.fail = frozenset([machine.births.tries])


def expect_fallback(said: object, pmd: Slot, left: int) -> None:
    """A read of 2 MiB at *pmd* said that there is no huge page, and *left* no frame in use, nor an entry."""
    expect(
        said == VM_FAULT_FALLBACK and pmd.read() is None,
        f"there was no huge page to be had, and it returned {fault_code(said)}; it should return VM_FAULT_FALLBACK",
    )
    expect(left == 0, f"there was no huge page to be had, and {left} frame stayed behind", "the page table")


def small(value: Any) -> Any:
    """*value* as it is on a small machine, which is what searches run on: cells, or what a call is given."""
    if isinstance(value, dict):
        return {small(cell): small(held) for cell, held in value.items()}
    if isinstance(value, Folio | PteTable):
        pfn, order, _ = value.id
        return type(value)((SMALL + pfn, order, 0)) if value is not ZERO_PAGE else value
    if isinstance(value, tuple):
        parts = [small(part) for part in value]
        return value._make(parts) if hasattr(value, "_make") else tuple(parts)
    return value
