"""What checks play on: small address spaces and disks, set up by hand."""

from __future__ import annotations

from typing import Any

from ...block.bio import BlockDevice
from ...block.report import because
from ...check.checks import Failed
from ...hw.ram import PAGE_SIZE, ZEROES
from ...machine import Kernel, Machine
from ...mm.fault import OutOfMemory, user_write
from ...mm.mm_types import error_code
from ...mm.mmap import mm_alloc, mmap
from ...mm.page_alloc import ZERO_PAGE, Folio, alloc_folio
from ...mm.pgtable import Pte, mk_pte, pmd_offset, pte_alloc, pte_index
from ...store import current


def area(pages: int) -> tuple[Any, int]:
    """A new address space with one area of *pages* pages; gives both."""
    mm = mm_alloc()
    return mm, mmap(mm, pages * PAGE_SIZE)


def place(mm: Any, address: int, entry: Pte) -> None:
    """Put *entry* into the tables as if a fault had."""
    table = pte_alloc(mm, pmd_offset(mm, address))
    table[pte_index(address)].set(entry)


def own_page(mm: Any, address: int, data: bytes) -> Folio:
    """Map a folio of the process's own, read-only, that begins with *data* and is zeroes else; return it."""
    folio = alloc_folio()
    assert folio is not None
    folio.data.clear()
    folio.data.store(0, data)
    mm.rss.inc()
    place(mm, address, mk_pte(folio))
    return folio


def expect_out_of_memory(mm: Any, address: int, name: str) -> None:
    """A write to *address* finds no memory, and says so."""
    try:
        user_write(mm, address, b"x")
    except OutOfMemory:
        return
    raise Failed(
        f"there was no memory, and {name} did not say so", "alloc_folio() gives None then: VM_FAULT_OOM"
    )


def zero(kernel: Kernel, disk: BlockDevice, sector: int, nr: int) -> None:
    """Let *kernel* zero some sectors; it must say that it did."""
    error = kernel.blkdev_issue_zero_pages(disk, sector, nr)
    if error != 0 or error is None:
        why = because(current(), disk)
        raise Failed(f"zeroing {nr} sectors from {sector} returned {error_code(error)}; it should be 0{why}")


def expect_zeroed(disk: BlockDevice, sector: int, nr: int) -> None:
    """Those sectors of *disk* are zeroes, and all others hold what they held."""
    data = disk.data.read()
    for first, last, byte, what in (
        (0, sector, 0xCC, "was overwritten, before the range"),
        (sector, sector + nr, 0, "is not zero"),
        (sector + nr, disk.bd_nr_sectors, 0xCC, "was overwritten, behind the range"),
    ):
        for n in range(first, last):
            if data.load(n * 512, 512) != bytes([byte]) * 512:
                why = because(current(), disk)
                raise Failed(f"zeroing {nr} sectors from sector {sector}: sector {n} {what}{why}")


def zeroed_before_mapped(machine: Machine) -> bool:
    """Was each folio all zeroes at the moment when an entry for it was set?"""
    zero: dict[Any, bool] = {ZERO_PAGE: True}
    for row in machine.log or ():
        if row.cell[1] == "data":
            zero[row.cell[0]] = row.new == ZEROES
        elif isinstance(row.new, Pte) and row.new is not row.old and not zero.get(row.new.folio):
            return bool(row.old)  # an entry that only changes its rights is another matter
    return True
