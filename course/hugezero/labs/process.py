"""A process with memory that may map the huge zero folio, what it does, and what must be so of it then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..check.checks import expect, expect_equal
from ..explore.state import Peek
from ..explore.threads import Hardware, Thread
from ..hw.ram import PMD_SIZE
from ..hw.tlb import Tlb, Translation
from ..machine import Kernel, Machine
from ..mm.huge_memory import HUGE_ZERO, mk_huge_zero_pmd
from ..mm.mm_types import Vma, VmFault, fault_code
from ..mm.pgtable import Pmd, PteTable, pmd_offset, zero_pte
from ..store import Cell
from .fixtures import folio_in_use, huge_area, huge_fault, place_huge, small


class Process:
    """A process with one area that may use huge pages; *mapped*: it begins with 2 MiB of the huge zero folio.

    *length* of the area in bytes: it begins where 2 MiB do. *holds*: has the process a reference of its own?
    """

    def __init__(self, mapped: bool = True, length: int = PMD_SIZE, holds: bool = False) -> None:
        self.mm, self.at = huge_area(length)
        self.vma: Vma = self.mm.mmap[0][2]
        self.pmd = pmd_offset(self.mm, self.at)
        if mapped:
            place_huge(self.mm, self.at, mk_huge_zero_pmd(HUGE_ZERO.folio.read()))
        if holds:
            self.mm.huge_zero.set()

    def fault(self, n: int = 0, write: bool = False) -> VmFault:
        """A fault at the start of its *n*-th 2 MiB, as a CPU that reads or writes there now would have one."""
        return huge_fault(self.mm, self.at + n * PMD_SIZE, write)

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


@contextmanager
def one_maps_it(kernel: Kernel, holds: bool = False) -> Iterator[tuple[Process, Machine, dict[Cell, Any]]]:
    """A machine on which one process maps the huge zero folio, and CPU 1 remembers where that led.

    Yields the process, the machine, and the cells with which a search from there begins.
    """
    with kernel.booted(pages=4096) as machine:
        folio_in_use(users=1)
        one = Process(holds=holds)
        one.remembered(machine, 1)
        yield one, machine, small(machine.cells)


def expect_count(wanted: int, when: str, hint: str = "") -> None:
    """The count of the huge zero folio is *wanted*."""
    expect_equal(f"{when} the count", HUGE_ZERO.refcount.read(), wanted, hint)
