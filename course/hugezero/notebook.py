"""Everything a lab uses, for `from hugezero.notebook import *`."""

# ruff: noqa: F401  (all that is imported here is exported)

import sys as _sys
from typing import Any as _Any

from .block.bio import (
    BIO_MAX_VECS,
    SECTOR_SIZE,
    Bio,
    BlockDevice,
    assemble_block,
    bdev_write_zeroes_sectors,
    bio_add_folio,
    bio_alloc,
    issue_write_zeroes,
    submit_bio,
    submit_bio_wait,
)
from .block.zeroing import PRIVATE_ZEROES, zeroout_borrowing, zeroout_private
from .check.notebook import check
from .check.notebook import enter_with as _enter_with
from .check.overview import Overview as _Overview
from .check.report import draw_with as _draw_with
from .cost.requests import flood, rate
from .hw.cpu import SpinLock
from .hw.ram import PAGE_SIZE, PMD_SIZE, PTRS_PER_PTE, Contents
from .labs import exported as _exported
from .labs import open_checks as _open_checks
from .labs.decisions import your_decisions
from .labs.experiment import attempt, experiment
from .labs.guesses import answer, guess
from .labs.reference import reference
from .labs.starting_kernel import use_mine
from .machine import Kernel, Machine, boot
from .mm import huge_memory
from .mm.fault import OutOfMemory, SegmentationFault, touch, user_read, user_write
from .mm.huge_memory import (
    HPAGE_PMD_NR,
    HUGE_ZERO,
    TRANSPARENT_HUGEPAGE,
    __do_huge_pmd_anonymous_page,
    flush_pmd_tlb_range,
    haddr_of,
    is_huge_zero_pmd,
    map_anon_folio_pmd,
    mk_huge_pmd,
    mk_huge_zero_pmd,
    pgtable_trans_huge_deposit,
    pgtable_trans_huge_withdraw,
    pmd_mkdirty,
    pmd_mkwrite,
    pmd_wrprotect,
    register_huge_zero_shrinker,
    set_huge_zero_page_aside,
    split_huge_pmd,
    thp_vma_suitable,
    transparent_hugepage_use_zero_page,
    wp_huge_reuse,
)
from .mm.mm_types import (
    EIO,
    ENOMEM,
    VM_FAULT_FALLBACK,
    VM_FAULT_OOM,
    VM_HUGEPAGE,
    VM_READ,
    VM_SHARED,
    VM_WRITE,
    Mm,
    Vma,
    VmFault,
    anon_vma_prepare,
)
from .mm.mmap import dup_mm, exit_mmap, madvise, madvise_dontneed, mm_alloc, mmap, mmput, mprotect, munmap
from .mm.page_alloc import (
    HPAGE_PMD_ORDER,
    ZERO_PAGE,
    Folio,
    alloc_folio,
    clear_folio,
    copy_folio,
    folio_get,
    folio_put,
    free_folio,
)
from .mm.pgtable import (
    Pmd,
    Pte,
    copy_user_page,
    is_zero_pte,
    mk_pte,
    pmd_index,
    pmd_offset,
    pte_alloc,
    pte_alloc_one,
    pte_free_one,
    pte_index,
    pte_mkdirty,
    pte_mkwrite,
    pte_wrprotect,
    walk,
    zero_pte,
)
from .mm.printk import CONFIG, pr_warn
from .mm.shrinker import shrinker_register
from .mm.vmstat import VMSTAT
from .scenario import (
    DropCaches,
    Exec,
    Exit,
    Fork,
    Madvise,
    Mmap,
    Mprotect,
    Munmap,
    Read,
    Simulated,
    Thread,
    UseZeroPage,
    Write,
    simulate,
)
from .scenario.live import ask_linux
from .scenario.storage import DiskWorks, Zeroout
from .store import KernelBug
from .view import chart, memory_map, schedule, timeline
from .view import progress as _bar

_enter_with(_open_checks)
_draw_with(lambda found: schedule(found.outcome, found.threads, by_hand=found.by_hand()))


def progress(what: str = "") -> _Any:
    """Show all exercises of this notebook's lab and how their last checks went: progress().

    With the name of something, a bar for *what* takes its time: progress("pages read").
    """
    if what:
        return _bar(what)
    lab = _sys._getframe(1).f_globals.get("LAB")
    if not isinstance(lab, int):
        raise ValueError("progress(): run the first cell of this notebook, which says LAB = …")
    _open_checks(lab)
    return _Overview(f"lab{lab}")


KiB, MiB, GiB = 1 << 10, 1 << 20, 1 << 30
globals().update(_exported())

__all__ = [
    name
    for name, value in globals().items()
    if (name in vars(huge_memory) or not name.startswith("_"))
    and not name.endswith("__")
    and type(value).__name__ != "module"
]
