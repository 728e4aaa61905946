"""What a process owns: an address space, made of areas.

Linux: include/linux/mm_types.h
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..store import Atomic, Counter, Field, Flag, Handle, Lock, Slot, View, record

VM_READ, VM_WRITE, VM_SHARED = 0x1, 0x2, 0x8
VM_HUGEPAGE, VM_NOHUGEPAGE = 0x20000000, 0x40000000

VM_FAULT_OOM, VM_FAULT_SIGBUS, VM_FAULT_SIGSEGV, VM_FAULT_FALLBACK = 0x1, 0x2, 0x40, 0x800
ENOMEM, EIO, EINVAL = 12, 5, 22
FAULTS = {1: "VM_FAULT_OOM", 2: "VM_FAULT_SIGBUS", 0x40: "VM_FAULT_SIGSEGV", 0x800: "VM_FAULT_FALLBACK"}
ERRORS = {12: "ENOMEM", 5: "EIO", 22: "EINVAL"}


def fault_code(value: object) -> str:
    """Return what a fault handler returned as a message names it: VM_FAULT_OOM, or the value where it is no code."""
    return FAULTS.get(value, repr(value)) if type(value) is int else repr(value)


def error_code(value: object) -> str:
    """Return what a function that returns an error number returned as a message names it: EIO, or the value."""
    return ERRORS.get(value, repr(value)) if type(value) is int else repr(value)


class Mm(Handle):
    """An address space: all threads of a process share one."""

    __slots__ = ()
    users = Atomic(1, "threads that use it", Counter)
    mmap = Field((), "its areas: (start, end, vma), in order of address")
    rss = Atomic(0, "resident set: pages of real memory mapped here", Counter)
    min_flt = Atomic(0, "page faults so far", Counter)
    nr_ptes = Atomic(0, "page tables in use", Counter)
    huge_zero = Atomic(False, "MMF_HUGE_ZERO_FOLIO: has it taken its reference on the huge zero folio?", Flag)
    page_table_lock = Atomic(False, "who holds it may change huge entries of this address space", Lock)


class Vma(Handle):
    """One area of an address space: a range with one set of rights and one source of bytes."""

    __slots__ = ()
    vm_mm = Field(None, "the address space it belongs to")
    vm_start = Field(0, "first address")
    vm_end = Field(0, "first address after it")
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

    vma: the area; vma.vm_mm is the address space that it is in
    address: of the page
    write: was it a write?
    pmd: the entry above, one for 2 MiB; pmd.read() returns the page table
    pte: the place of the small entry: pte.read(), pte.set(entry); None in a huge fault
    orig_pte: the entry itself, as it was when the fault came in
    orig_pmd: in a huge fault, what pmd held

    Linux: struct vm_fault, include/linux/mm.h
    """

    vma: Vma
    address: int
    write: bool
    pmd: Slot
    pte: Slot
    orig_pte: Any
    orig_pmd: Any = None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(
            f"vmf.{name} = … changes nothing in the machine: to set an entry, write vmf.pte.set(…)"
        )


def anon_vma_prepare(vma: Vma) -> None:
    """Say that *vma* is about to hold an anonymous page: from now on fork must copy its tables."""
    if not vma.anon_vma:
        vma.anon_vma = True
