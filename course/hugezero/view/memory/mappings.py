"""Runs of pages that are mapped alike: what becomes one row of a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...hw.ram import PAGE_SIZE, PTRS_PER_PTE
from ...mm.mm_types import Mm
from ...mm.page_alloc import Folio
from ...mm.pgtable import PmdTable, PteTable
from ..moments import State
from ..words import entry_of, times

FEW = 4  # as many folios in a row are drawn one by one
ARROWS = 8  # entries of one row that have an arrow each; more have one together


class Piece(NamedTuple):
    """*pages* pages from number *first* that hold the same entry; *folio* None: nothing."""

    first: int
    pages: int
    words: str
    folio: Folio | None
    each: int = 1  # pages that one entry covers


@dataclass
class Row:
    """One line of the map."""

    key: str
    first: int  # page number
    pages: int
    where: str
    size: str
    entry: str  # empty: nothing is mapped
    folios: list[Folio] = field(default_factory=list)
    frame: str = ""  # key of the frame that it points at
    look: str = ""  # for what needs no frame: zero, data
    entries: int = 1

    @property
    def arrows(self) -> int:
        """Return how many arrows lead from here to its frame."""
        return (self.entries if self.entries <= ARROWS else 1) if self.frame else 0


def mapped(state: State, mm: Mm, start: int, end: int) -> Iterator[Piece]:
    """What *mm* maps from page *start* to *end*, entry by entry, where equal neighbours are one."""
    peek, pmds = state.cells.get, PmdTable(mm.id)
    run: Piece | None = None
    for block in range(start // PTRS_PER_PTE, -(-end // PTRS_PER_PTE)):
        value = peek((pmds, block))
        base = block * PTRS_PER_PTE
        low, high = max(start, base), min(end, base + PTRS_PER_PTE)
        entries: Iterable[tuple[int, int, Any]] = [(low, high - low, value)]
        if isinstance(value, PteTable):
            table = value
            entries = ((page, 1, peek((table, page - base))) for page in range(low, high))
        for page, n, entry in entries:
            seen = None if entry is None else entry_of(entry)
            folio, words = (None, "") if seen is None else (seen.folio, seen.words)
            if run is not None and run.folio is folio and run.words == words:
                run = Piece(run.first, run.pages + n, words, folio, run.each)
                continue
            if run is not None:
                yield run
            run = Piece(page, n, words, folio, n if seen else 1)
    if run is not None:
        yield run


def rows_of(key: str, unit: str, pieces: list[Piece], alike: Callable[[Piece], Any]) -> list[Row]:
    """Rows for *pieces*: neighbours that are alike become one row when they are more than a few."""
    rows: list[Row] = []
    marks = [alike(piece) for piece in pieces]
    i = 0
    while i < len(pieces):
        n, mark = 1, marks[i]
        while (
            mark is not None
            and i + n < len(pieces)
            and pieces[i + n].words == pieces[i].words
            and pieces[i].pages == pieces[i + n].pages == 1
            and marks[i + n] == mark
        ):
            n += 1
        groups = [pieces[i : i + n]] if n > FEW else [[piece] for piece in pieces[i : i + n]]
        for group in groups:
            first, pages = group[0].first, sum(piece.pages for piece in group)
            folios = [piece.folio for piece in group if piece.folio is not None]
            where, long = (
                (numbers(unit, first, pages), f"{pages} ×")
                if unit
                else (addresses(first, pages), times(pages, group[0].each))
            )
            entries = sum(piece.pages // piece.each for piece in group)
            rows.append(
                Row(f"{key}:{first}", first, pages, where, long, group[0].words, folios, entries=entries)
            )
        i += n
    return rows


def addresses(first: int, pages: int) -> str:
    """A range of pages as addresses."""
    start = first * PAGE_SIZE
    return f"{start:#x}" if pages == 1 else f"{start:#x}–{start + pages * PAGE_SIZE - 1:#x}"


def numbers(unit: str, first: int, n: int) -> str:
    """A range of things that are counted from 0."""
    return f"{unit} {first}" if n == 1 else f"{unit}s {first}–{first + n - 1}"
