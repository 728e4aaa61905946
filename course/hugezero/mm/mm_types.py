"""What a process owns: an address space, made of areas.

Linux: include/linux/mm_types.h
"""

from __future__ import annotations

from typing import NamedTuple

from ..store import Atomic, Counter, Field, Handle, Slot, View, record

VM_READ, VM_WRITE, VM_SHARED = 0x1, 0x2, 0x8
VM_HUGEPAGE, VM_NOHUGEPAGE = 0x20000000, 0x40000000

VM_FAULT_OOM, VM_FAULT_SIGBUS, VM_FAULT_SIGSEGV, VM_FAULT_FALLBACK = 0x1, 0x2, 0x40, 0x800
ENOMEM, EIO, EINVAL = 12, 5, 22


class Mm(Handle):
    """An address space: all threads of a process share one."""

    __slots__ = ()
    users = Atomic(1, "threads that use it", Counter)
    mmap = Field((), "its areas: (start, end, vma), in order of address")
    rss = Atomic(0, "resident set: pages of real memory mapped here", Counter)
    min_flt = Atomic(0, "page faults so far", Counter)
    nr_ptes = Atomic(0, "page tables in use", Counter)


class Vma(Handle):
    """One area of an address space: a range with one set of rights and one source of bytes."""

    __slots__ = ()
    vm_mm = Field(None, "the address space it belongs to")
    vm_start = Field(0, "first address")
    vm_end = Field(0, "first address behind it")
    vm_flags = Field(0, "VM_READ, VM_WRITE, VM_SHARED, VM_HUGEPAGE, VM_NOHUGEPAGE")
    vm_file = Field(None, "the file or shared memory it shows; None for private anonymous memory")
    vm_pgoff = Field(0, "where in that file, in pages")
    anon_vma = Field(False, "has it ever held an anonymous page? fork copies the tables of such areas only")


class AddressSpace(Handle):
    """The page cache of one file, or of one piece of shared memory: entry i holds page i."""

    __slots__ = ()
    slots = Slot
    data = Atomic(None, "the bytes of the file itself", View)


@record
class VmFault(NamedTuple):
    """One page fault: what a fault handler is told.

    Linux: struct vm_fault, include/linux/mm.h
    """

    vma: Vma
    address: int  # of the page
    write: bool
    pmd: Slot  # the PMD entry: it holds the page table, or is huge itself
    pte: Slot  # the small entry that was looked up; None in a huge fault
    orig_pte: tuple | None  # type: ignore[type-arg]  # what that entry held when the fault came in
    orig_pmd: tuple | None = None  # type: ignore[type-arg]  # in a huge fault, what *pmd* held


def anon_vma_prepare(vma: Vma) -> None:
    """Say that *vma* is about to hold an anonymous page: from now on fork must copy its tables."""
    if not vma.anon_vma:
        vma.anon_vma = True
