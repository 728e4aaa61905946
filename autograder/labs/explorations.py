"""Whole paths under every schedule: programs that fault, unmap and fork, beside CPUs that read, and the shrinker.

All start on a small machine that the reference has set up, and end with everything in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hugezero.check.schedules import Explored, every_schedule
from hugezero.explore.replay import given
from hugezero.explore.state import LIVE, Peek
from hugezero.explore.threads import Thread, calls
from hugezero.hw.tlb import Tlb
from hugezero.labs.fixtures import COUNT, FOLIO, Mapped, small
from hugezero.labs.laws import alive
from hugezero.machine import Kernel
from hugezero.mm.fault import OutOfMemory, handle_mm_fault, user_read
from hugezero.mm.huge_memory import Deposits, is_huge_zero_pmd
from hugezero.mm.mm_types import Mm, VmFault
from hugezero.mm.mmap import dup_mm, madvise_dontneed, mmput, munmap
from hugezero.mm.page_alloc import Folio
from hugezero.mm.pgtable import Pmd, PmdTable, PteTable
from hugezero.mm.shrinker import shrink_slab
from hugezero.store import Cell

PMD = 2 << 20
FIRST_MM = 1000  # the first address space that CPU 0 makes in a search; those of CPU 1 begin at twice that


def fault(mm: Mm, address: int, write: bool = False) -> str:
    """One page fault of a program; where there is no memory it ends there."""
    try:
        return handle_mm_fault(mm, address, write)
    except OutOfMemory:
        return "out of memory"


def fork(mm: Mm) -> Mm | None:
    """A child, if there is memory for one."""
    try:
        return dup_mm(mm)
    except OutOfMemory:
        return None


PATHS = {f.__name__: given(f) for f in (fault, fork, madvise_dontneed, munmap, mmput, shrink_slab)}


class Town:
    """*programs* of 2 MiB each on a machine with the reference's kernel; *mapped* says who has read his zeroes already."""

    def __init__(self, reference: Kernel, *mapped: bool) -> None:
        with reference.booted(pages=8192) as machine:
            self.programs = [Mapped(mapped=False) for _ in mapped]
            for program, has_read in zip(self.programs, mapped, strict=True):
                if has_read:
                    user_read(program.mm, program.at)
        self.cells: dict[Cell, Any] = small(machine.cells)
        self.mms = [program.mm for program in self.programs]

    def huge_fault(self, n: int, write: bool = False) -> VmFault:
        """A fault of program *n*, as its handler is told of it."""
        one = self.programs[n]
        return VmFault(one.vma, one.at, write, one.pmd, None, None, self.cells.get(one.pmd.cell))  # type: ignore[arg-type]

    def explored(
        self, kernel: Kernel, threads: list[Thread], children: tuple[int, ...] = (), may_fail: bool = False
    ) -> Explored:
        """Run *threads* in every order; *children*: address spaces that they make, by number."""
        self.mms = [program.mm for program in self.programs] + [Mm(number) for number in children]
        return every_schedule(
            Kernel({**kernel.functions, **PATHS}), threads, self.cells, always=self.always, at_end=self.at_end,
            may_fail=may_fail, story="everything is in its place",
        )  # fmt: skip

    # what must hold

    def always(self, peek: Peek) -> str | None:
        """Whoever maps the folio, or remembers where an address led, finds it alive."""
        for mm in self.mms:
            for one in peek((Tlb(mm.id), "cached")):
                if peek((one.folio, "state")) == "free":
                    return f"a CPU still takes {one.start:#x} to be in {one.folio!r}, which has been freed"
            for entry in self._huge(peek, mm):
                if peek((entry.folio, "state")) == "free":
                    return f"a huge entry still maps {entry.folio!r}, which has been freed"
        return alive(peek)

    def at_end(self, peek: Peek) -> str | None:
        """Every reference, every table, every frame and every page of RSS belongs to an entry that is there."""
        entries = [entry for mm in self.mms for entry in self._huge(peek, mm)]
        users, whose = self.users(peek)
        count, folio = peek(COUNT), peek(FOLIO)
        wanted = 0 if folio is None else users + 1
        if count != wanted:
            maps = whose if folio else "there is no folio"
            return f"when all is done {maps}, and the count is {count}; it should be {wanted}"
        known: set[Folio] = {entry.folio for entry in entries} | ({folio} if folio else set())
        for mm in self.mms:
            tables = list(self._tables(peek, mm))
            if len(tables) != peek((mm, "nr_ptes")):
                return f"when all is done {len(tables)} page tables are there, and nr_ptes is {peek((mm, 'nr_ptes'))}"
            known |= {table.body for table in tables}
            if peek((mm, "page_table_lock")):
                return "when all is done the page table lock is still held"
            below = {pte.folio for table in tables for pte in self._ptes(peek, table)}
            known |= below
            pages = sum(entry.folio.nr_pages for entry in self._huge(peek, mm) if not entry.special)
            if not below and pages != peek(
                (mm, "rss")
            ):  # tables of a small machine hold too few pages to count
                return f"when all is done {pages} real pages are mapped, and RSS is {peek((mm, 'rss'))}"
        lost = [each for each in peek(LIVE) if each not in known]
        return f"{lost[0]!r} is lost: it was never freed, and nothing leads to it any more" if lost else None

    def users(self, peek: Peek) -> tuple[int, str]:
        """How many hold the folio besides the shrinker, and who they are."""
        n = sum(is_huge_zero_pmd(entry) for mm in self.mms for entry in self._huge(peek, mm))
        return n, f"{n} huge entr{'y maps' if n == 1 else 'ies map'} the folio"

    def _slots(self, kind: type, peek: Peek, mm: Mm) -> Iterator[Any]:
        for address in {program.at for program in self.programs}:
            yield peek((kind(mm.id), address // PMD))

    def _huge(self, peek: Peek, mm: Mm) -> Iterator[Pmd]:
        return (entry for entry in self._slots(PmdTable, peek, mm) if isinstance(entry, Pmd))

    def _tables(self, peek: Peek, mm: Mm) -> Iterator[PteTable]:
        for kind in (PmdTable, Deposits):
            yield from (table for table in self._slots(kind, peek, mm) if isinstance(table, PteTable))

    def _ptes(self, peek: Peek, table: PteTable) -> Iterator[Any]:
        entries = (peek((table, i)) for i in range(len(table)))
        return (pte for pte in entries if pte is not None and not pte.special)


def memory_is_tight() -> Thread:
    """A CPU that asks every shrinker."""
    return calls("shrinker", ("shrink_slab",))
