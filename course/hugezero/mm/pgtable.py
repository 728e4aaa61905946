"""Two levels of page table: a PMD entry covers 2 MiB, a PTE 4 KiB.

An entry is a value. The levels above are left out: an mm has one table of PMD entries, as
long as its address space needs.

Linux: include/linux/pgtable.h, mm/memory.c
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..hw.ram import PAGE_SIZE, PMD_SIZE, PTRS_PER_PTE
from ..store import Entry, Handle, Slot, View, record
from .mm_types import Mm
from .page_alloc import SMALL, ZERO_PAGE, Folio, alloc_folio, free_folio, is_folio
from .vmstat import VMSTAT


@record
class Pte(NamedTuple):
    """A small entry: which folio, and what may be done with it."""

    folio: Folio
    write: bool = False
    dirty: bool = False
    young: bool = True
    special: bool = False  # nobody counts this mapping
    page: int = 0  # which 4 KiB of the folio

    def __repr__(self) -> str:
        return f"Pte({_in_words(self)})"


@record
class Pmd(NamedTuple):
    """A huge entry: one folio of 2 MiB for all 512 pages."""

    folio: Folio
    write: bool = False
    dirty: bool = False
    young: bool = True
    special: bool = False  # the huge zero page: RSS does not count it

    def __repr__(self) -> str:
        return f"Pmd({_in_words(self)})"


def _in_words(entry: Pte | Pmd) -> str:
    flags = [name for name in ("write", "dirty", "special") if getattr(entry, name)]
    page = [f"page {entry.page}"] if isinstance(entry, Pte) and entry.page else []
    return ", ".join([repr(entry.folio), *page, *flags])


class PmdSlot(Entry):
    """One entry of a table of PMD entries."""

    __slots__ = ()

    @staticmethod
    def refuses(value: Any) -> str:
        if (
            value is None
            or isinstance(value, PteTable)
            or (hasattr(value, "_fields") and not isinstance(value, Pte))
        ):
            return ""
        return f"this is {_kind(value)}, and a PMD entry is None, a page table, or a huge entry: mk_huge_pmd(folio)"


class PteSlot(Entry):
    """One entry of a page table."""

    __slots__ = ()

    @staticmethod
    def refuses(value: Any) -> str:
        if value is None or isinstance(value, Pte):
            return ""
        return f"this is {_kind(value)}, and an entry is None or a Pte: mk_pte(folio), zero_pte()"


def _kind(value: object) -> str:
    word = "cell" if isinstance(value, View) else type(value).__name__
    return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"


class PmdTable(Handle):
    """All PMD entries of one mm: None, the page table below, or a huge entry."""

    __slots__ = ()
    slots = PmdSlot


class PteTable(Handle):
    """A page table: 512 small entries, in a frame of its own; 4 on a small machine."""

    __slots__ = ()
    slots = PteSlot

    @property
    def entries(self) -> int:
        return PTRS_PER_PTE if self.id[0] < SMALL else 4

    @property
    def bound(self) -> int:
        return PTRS_PER_PTE  # of a small table the rest is empty: ranges of addresses are as ever

    def __len__(self) -> int:
        return self.entries

    @property
    def body(self) -> Folio:  # type: ignore[override]
        """Return the frame that it is kept in."""
        return Folio(self.id)

    def __repr__(self) -> str:
        return f"PteTable({self.id[0]:#x})"


def pmd_index(address: int) -> int:
    """Return which PMD entry covers *address*."""
    return address // PMD_SIZE


def pte_index(address: int) -> int:
    """Return which entry of its page table covers *address*."""
    return address // PAGE_SIZE % PTRS_PER_PTE


def pmd_offset(mm: Mm, address: int) -> Slot:
    """Return the PMD entry for *address*."""
    return PmdTable(mm.id)[address // PMD_SIZE]


def mk_pte(folio: Folio) -> Pte:
    """Return a read-only entry for *folio*."""
    return Pte(is_folio(folio, "mk_pte"))


def zero_pte() -> Pte:
    """Return a read-only, special entry for the zero page: nobody counts it."""
    return Pte(ZERO_PAGE, special=True)


def is_zero_pte(entry: Pte | None) -> bool:
    """Return whether *entry* maps the zero page."""
    if isinstance(entry, View):
        raise TypeError(
            f"{entry!r} is where the entry is kept: .read() returns the entry, and vmf.orig_pte is it too"
        )
    return entry is not None and entry.special


def _entry(entry: Any, wanted_by: str) -> Pte:
    """Return *entry* if it is a small entry; raise a TypeError that says who wanted one if not."""
    if not isinstance(entry, Pte):
        raise TypeError(f"{wanted_by} wants an entry, a Pte, and was given {entry!r}: {_kind(entry)}")
    return entry


def pte_mkwrite(entry: Pte) -> Pte:
    """Return the same entry, writable."""
    return _entry(entry, "pte_mkwrite")._replace(write=True)


def pte_wrprotect(entry: Pte) -> Pte:
    """Return the same entry, read-only."""
    return _entry(entry, "pte_wrprotect")._replace(write=False)


def pte_mkdirty(entry: Pte) -> Pte:
    """Return the same entry, marked as written to."""
    return _entry(entry, "pte_mkdirty")._replace(dirty=True)


def pte_alloc_one(mm: Mm) -> PteTable | None:
    """Return a new, empty page table that is not in use yet; None if there is no memory."""
    folio = alloc_folio()
    if folio is None:
        return None
    folio.data.clear()
    mm.nr_ptes.inc()
    VMSTAT.nr_page_table_pages.inc()
    return PteTable(folio.id)


def pte_free_one(mm: Mm, table: PteTable) -> None:
    """Give a page table back that is not in use any more. Its entries must be empty."""
    free_folio(table.body)
    mm.nr_ptes.dec()
    VMSTAT.nr_page_table_pages.dec()


def pte_alloc(mm: Mm, pmd: Slot) -> Any:
    """Return the page table below *pmd*, made now if there is none; None if there is no memory.

    If another thread has set a huge entry meanwhile, return that.
    """
    below = pmd.read()
    if below is not None:
        return below
    table = pte_alloc_one(mm)
    if table is None:
        return None
    mm.page_table_lock.lock()
    faster = pmd.read()
    if faster is None:
        pmd.set(table)
    mm.page_table_lock.unlock()
    if faster is None:
        return table
    pte_free_one(mm, table)
    return faster


def pte_free(mm: Mm, pmd: Slot) -> None:
    """Give the page table below *pmd* back, if there is one. Its entries must be empty."""
    table = pmd.xchg(None)
    if table is not None:
        pte_free_one(mm, table)


def walk(mm: Mm, address: int) -> Pte | Pmd | None:
    """Return what the hardware finds for *address*: a small entry, a huge one, or None."""
    below = PmdTable(mm.id)[address // PMD_SIZE].read()
    if below is None or isinstance(below, Pmd):
        return below
    return below[address // PAGE_SIZE % PTRS_PER_PTE].read()


def place_of(entry: Pte | Pmd, address: int) -> int:
    """Return where in the entry's folio the byte at *address* is."""
    if isinstance(entry, Pmd):
        return address % PMD_SIZE
    return entry.page * PAGE_SIZE + address % PAGE_SIZE


def copy_user_page(to: Folio, entry: Pte) -> None:
    """Copy the 4 KiB that *entry* maps into *to*."""
    is_folio(to, "copy_user_page")
    _entry(entry, "copy_user_page(to, entry)")
    to.data.paste(0, entry.folio.data.read(), entry.page * PAGE_SIZE, PAGE_SIZE)
