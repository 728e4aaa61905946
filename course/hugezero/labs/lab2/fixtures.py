"""What the checks of lab 2 play on: 2 MiB of one process, on a machine, and under every schedule."""

from __future__ import annotations

from typing import Any

from ...check.checks import Failed, expect
from ...check.schedules import Explored, every_schedule
from ...explore.state import LIVE, Peek
from ...explore.threads import Thread
from ...hw.ram import PMD_SIZE, PTRS_PER_PTE, ZEROES
from ...machine import Kernel, Machine
from ...mm.fault import OutOfMemory, user_read, user_write
from ...mm.huge_memory import (
    HUGE_ZERO,
    Deposits,
    pgtable_trans_huge_withdraw,
    pmd_trans_huge_lock,
    set_huge_zero_page_aside,
    split_huge_pmd,
)
from ...mm.mm_types import (
    VM_FAULT_FALLBACK,
    VM_FAULT_OOM,
    Mm,
    Vma,
    VmFault,
    fault_code,
)
from ...mm.pgtable import Pmd, PteTable
from ...store import Cell, KernelBug, Slot, call
from ..fixtures import small
from ..process import Process

SHAPE = "prepare before the lock, look under it whether the entry is still what it was, release it on every way, clean up"
RETURNS = "a huge fault handler returns 0, VM_FAULT_FALLBACK or VM_FAULT_OOM"


def with_huge_zero(kernel: Kernel) -> Kernel:
    """*kernel*, with the huge zero page set aside at boot, and a way to split where it has none."""
    split = {"split_huge_zero_page_pmd": _forget_huge_zero_pmd}
    return Kernel({**split, **kernel.functions, "hugezero_init": set_huge_zero_page_aside})


def _forget_huge_zero_pmd(vma: Vma, haddr: int, pmd: Slot) -> None:
    """Stands in for a split: the table that was put aside, empty. Whoever wants a zero faults again."""
    pmd.set(pgtable_trans_huge_withdraw(pmd))


# on a machine


def expect_unlocked(mm: Mm, name: str, when: str = "") -> None:
    """Nobody holds the page table lock any more."""
    expect(
        not mm.page_table_lock.test(),
        f"{name} returned{when and ' ' + when} with the page table lock held: the next fault waits for ever",
        "every way out of the function has to release what it took",
    )


def expect_zeroes_untouched(machine: Machine) -> None:
    """The huge zero folio is as it was at boot, and counted by nobody."""
    folio = machine.peek((HUGE_ZERO, "folio"))
    state, count = machine.peek((folio, "state")), machine.peek((folio, "refcount"))
    expect(
        state == "live" and machine.peek((folio, "data")) == ZEROES,
        "the huge zero folio was " + ("freed" if state != "live" else "written to"),
    )
    expect(
        count == 1,
        f"the count of the huge zero folio is {count}; it should still be 1: nobody counts its mappings",
        "who takes a reference must give it back one day. Is there anybody who would?",
    )


# under every schedule: one process whose threads run on several CPUs


def _staged(mapped: bool) -> tuple[Process, dict[Cell, Any]]:
    """A process whose 2 MiB are *mapped*, or that nobody has touched; and the cells of a small machine with it."""
    with with_huge_zero(Kernel()).booted(pages=4096) as machine:
        one = Process(mapped)
    return one, small(machine.cells)


ONE, UNMAPPED = _staged(mapped=False)
MAPPED = _staged(mapped=True)[1]
DEPOSIT: Cell = Deposits(ONE.mm.id), ONE.at // PMD_SIZE


def fault(handler: str, write: bool, cells: dict[Cell, Any], plenty: bool = False) -> Thread:
    """A CPU on which *handler* deals with one fault in the 2 MiB, which are as *cells* have them.

    With *plenty* of memory it has no reason to fall back.
    """
    vmf = VmFault(ONE.vma, ONE.at, write, ONE.pmd, None, None, cells.get(ONE.pmd.cell))  # type: ignore[arg-type]

    def fault() -> None:
        said = call(handler, vmf)
        if said == VM_FAULT_FALLBACK and plenty:
            raise KernelBug(f"there is a huge page, and {handler} returned VM_FAULT_FALLBACK")
        if type(said) is not int or said not in (0, VM_FAULT_OOM, VM_FAULT_FALLBACK):
            raise KernelBug(f"{handler} returned {fault_code(said)}: {RETURNS}")

    return Thread("writer" if write else "reader", fault)


def unmap(vma: Vma, pmd: Slot, address: int) -> None:
    """The huge part of zap_page_range: empty a huge entry, if it still is one."""
    if pmd_trans_huge_lock(pmd, vma):
        call("zap_huge_pmd", vma, pmd, address)
        vma.vm_mm.page_table_lock.unlock()


def write(mm: Mm, address: int, data: bytes) -> None:
    """What a program writes; where there is no memory it ends."""
    try:
        user_write(mm, address, data)
    except OutOfMemory:
        return


def schedules(kernel: Kernel, threads: list[Thread], cells: dict[Cell, Any], **more: Any) -> Explored:
    """every_schedule, with what the threads here do besides the functions of *kernel*."""
    programs = {f.__name__: f for f in (unmap, write, user_read, split_huge_pmd)}
    return every_schedule(Kernel({**kernel.functions, **programs}), threads, cells, **more)


def nothing_lost(peek: Peek) -> str | None:
    """When all have ended: the lock is free, what is mapped is alive and counted, and nothing else is."""
    if peek((ONE.mm, "page_table_lock")):
        return "all have ended, and the page table lock is still held: the next fault waits for ever"
    entry, aside = peek(ONE.pmd.cell), peek(DEPOSIT)
    if isinstance(entry, Pmd) and not isinstance(aside, PteTable):
        return f"the entry is {entry}, and no table is put aside for its split"
    if not isinstance(entry, Pmd) and aside is not None:
        return f"{aside} is still put aside, and there is no huge entry that it could be for"
    tables = [table for table in (entry, aside) if isinstance(table, PteTable)]
    small = [peek((entry, i)) for i in range(len(entry))] if isinstance(entry, PteTable) else []
    own = {e.folio for e in [entry if isinstance(entry, Pmd) else None, *small] if e and not e.special}
    wanted = {peek((HUGE_ZERO, "folio")), *own, *(table.body for table in tables)}
    live = set(peek(LIVE))
    for folio in sorted(wanted - live, key=repr):
        return f"{folio!r} was freed, and is still in use"
    for folio in sorted(live - wanted, key=repr):
        size = "2 MiB are" if folio.order else "a page or a page table is"
        return f"{size} lost: {folio!r} was never freed, and nobody knows of it any more"
    rss, pages = peek((ONE.mm, "rss")), sum(folio.nr_pages for folio in own)
    if rss != pages:
        return f"RSS is {rss} pages when all have ended; it should be {pages}"
    ptes = peek((ONE.mm, "nr_ptes"))
    return None if ptes == len(tables) else f"{ptes} page tables are counted; there are {len(tables)}"


def holds(peek: Peek, page: int) -> int | None:
    """The byte at the start of small page *page* of the 2 MiB, or None where nothing is mapped."""
    entry = peek(ONE.pmd.cell)
    if isinstance(entry, PteTable):
        entry = peek((entry, page))
        page = entry.page if entry else 0
    return peek((entry.folio, "data")).load(page * (PMD_SIZE // PTRS_PER_PTE), 1)[0] if entry else None


def expect_result(result: object, allowed: tuple[int, ...], name: str, what: str) -> None:
    """*name* returned one of *allowed*."""
    if type(result) is not int or result not in allowed:
        raise Failed(f"{name} returned {result!r}; {what}")
