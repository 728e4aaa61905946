"""How earlier kernels dealt with a write to huge zeroes, to compare them with today's.

| kernel | a write to 2 MiB of zeroes | where there is no huge page |
|---|---|---|
| 3.8 | a huge page | one small page of its own, and the others of zeroes |
| 3.15 | a huge page | split, and the small fault goes on |
| 5.8 | split, and the small fault goes on | the same |
| 6.13 | as 3.15 | as 3.15 |

Linux: do_huge_pmd_wp_page and what it calls, mm/huge_memory.c
"""

from __future__ import annotations

from collections.abc import Callable

from ..store import call, new
from .huge_memory import haddr_of, is_huge_zero_pmd, split_huge_pmd
from .mm_types import VM_FAULT_FALLBACK, VM_FAULT_OOM, VmFault
from .page_alloc import HPAGE_PMD_ORDER, alloc_folio, free_folio
from .pgtable import Pte, pte_index

Handler = Callable[[VmFault], int]
VERSIONS = ("3.8", "3.15", "5.8", "6.13")


def write_fault_of(version: str, today: Handler) -> Handler:
    """Return do_huge_pmd_wp_page as it was from *version* on, made of *today*'s, which is that of 6.13."""
    if version not in VERSIONS:
        raise ValueError(f"there is no {version!r} here: it is one of {', '.join(VERSIONS)}")

    def do_huge_pmd_wp_page(vmf: VmFault) -> int:
        if is_huge_zero_pmd(vmf.orig_pmd):
            if version == "5.8":
                split_huge_pmd(vmf.vma, vmf.pmd, vmf.address)
                return VM_FAULT_FALLBACK
            if version == "3.8" and not _is_there_a_huge_page():
                return _one_page_and_511_zeroes(vmf)
        return today(vmf)

    return do_huge_pmd_wp_page


def _is_there_a_huge_page() -> bool:
    found = new("Folio", HPAGE_PMD_ORDER)
    if found is not None:
        free_folio(found)
    return found is not None


def _one_page_and_511_zeroes(vmf: VmFault) -> int:
    """Everything in one go, and no split is counted. Linux: do_huge_pmd_wp_zero_page_fallback, 3.8 to 3.14"""
    page = alloc_folio()
    if page is None:
        return VM_FAULT_OOM
    page.data.clear()
    mm = vmf.vma.vm_mm
    mm.page_table_lock.lock()
    unchanged = bool(vmf.pmd.read() == vmf.orig_pmd)
    if unchanged:
        call("split_huge_zero_page_pmd", vmf.vma, haddr_of(vmf.address), vmf.pmd)
        vmf.pmd.read()[pte_index(vmf.address)].set(Pte(page, write=True, dirty=True))
        mm.rss.inc()
    mm.page_table_lock.unlock()
    if not unchanged:
        free_folio(page)
    return 0
