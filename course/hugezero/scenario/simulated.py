"""Runs a scenario on a simulated kernel, and writes down what the program could observe."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from ..hw.ram import PAGE_SIZE, PMD_SIZE, PTRS_PER_PTE
from ..machine import Kernel, Machine
from ..mm import fault, mmap
from ..mm.huge_memory import TRANSPARENT_HUGEPAGE
from ..mm.mm_types import VM_HUGEPAGE, VM_NOHUGEPAGE, VM_READ, VM_SHARED, VM_WRITE, Mm
from ..mm.pgtable import Pmd, PmdTable, Pte
from ..mm.shrinker import shrink_slab
from .actions import (  # fmt: skip
    Action,
    DropCaches,
    Exec,
    Exit,
    Fork,
    Madvise,
    Mmap,
    Mprotect,
    Munmap,
    Read,
    Thread,
    UseZeroPage,
    Write,
)
from .stage import SNAPSHOT_PAGES, Stage
from .stage import Observation as Observation

FLAGS = {"hugepage": (VM_HUGEPAGE, VM_NOHUGEPAGE), "nohugepage": (VM_NOHUGEPAGE, VM_HUGEPAGE)}


class Simulated(Stage):
    """A freshly booted machine with one process, "main", that scenarios run on."""

    def __init__(self, kernel: Kernel, **config: Any) -> None:
        super().__init__()
        self.machine: Machine = kernel.booted(**config)
        with self.machine:
            self.mms: dict[str, Mm] = {"main": mmap.mm_alloc()}
        self.named = {self.mms["main"]: "main"}  # ended ones stay: pictures show the past
        self.at_start = self.machine.vmstat()

    def run(
        self, scenario: Iterable[Any], progress: Callable[[int, int], None] | None = None
    ) -> list[Observation]:
        """Do each action; gives what was observed after each.

        *progress(done, all)* is called now and then while one action touches many pages.
        """
        self.progress = progress
        return [self.do(action) for action in scenario]

    def names(self) -> Collection[str]:
        """The processes that live."""
        return self.mms.keys()

    def _carry_out(self, action: Any) -> Any:
        with self.machine:
            try:
                return super()._carry_out(action)
            except fault.SegmentationFault:
                return "SIGSEGV"
            except fault.OutOfMemory:
                return "out of memory"
            except mmap.BadArgument:
                return "EINVAL"

    def mapping(self, process: str, address: int) -> Pte | Pmd | None:
        """The entry of *process* for *address*, looked at without an operation."""
        table = self.machine.peek((PmdTable(self.mms[process].id), address // PMD_SIZE))
        if table is None or isinstance(table, Pmd):
            return table
        return self.machine.peek((table, address // PAGE_SIZE % PTRS_PER_PTE))

    def _observation(self, action: str, seen: Any) -> Observation:
        peek = self.machine.peek
        return Observation(
            action,
            seen,
            {name: peek((mm, "rss")) for name, mm in self.mms.items()},
            {name: peek((mm, "min_flt")) for name, mm in self.mms.items()},
            {name: now - self.at_start[name] for name, now in self.machine.vmstat().items()},
            list(self._mappings()),
        )

    def _mappings(self) -> Iterator[tuple[str, int, str, int]]:
        if sum(length for _, length in self.areas.values()) > SNAPSHOT_PAGES * PAGE_SIZE:
            return
        numbers: dict[Any, int] = {}
        for process, mm in self.mms.items():
            for start, end, _ in self.machine.peek((mm, "mmap")):
                for base in range(start - start % PMD_SIZE, end, PMD_SIZE):
                    for page, entry in self._entries(mm, max(start, base), min(end, base + PMD_SIZE)):
                        kind = "zero page" if entry.special else "a folio"
                        kind = f"huge {kind.removeprefix('a ')}" if isinstance(entry, Pmd) else kind
                        kind += ", writable" if entry.write else ", read-only"
                        yield process, page, kind, numbers.setdefault(entry.folio, len(numbers))

    def _entries(self, mm: Mm, low: int, high: int) -> Iterator[tuple[int, Pte | Pmd]]:
        """The pages from *low* to *high*, which are below one PMD entry, that are mapped, and how."""
        cells, pages = self.machine.cells, range(low // PAGE_SIZE, high // PAGE_SIZE)
        below = cells.get((PmdTable(mm.id), low // PMD_SIZE))
        if isinstance(below, Pmd):
            yield from ((page, below) for page in pages)
        elif below is not None:
            found = ((page, cells.get((below, page % PTRS_PER_PTE))) for page in pages)
            yield from ((page, entry) for page, entry in found if entry is not None)

    def _steps(self, action: Read | Write, start: int, length: int) -> Iterator[int]:
        total = -(-length // action.step)
        for n in range(total):
            if self.progress and n % 4096 == 0:
                self.progress(n, total)
            yield start + n * action.step
        if self.progress and total > 4096:
            self.progress(total, total)

    progress: Callable[[int, int], None] | None = None

    def _mmap(self, action: Mmap) -> None:
        mapping = None if action.data is None else self.machine.file(action.data)
        flags = VM_READ | VM_WRITE | (VM_SHARED if action.shared else 0)
        address = mmap.mmap(self.mms[action.by], action.length, flags, mapping)
        self.areas[action.area] = address, action.length

    def _munmap(self, action: Munmap) -> None:
        mmap.munmap(self.mms[action.by], *self._span(action))

    def _mprotect(self, action: Mprotect) -> None:
        mmap.mprotect(self.mms[action.by], *self._span(action), VM_READ | (VM_WRITE if action.write else 0))

    def _madvise(self, action: Madvise) -> None:
        if action.advice == "dontneed":
            mmap.madvise_dontneed(self.mms[action.by], *self._span(action))
        else:
            mmap.madvise(self.mms[action.by], *self._span(action), *FLAGS[action.advice])

    def _read(self, action: Read) -> list[tuple[int, int]]:
        runs: list[tuple[int, int]] = []
        byte, times = -1, 0
        mm = self.mms[action.by]
        for address in self._steps(action, *self._span(action)):
            now = self._load(mm, address)
            if now == byte:
                times += 1
                continue
            if times:
                runs.append((byte, times))
            byte, times = now, 1
        return [*runs, (byte, times)]

    def _load(self, mm: Mm, address: int) -> int:
        """The byte at *address*."""
        return fault.user_read(mm, address)[0]

    def _write(self, action: Write) -> None:
        start, _ = self._span(action)
        for first in self._steps(action, start, action.length or 1):
            at, data = first, action.data
            while data:
                room = PAGE_SIZE - at % PAGE_SIZE
                fault.user_write(self.mms[action.by], at, data[:room])
                at, data = at + room, data[room:]

    def _fork(self, action: Fork) -> None:
        self._new_name(action, action.child)
        self.unborn.add(action.child)
        self.mms[action.child] = child = mmap.dup_mm(self.mms[action.by])
        self.named[child] = action.child
        self.unborn.remove(action.child)

    def _thread(self, action: Thread) -> None:
        self._new_name(action, action.name)
        mm = self.mms[action.name] = self.mms[action.by]
        mmap.mmget(mm)

    def _exec(self, action: Exec) -> None:
        mmap.mmput(self.mms[action.by])
        self.mms[action.by] = new = mmap.mm_alloc()
        self.named[new] = action.by

    def _exit(self, action: Exit) -> None:
        mmap.mmput(self.mms.pop(action.by))

    def _dropcaches(self, action: DropCaches) -> None:
        if action.level & 2:
            shrink_slab()

    def _usezeropage(self, action: UseZeroPage) -> None:
        if action.on:
            TRANSPARENT_HUGEPAGE.use_zero_page.set()
        else:
            TRANSPARENT_HUGEPAGE.use_zero_page.clear()


def simulate(scenario: Iterable[Action], kernel: Kernel, **config: Any) -> list[Observation]:
    """Run *scenario* on a machine that was just booted with *kernel*; gives what was observed."""
    return Simulated(kernel, **config).run(scenario)
