"""Values of the machine in a few words, and operations as the student wrote them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from ..hw.ram import PAGE_SIZE, Contents
from ..mm.mm_types import VM_HUGEPAGE, VM_NOHUGEPAGE, VM_READ, VM_SHARED, VM_WRITE
from ..mm.page_alloc import ZERO_PAGE, Folio
from ..mm.pgtable import Pmd, Pte, PteTable
from ..store import Done, in_code


class Entry(NamedTuple):
    """What a picture needs to know of an entry of a table."""

    folio: Folio
    words: str  # as it stands in the box
    rights: str  # as it stands in a sentence


@cache
def _small(write: bool, dirty: bool, special: bool) -> tuple[str, str]:
    flags = ["rw" if write else "ro", *(["dirty"] if dirty else []), *(["special"] if special else [])]
    return " · ".join(flags), "writable" if write else "read-only"


def small_entry(pte: Pte) -> Entry:
    return Entry(pte.folio, *_small(pte.write, pte.dirty, pte.special))


def huge_entry(pmd: Pmd) -> Entry:
    return Entry(
        pmd.folio, "huge · rw" if pmd.write else "huge · ro", "writable" if pmd.write else "read-only"
    )


# A new kind of entry is one more line here.
ENTRIES: dict[type, Callable[[Any], Entry]] = {Pte: small_entry, Pmd: huge_entry}


def entry_of(value: Any) -> Entry | None:
    """*value* as an entry; None if it is none."""
    read = ENTRIES.get(type(value))
    return None if read is None else read(value)


def size(n: int) -> str:
    """*n* bytes, in the largest unit that fits."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if n >= unit and n % unit == 0:
            return f"{n // unit:,} {name}"
    return f"{n:,} byte{'s' * (n != 1)}"


def times(pages: int, each: int = 1) -> str:
    """A number of pages, as so many entries of *each*."""
    one, n = size(each * PAGE_SIZE), pages // each
    if n < 1000:
        return one if n == 1 else f"{n} × {one}"
    whole = size(pages * PAGE_SIZE)
    return f"{n:,} ×" if whole.endswith("KiB") else whole


def rights(flags: int) -> str:
    """The flags of an area."""
    words = ["r" * bool(flags & VM_READ) + "w" * bool(flags & VM_WRITE) or "no access"]
    words.append("shared" if flags & VM_SHARED else "private")
    words += [word for bit, word in ((VM_HUGEPAGE, "hugepage"), (VM_NOHUGEPAGE, "nohugepage")) if flags & bit]
    return " · ".join(words)


def folio_name(folio: Folio, huge_zero: bool = False) -> str:
    """What a folio is called in pictures and sentences."""
    return (
        f"{'zero page' if folio is ZERO_PAGE else 'huge zero folio' if huge_zero else 'folio'} {folio.pfn:#x}"
    )


def the(folio: Folio, huge_zero: bool = False) -> str:
    """The same within a sentence."""
    if folio is ZERO_PAGE:
        return "the zero page"
    return f"{'the ' if huge_zero else ''}{folio_name(folio, huge_zero)}"


def is_zeroes(contents: Contents) -> bool:
    return contents.fill == 0 and not contents.runs


def hint(contents: Contents) -> str:
    """The first bytes of *contents*, or "zeroes"."""
    if is_zeroes(contents):
        return "zeroes"
    at, data = contents.runs[0] if contents.runs else (0, b"")
    if contents.fill and (at or not data):
        return f"left over: {contents.fill:02x} {contents.fill:02x} …"
    data = data.rstrip(b"\0") or data
    return f"data: {some(data)} …" if at == 0 else f"data at {at:#x}: {some(data, 2)} …"


def some(data: bytes, most: int = 4) -> str:
    return data[:most].hex(" ")


def short(value: Any) -> str:
    """A value as code, never long."""
    if isinstance(value, Contents):
        return f"<{hint(value)}>"
    if isinstance(value, bytes) and len(value) > 8:
        return f"{value[:4]!r}… ({len(value):,} bytes)"
    if isinstance(value, tuple) and type(value) is tuple:
        parts = [short(part) for part in value[-3:]]
        left_out = ["…"] if len(value) > 3 else []
        return f"({', '.join(left_out + parts)}{',' * (len(value) == 1)})"
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1 << 16:
        return hex(value)
    return repr(value)


def in_cell(value: Any) -> str:
    """What a cell holds, in the fewest words."""
    entry = entry_of(value)
    if entry is not None:
        return f"{folio_name(entry.folio)} · {entry.words}"
    if isinstance(value, Contents):
        return hint(value)
    if isinstance(value, tuple):
        return f"{len(value)} item{'s' * (len(value) != 1)}"
    if isinstance(value, PteTable):
        return f"table in {value.id[0]:#x}"
    return "–" if value is None else short(value)


def code(done: Done) -> str:
    """An operation as kernel code writes it."""
    return in_code(done.cell, done.verb, done.args, value=short)
