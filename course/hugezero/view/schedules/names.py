"""What things are called in a schedule: folios P1, P2, … in order of appearance, cells as a student writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from ...block.bio import Bio, BioVec
from ...hw.tlb import Tlb
from ...mm.page_alloc import SMALL, ZERO_PAGE, Folio
from ...mm.pgtable import Pmd, PteTable, zero_pte
from ...store import DECLARED, Atomic, Cell, Handle, Lock, View, cell_name, in_code
from ..words import entry_of, in_cell, short


class Operation(Protocol):
    """One operation of a schedule: a row of `explore`, or of a log."""

    @property
    def cpu(self) -> int: ...
    @property
    def cell(self) -> Cell: ...
    @property
    def verb(self) -> str: ...
    @property
    def args(self) -> tuple[Any, ...]: ...
    @property
    def old(self) -> Any: ...
    @property
    def new(self) -> Any: ...
    @property
    def result(self) -> Any: ...


def folios_in(value: Any) -> Iterator[Folio]:
    """Every folio that *value* names."""
    if isinstance(value, Folio):
        yield value
    elif isinstance(value, PteTable):
        yield value.body
    elif isinstance(value, View):
        yield from folios_in(value.cell[0])
    elif isinstance(value, tuple):
        for part in value:
            yield from folios_in(part)


def is_lock(handle: Handle, field: str | int) -> bool:
    """Is *field* of *handle* a lock?"""
    declared = handle.fields.get(field) if isinstance(field, str) else None
    return isinstance(declared, Atomic) and issubclass(declared.view, Lock)


class Names:
    """Names for what the *rows* of one schedule, and of those that stand beside it, are about.

    A frame that is handed out again is another folio: go through the rows in order, and tell each birth.
    """

    def __init__(self, rows: Iterable[Operation]) -> None:
        self.now: dict[Folio, str] = {}
        self.lives: dict[Folio, list[str]] = {}
        self.many = 0
        self._numbers: dict[int, Folio] = {}
        self._handles: dict[Any, set[Any]] = {}  # a cell's short name: the handles that have such a one
        seen: set[Any] = set()  # cells, and folios that are born here
        for row in rows:
            handle, field = row.cell
            if not isinstance(handle, Folio):
                short_name = (type(handle), field) if isinstance(field, int) else field
                self._handles.setdefault(short_name, set()).add(handle)
            if row.verb == "new":
                seen.add(row.result)
            elif row.cell not in seen:  # what was there before comes first, whoever asks for names
                seen.add(row.cell)
                for folio in folios_in(row.old):
                    if folio not in seen:
                        self.folio(folio)

    def born(self, folio: Folio) -> str:
        """*folio* was handed out."""
        self.many += 1
        name = self.now[folio] = f"P{self.many}"
        self.lives.setdefault(folio, []).append(name)
        if folio.pfn >= SMALL:  # of a search: no address, no size is so large
            self._numbers[folio.pfn] = folio
        return name

    def folio(self, folio: Folio) -> str:
        """What *folio* is called now; the frame of zeroes has a name of its own."""
        return "zero page" if folio is ZERO_PAGE else self.now.get(folio) or self.born(folio)

    def cell(self, cell: Cell) -> str:
        """A cell as a student writes it: `refcount`, `P1.refcount`, `pmd[0]`; in full if two could be meant."""
        handle, field = cell
        if isinstance(handle, Folio):
            return f"{self.folio(handle)}.{field}"
        if isinstance(handle, Tlb):
            return "TLB" if len(self._handles.get(field, ())) < 2 else f"TLB {handle.id}"
        if isinstance(field, int):
            one = len(self._handles.get((type(handle), field), ())) < 2
            kind = type(handle).__name__.removesuffix("Table").lower()
            return f"{kind}[{field}]" if one else cell_name(cell)
        return field if len(self._handles.get(field, ())) < 2 else cell_name(cell)

    def value(self, value: Any) -> str:
        """A value as code."""
        if isinstance(value, Folio):
            return self.folio(value)
        if isinstance(value, PteTable):
            return f"table {self.folio(value.body)}"
        if isinstance(value, Pmd):
            return f"{self.folio(value.folio)} {'rw' if value.write else 'ro'}"
        if isinstance(value, Bio):
            return "bio"
        if isinstance(value, BioVec):
            return self.folio(value.bv_folio)
        if type(value) is int and value in self._numbers:
            return f"{self.folio(self._numbers[value])}.pfn"
        if value == zero_pte():
            return "zero page"
        entry = entry_of(value)
        if entry is not None:
            return f"{self.folio(entry.folio)} {entry.words}"
        return self.sentence(short(value))

    def held(self, value: Any, cell: Cell | None = None) -> str:
        """What a cell holds, in the fewest words; who holds it if *cell* is a lock, who remembers what if it is a TLB."""
        handle, field = cell or (None, "")
        if isinstance(handle, Tlb):
            return ", ".join(f"CPU {one.cpu}: {self.folio(one.folio)}" for one in value) or "–"
        if handle is not None and is_lock(handle, field):
            return "held" if value else "free"
        number = type(value) is int and value in self._numbers
        if number or isinstance(value, Folio | PteTable) or entry_of(value) is not None:
            return self.value(value)
        return self.sentence(in_cell(value))

    def code(self, row: Operation) -> str:
        """The operation as the code has it."""
        handle = row.cell[0]
        declared = DECLARED.get(row.verb)
        if declared is not None and declared.words.program and isinstance(handle, Folio):
            return f"{declared.words.program} {self.folio(handle)}"
        if isinstance(handle, Tlb):
            if declared is None or not declared.writes:
                return "the program reads there"  # a step of the hardware
            return "flush_pmd_tlb_range(…)"
        if row.verb == "dma":
            return "the disk carries out a bio"  # so is this
        if row.verb == "append":
            return f"{self.cell(row.cell)} ← {self.value(row.args[0])}"
        return in_code(row.cell, row.verb, row.args, self.cell, self.value)

    def sentence(self, words: str) -> str:
        """*words* with the names of this schedule in it."""
        by_number = {f"Folio({folio.pfn:#x})": names for folio, names in self.lives.items()}
        again = "its frame has been handed out again" in words  # then the folio of the life before is meant

        def name(found: re.Match[str]) -> str:
            names = by_number.get(found[0])
            return found[0] if names is None else names[-2 if again and len(names) > 1 else -1]

        return re.sub(r"Folio\(0x[0-9a-f]+\)", name, words)
