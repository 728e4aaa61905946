"""Whole paths under every schedule: programs that fault, unmap and fork, beside CPUs that read, and the shrinker.

All start on a small machine that the reference has set up, and end with everything in its place.
"""

from __future__ import annotations

from typing import Any

from hugezero.check.schedules import Explored, every_schedule
from hugezero.explore.replay import given
from hugezero.explore.state import Peek
from hugezero.explore.threads import Thread, calls
from hugezero.hw.ram import PAGE_SIZE, PMD_SIZE
from hugezero.hw.tlb import Tlb
from hugezero.labs.fixtures import FOLIO, small
from hugezero.labs.laws import alive, counted, lost, none_freed_is_mapped
from hugezero.labs.process import Process
from hugezero.machine import Kernel
from hugezero.mm.fault import OutOfMemory, handle_mm_fault, user_read
from hugezero.mm.huge_memory import Deposits, is_huge_zero_pmd
from hugezero.mm.mm_types import Mm
from hugezero.mm.mmap import dup_mm, madvise_dontneed, mmput, munmap
from hugezero.mm.page_alloc import Folio
from hugezero.mm.pgtable import Pmd, PmdTable, PteTable
from hugezero.mm.shrinker import shrink_slab
from hugezero.store import Cell

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


class Program(Process):
    """A process of a town, and what it may do: each time a call, for a CPU to make."""

    def __init__(self) -> None:
        super().__init__(mapped=False)
        self.reads = "fault", self.mm, self.at
        self.unmaps = "madvise_dontneed", self.mm, self.at, PMD_SIZE
        self.forks = "fork", self.mm
        self.ends = "mmput", self.mm

    def writes(self, page: int = 0) -> tuple[Any, ...]:
        """A write to one small page of its 2 MiB."""
        return "fault", self.mm, self.at + page * PAGE_SIZE, True

    def unmaps_only(self, page: int) -> tuple[Any, ...]:
        """An unmap of one small page of its 2 MiB, which splits them."""
        return "madvise_dontneed", self.mm, self.at + page * PAGE_SIZE, PAGE_SIZE


class Town:
    """Programs of 2 MiB each on a machine with the reference's kernel; *mapped* says who has read his zeroes already."""

    def __init__(self, reference: Kernel, *mapped: bool, threads: int = 1) -> None:
        with reference.booted(pages=8192) as machine:
            self.programs = [Program() for _ in mapped]
            for program, has_read in zip(self.programs, mapped, strict=True):
                if has_read:
                    user_read(program.mm, program.at)
            self.faults = [(program.fault(), program.fault(write=True)) for program in self.programs]
        self.cells: dict[Cell, Any] = small(machine.cells)
        for program in self.programs:
            self.cells[program.mm, "users"] = threads
        self.mms = [program.mm for program in self.programs]

    def handles(self, who: str, name: str, write: bool = False) -> Thread:
        """A CPU on which the function *name* itself deals with a fault of the first program."""
        return calls(who, (name, small(self.faults[0][write])))

    def explored(
        self, kernel: Kernel, *threads: Thread, children: tuple[int, ...] = (), may_fail: bool = False
    ) -> Explored:
        """Run *threads* in every order, and one that asks every shrinker; *children*: address spaces that they make."""
        self.mms = [program.mm for program in self.programs] + [Mm(number) for number in children]
        return every_schedule(
            Kernel({**kernel.functions, **PATHS}), [*threads, calls("shrinker", ("shrink_slab",))], self.cells,
            always=self.always, at_end=self.at_end, may_fail=may_fail, story="everything is in its place",
        )  # fmt: skip

    # what must hold

    def always(self, peek: Peek) -> str | None:
        """Whoever maps the folio, or remembers where an address led, finds it alive."""
        for mm in self.mms:
            for one in peek((Tlb(mm.id), "cached")):
                if peek((one.folio, "state")) == "free":
                    return f"a CPU still takes {one.start:#x} to be in {one.folio!r}, which has been freed"
        pmds = [slot for mm in self.mms for slot in self._slots(PmdTable, mm)]
        return none_freed_is_mapped(peek, pmds) or alive(peek)

    def at_end(self, peek: Peek) -> str | None:
        """Every reference, every table, every frame and every page of RSS belongs to an entry that is there."""
        users, whose = self.users(peek)
        wrong = counted(peek, users, f"{whose}, and the count is {{count}}; it should be {{wanted}}")
        known = {peek(FOLIO)}
        for mm in self.mms:
            wrong = wrong or self._wrong(peek, mm)
            known |= {entry.folio for entry in self._huge(peek, mm)} | {
                folio for table in self._tables(peek, mm) for folio in (table.body, *self._below(peek, table))
            }
        return wrong or lost(peek, known)

    def users(self, peek: Peek) -> tuple[int, str]:
        """How many hold the folio besides the shrinker, and who they are."""
        n = sum(is_huge_zero_pmd(entry) for mm in self.mms for entry in self._huge(peek, mm))
        return n, f"{n} huge entr{'y maps' if n == 1 else 'ies map'} the folio"

    def _wrong(self, peek: Peek, mm: Mm) -> str | None:
        """What is wrong about the tables, the lock and the RSS of *mm*."""
        tables, nr_ptes, rss = self._tables(peek, mm), peek((mm, "nr_ptes")), peek((mm, "rss"))
        if len(tables) != nr_ptes:
            return f"when all is done {len(tables)} page tables are there, and nr_ptes is {nr_ptes}"
        if peek((mm, "page_table_lock")):
            return "when all is done the page table lock is still held"
        pages = sum(entry.folio.nr_pages for entry in self._huge(peek, mm) if not entry.special)
        # tables of a small machine hold too few pages to count
        if pages != rss and not any(self._below(peek, table) for table in tables):
            return f"when all is done {pages} real pages are mapped, and RSS is {rss}"
        return None

    def _slots(self, kind: type, mm: Mm) -> list[Cell]:
        return [(kind(mm.id), address // PMD_SIZE) for address in {program.at for program in self.programs}]

    def _huge(self, peek: Peek, mm: Mm) -> list[Pmd]:
        return [entry for entry in map(peek, self._slots(PmdTable, mm)) if isinstance(entry, Pmd)]

    def _tables(self, peek: Peek, mm: Mm) -> list[PteTable]:
        slots = self._slots(PmdTable, mm) + self._slots(Deposits, mm)
        return [table for table in map(peek, slots) if isinstance(table, PteTable)]

    def _below(self, peek: Peek, table: PteTable) -> set[Folio]:
        """The pages of their own that small entries map."""
        entries = (peek((table, i)) for i in range(len(table)))
        return {pte.folio for pte in entries if pte is not None and not pte.special}
