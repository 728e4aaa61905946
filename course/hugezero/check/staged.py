"""The stage for the open checks of lab 3: CPUs that do what they must, whoever wrote the functions beside them.

A visitor and a shrinker of their own are lists of operations, so that they need none of the functions of the lab.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..explore.cells import Peek
from ..explore.threads import Thread
from ..hw.tlb import Tlb, Translation
from ..machine import Kernel, Machine
from ..mm.huge_memory import (
    HPAGE_PMD_NR,
    HUGE_ZERO,
    mk_huge_zero_pmd,
    pgtable_trans_huge_deposit,
)
from ..mm.mm_types import VM_HUGEPAGE, VM_READ, VM_WRITE, Mm, Vma, VmFault
from ..mm.mmap import mm_alloc, mmap
from ..mm.page_alloc import HPAGE_PMD_ORDER, SMALL, ZERO_PAGE, Folio, alloc_folio, clear_folio
from ..mm.pgtable import Pmd, PteTable, pmd_offset, pte_alloc_one
from ..store import KERNEL, Cell
from .scenes import COUNT, FOLIO, Results
from .stand_ins import STAND_INS

PMD = 2 << 20


def beside(kernel: Kernel, name: str) -> Kernel:
    """The kernel in which *name* is the function of *kernel*, and the others of lab 3 are stand-ins."""
    return Kernel({**STAND_INS, name: kernel.functions[name]})


# CPUs that need no function of the lab


def reader(put: bool = False) -> Thread:
    """Takes a reference by the function get_huge_zero_folio, reads a byte, and takes one off the count again.

    With *put*, the function put_huge_zero_folio does that.
    """

    def read(results: Results) -> Any:
        if isinstance(results[0], Folio):
            return "op", (results[0], "data"), "load", (0, 1)
        return (
            "bug",
            f"the reader was given {results[0]!r} instead of a folio, and there was memory",
            "reader",
        )

    first = lambda results: ("call", "get_huge_zero_folio", (HUGE_ZERO,))  # noqa: E731
    return Thread("reader", (first, read, lambda results: _leave(put)))


def _leave(put: bool) -> Any:
    return ("call", "put_huge_zero_folio", (HUGE_ZERO,)) if put else ("op", COUNT, "add", (-1,))


def visitor(put: bool = False) -> Thread:
    """Takes a reference if the folio is there, brings it if not, and leaves again; it tries once.

    With *put*, the function put_huge_zero_folio takes the reference off the count again.
    """
    count, pointer = COUNT, FOLIO

    def joined(results: Results) -> bool:
        return bool(results[0])

    def brought(results: Results) -> bool:
        return not results[0] and results[2] is None

    def second(results: Results) -> Any:
        return (
            ("op", pointer, "read", ())
            if joined(results)
            else ("op", (KERNEL, "objects"), "new", ("Folio", 9))
        )

    def third(results: Results) -> Any:
        if joined(results) and results[1] is None:
            return "bug", "the count said that there is a folio, and there was none to be read", "reader"
        if joined(results):
            return "op", (results[1], "data"), "load", (0, 1)
        return "op", pointer, "cmpxchg", (None, results[1])

    def fourth(results: Results) -> Any:
        if joined(results):
            return _leave(put)
        return ("op", count, "set", (2,)) if brought(results) else ("op", (results[1], "state"), "free", ())

    def fifth(results: Results) -> Any:
        return ("op", (results[1], "data"), "load", (0, 1)) if brought(results) else None

    def sixth(results: Results) -> Any:
        return _leave(put) if brought(results) else None

    first = lambda results: ("op", count, "inc_not_zero", ())  # noqa: E731
    return Thread("reader", (first, second, third, fourth, fifth, sixth))


def reclaim() -> Thread:
    """The shrinker, as it must be: an idle folio goes, and a busy one stays."""

    def take(results: Results) -> Any:
        return ("op", FOLIO, "xchg", (None,)) if results[0] == 1 else None

    def free(results: Results) -> Any:
        return ("op", (results[1], "state"), "free", ()) if isinstance(results[1], Folio) else None

    first = lambda results: ("op", COUNT, "cmpxchg", (1, 0))  # noqa: E731
    return Thread("shrinker", (first, take, free))


def calls(who: str, name: str, *args: Any) -> Thread:
    """A CPU that does one call."""
    given = small(args)
    return Thread(who, (lambda results: ("call", name, given),))


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
    """A process with one area of 2 MiB that may use huge pages, *mapped* to the huge zero folio or empty."""

    def __init__(self, mapped: bool = True) -> None:
        self.mm: Mm = mm_alloc()
        self.at = mmap(self.mm, PMD, VM_READ | VM_WRITE | VM_HUGEPAGE)
        self.vma: Vma = self.mm.mmap[0][2]
        self.pmd = pmd_offset(self.mm, self.at)
        if mapped:
            self.vma.anon_vma = True
            table = pte_alloc_one(self.mm)
            assert table is not None
            pgtable_trans_huge_deposit(self.pmd, table)
            self.pmd.set(mk_huge_zero_pmd(HUGE_ZERO.folio.read()))

    def fault(self, write: bool = False) -> VmFault:
        """A fault in it, as a CPU that reads or writes there now would have one."""
        return VmFault(self.vma, self.at, write, self.pmd, None, None, self.pmd.read())  # type: ignore[arg-type]

    def remembered(self, machine: Machine, cpu: int) -> None:
        """Let *cpu* have read there before: it remembers where that led."""
        entry = self.pmd.read()
        machine.cells[Tlb(self.mm.id), "cached"] = (Translation(cpu, self.at, entry.folio),)

    def reader(self, cpu: int) -> Thread:
        """A CPU that reads there twice, as the hardware does: where it remembers, or else where the entry leads."""
        cached, pmd, start = (Tlb(self.mm.id), "cached"), self.pmd.cell, self.at

        def read(look: Peek) -> tuple[dict[Any, Any], Any, str | None]:
            known = look(cached)
            folio = next((one.folio for one in known if (one.cpu, one.start) == (cpu, start)), None)
            writes: dict[Any, Any] = {}
            if folio is None:
                entry = look(pmd)
                if not isinstance(entry, Pmd):
                    return {}, None, None  # a page fault, which is another story
                folio = entry.folio
                writes = {cached: (*known, Translation(cpu, start, folio))}
            if look((folio, "state")) != "free":
                return writes, folio, None
            return writes, folio, (
                f"the reader still takes {start:#x} to be in {folio!r}, which has been freed: it reads whatever its "
                "next owner keeps there"
            )  # fmt: skip

        once = lambda results: ("hw", "read", read)  # noqa: E731
        return Thread("reader", (once, once))


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


def settled(users: int) -> Callable[[Peek], str | None]:
    """When everybody has ended: one reference for each of *users* huge entries, and one for the shrinker."""

    def wrong(peek: Peek) -> str | None:
        count, folio = peek(COUNT), peek(FOLIO)
        if folio is None and users == 0:
            return (
                None if count == 0 else f"when all is done there is no folio, and the count is {count}, not 0"
            )
        many = f"{users} huge entr{'y maps' if users == 1 else 'ies map'} the folio"
        return (
            None
            if count == users + 1
            else f"when all is done {many}, and the count is {count}; it should be {users + 1}"
        )

    return wrong
