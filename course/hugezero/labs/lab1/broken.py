"""Kernels that are wrong on purpose: the student's part is to show it."""

from __future__ import annotations

from typing import Any

from ...hw.ram import PAGE_SIZE
from ...machine import Kernel
from ...mm.mm_types import ENOMEM, Vma, VmFault, anon_vma_prepare
from ...mm.page_alloc import alloc_folio, clear_folio
from ...mm.pgtable import mk_pte, pte_alloc, pte_index, pte_mkdirty, pte_mkwrite
from ...store import Slot


def trusting_do_wp_page(vmf: VmFault) -> int:
    """A write to a page that is dirty is let through: only its owner can have dirtied it, can't it?"""
    entry: Any = vmf.orig_pte
    if entry.dirty:
        vmf.pte.set(pte_mkwrite(entry))
        return 0
    anon_vma_prepare(vmf.vma)
    folio: Any = alloc_folio()
    folio.data.paste(0, entry.folio.data.read(), 0, PAGE_SIZE)
    vmf.pte.set(pte_mkdirty(pte_mkwrite(mk_pte(folio))))
    return 0


def _fork_without_accounts(
    dst_vma: Vma, src_vma: Vma, dst_pmd: Slot, src_pmd: Slot, addr: int, end: int
) -> int:
    """A fork that shares every entry, for kernels that end before anybody asks for RSS."""
    source, target = src_pmd.read(), pte_alloc(dst_vma.vm_mm, dst_pmd)
    if target is None:
        return ENOMEM
    for i in range(pte_index(addr), pte_index(addr) + (end - addr) // PAGE_SIZE):
        shared = source[i].read()
        if shared is not None:
            shared = shared._replace(write=False)
            shared.folio.refcount.inc()
            source[i].set(shared)
            target[i].set(shared)
    return 0


def _a_frame_that_a_read_leaves_clean(vmf: VmFault) -> int:
    """A page that was only read is neither writable nor dirty, as the zero page would be."""
    folio: Any = alloc_folio()
    clear_folio(folio)
    anon_vma_prepare(vmf.vma)
    vmf.pte.set(pte_mkdirty(pte_mkwrite(mk_pte(folio))) if vmf.write else mk_pte(folio))
    return 0


def trusting_kernel() -> Kernel:
    """A kernel whose do_wp_page trusts the dirty bit."""
    return Kernel(
        do_anonymous_page=_a_frame_that_a_read_leaves_clean,
        do_wp_page=trusting_do_wp_page,
        copy_pte_range=_fork_without_accounts,
    )
