"""All that can be seen of a simulated machine after each action, and the first thing that differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hugezero.hw.ram import PMD_SIZE, PTRS_PER_PTE
from hugezero.mm.mm_types import Mm
from hugezero.mm.pgtable import Pmd, PmdTable, Pte
from hugezero.scenario import Simulated
from hugezero.scenario.compare import first_difference
from hugezero.scenario.simulated import Observation

NOT_COMPARED = ("pgalloc_normal", "pgfree")  # right answers may allocate, and find that they need not have


@dataclass(frozen=True)
class Seen(Observation):
    """An observation with *tables*, the page tables of each process; a huge entry is one of its mappings, not 512."""

    tables: dict[str, int] = field(default_factory=dict)


class Watched(Simulated):
    """A machine that is looked at more closely: tables, dirty bits, and areas of any size."""

    def do(self, action: Any) -> Seen:
        """Do one action; gives what can be observed after it."""
        seen = super().do(action)
        assert isinstance(seen, Seen)
        return seen

    def _observation(self, action: str, seen: Any) -> Seen:
        tables = {name: self.machine.peek((mm, "nr_ptes")) for name, mm in self.mms.items()}
        return Seen(**vars(super()._observation(action, seen)), tables=tables)

    def _mappings(self) -> Iterator[Any]:
        numbers: dict[Any, int] = {}
        told: set[Mm] = set()
        for process, mm in self.mms.items():
            if mm in told:  # of threads, the first one is enough
                continue
            told.add(mm)
            for page, entry in self._entries_of(mm):
                number = numbers.setdefault(entry.folio, len(numbers))
                yield process, page, in_words(entry), (number, getattr(entry, "page", 0))

    def _entries_of(self, mm: Mm) -> Iterator[tuple[int, Pte | Pmd]]:
        cells, areas = self.machine.cells, self.machine.peek((mm, "mmap"))
        for index in sorted(
            {n for low, high, _ in areas for n in range(low // PMD_SIZE, -(-high // PMD_SIZE))}
        ):
            below = cells.get((PmdTable(mm.id), index))
            if isinstance(below, Pmd):
                yield index * PTRS_PER_PTE, below
            elif below is not None:
                for i in range(PTRS_PER_PTE):
                    entry = cells.get((below, i))
                    if entry is not None:
                        yield index * PTRS_PER_PTE + i, entry


def in_words(entry: Pte | Pmd) -> str:
    """What an entry maps, and what may be done with it."""
    kind = "huge " * isinstance(entry, Pmd) + ("zero page" if entry.special else "folio")
    kind = kind if entry.special or isinstance(entry, Pmd) else f"a {kind}"
    return f"{kind}, {'writable' if entry.write else 'read-only'}{', dirty' if entry.dirty else ''}"


def difference(mine: Seen, right: Seen) -> str | None:
    """A sentence about the first thing after one action that is not as it should be; None if all is."""
    if mine == right:
        return None
    return first_difference([mine], [right]) or _counted(mine, right)


def _counted(mine: Seen, right: Seen) -> str | None:
    for process, tables in right.tables.items():
        if mine.tables[process] != tables:
            return f"after {mine.action}: nr_ptes of {process!r} is {mine.tables[process]}; it should be {tables}"
    for name, wanted in right.vmstat.items():
        if name not in NOT_COMPARED and mine.vmstat[name] != wanted:
            now = mine.vmstat[name]
            return f"after {mine.action}: {name} has changed by {now:+}; it should have changed by {wanted:+}"
    return None
