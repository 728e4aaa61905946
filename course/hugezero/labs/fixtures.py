"""What CPUs and processes meet: the huge zero folio, in use or idle, and 2 MiB that map it."""

from __future__ import annotations

from typing import Any

from ..check.checks import expect
from ..explore.state import Peek
from ..explore.threads import Hardware, Thread
from ..hw.tlb import Tlb, Translation
from ..machine import Kernel, Machine
from ..mm.huge_memory import (
    HPAGE_PMD_NR,
    HUGE_ZERO,
    mk_huge_pmd,
    mk_huge_zero_pmd,
    pgtable_trans_huge_deposit,
    pmd_mkwrite,
)
from ..mm.mm_types import VM_FAULT_FALLBACK, VM_HUGEPAGE, VM_READ, VM_WRITE, Mm, Vma, VmFault, fault_code
from ..mm.mmap import mm_alloc, mmap
from ..mm.page_alloc import HPAGE_PMD_ORDER, SMALL, ZERO_PAGE, Folio, alloc_folio, clear_folio
from ..mm.pgtable import Pmd, PteTable, pmd_offset, pte_alloc_one, zero_pte
from ..store import Cell, Slot
from .locked_kernel import STAND_INS

COUNT, FOLIO = (HUGE_ZERO, "refcount"), (HUGE_ZERO, "folio")


PMD = 2 << 20


def beside(kernel: Kernel, name: str) -> Kernel:
    """The kernel in which *name* is the function of *kernel*, and the others of lab 3 are stand-ins."""
    return Kernel({**STAND_INS, name: kernel.functions[name]})


# what the CPUs meet


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


class Mapped:
    """A process with one area that may use huge pages, *mapped* to the huge zero folio or empty.

    *length* of the area in bytes: 2 MiB, which begin at such a border.
    """

    def __init__(self, mapped: bool = True, length: int = PMD) -> None:
        self.mm: Mm = mm_alloc()
        self.at = mmap(self.mm, length, VM_READ | VM_WRITE | VM_HUGEPAGE)
        self.vma: Vma = self.mm.mmap[0][2]
        self.pmd = pmd_offset(self.mm, self.at)
        if mapped:
            self.vma.anon_vma = True
            table = pte_alloc_one(self.mm)
            assert table is not None
            pgtable_trans_huge_deposit(self.pmd, table)
            self.pmd.set(mk_huge_zero_pmd(HUGE_ZERO.folio.read()))

    def with_a_page_of_its_own(self) -> Folio:
        """Put a huge page of the process's own in the place of the zeroes. Returns it."""
        folio = alloc_folio(HPAGE_PMD_ORDER)
        assert folio is not None
        clear_folio(folio)
        self.pmd.set(pmd_mkwrite(mk_huge_pmd(folio)))
        self.mm.rss.add(HPAGE_PMD_NR)
        return folio

    def fault(self, write: bool = False) -> VmFault:
        """A fault in it, as a CPU that reads or writes there now would have one."""
        return VmFault(self.vma, self.at, write, self.pmd, None, None, self.pmd.read())  # type: ignore[arg-type]

    def remembered(self, machine: Machine, cpu: int) -> None:
        """Let *cpu* have read there before: it remembers where that led."""
        entry = self.pmd.read()
        machine.cells[Tlb(self.mm.id), "cached"] = (Translation(cpu, self.at, entry.folio),)

    def reader(self, cpu: int) -> Thread:
        """A CPU that reads there twice, as the hardware does: where it remembers, or else where the entry leads."""
        where = (Tlb(self.mm.id), "cached"), self.pmd.cell, cpu, self.at

        def twice() -> None:
            READ(*where)
            READ(*where)

        return Thread("reader", twice)

    # what a function has made of it

    def expect_replaced(self, said: object) -> None:
        """A write, of which was *said* that all went well, has put a huge page in the place of the zeroes."""
        entry = self.pmd.read()
        expect(
            said == 0 and isinstance(entry, Pmd) and entry.write and not entry.special,
            f"after a write to the huge zero page it returned {fault_code(said)}, and the entry is {entry}; it should map a huge "
            "page of its own",
        )

    def expect_split(self) -> None:
        """Small zero pages are mapped, all over."""
        table = self.pmd.read()
        right = isinstance(table, PteTable) and all(table[i].read() == zero_pte() for i in range(len(table)))
        expect(right, f"after a split the PMD holds {table}; it should hold a table of small zero pages")

    def expect_unmapped(self) -> None:
        """Nothing is mapped, no page table is left, and nothing is counted."""
        entry, tables, rss = self.pmd.read(), self.mm.nr_ptes.read(), self.mm.rss.read()
        expect(
            (entry, tables, rss) == (None, 0, 0),
            f"after an unmap the entry is {entry}, {tables} page tables are in use, and RSS is {rss}; it should be "
            "None, 0 and 0",
        )


def read(
    peek: Peek, cached: Cell, pmd: Cell, cpu: int, start: int
) -> tuple[dict[Cell, Any], Any, str | None]:
    """A read at *start* on *cpu*, as the hardware does it, which remembers in *cached* where the entry *pmd* leads."""
    known, writes = peek(cached), dict[Cell, Any]()
    folio = next((one.folio for one in known if (one.cpu, one.start) == (cpu, start)), None)
    if folio is None:
        entry = peek(pmd)
        if not isinstance(entry, Pmd):
            return {}, None, None  # a page fault, which is another story
        folio = entry.folio
        writes = {cached: (*known, Translation(cpu, start, folio))}
    if peek((folio, "state")) != "free":
        return writes, folio, None
    return writes, folio, (
        f"the reader still takes {start:#x} to be in {folio!r}, which has been freed: it reads whatever its next owner "
        "keeps there"
    )  # fmt: skip


READ = Hardware(read)


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
