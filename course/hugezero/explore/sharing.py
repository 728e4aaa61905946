"""Which cells several CPUs share, as far as a search has seen: only those can tell one order from another.

The search guesses that none are, notes who touches what, and is done again with those that it
has seen to be shared, until it sees no others. What a schedule then leaves out could not be told
from what it has: up to its first operation on a cell that was wrongly guessed, every schedule is one
that was looked at, but for the order of operations on cells that only one CPU touches or none changes.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..store import Cell

WROTE, ADDED, LOOKED = 1, 2, 4  # bits of what was done to a cell; above them one for each who did it
OBSERVER = -1  # who is told after each operation what cells hold, and is no CPU


class Sharing:
    """Who has touched which cell. *shared*: those taken to be shared; None for all.

    What was added to a cell can be told only by those who look at it: two who add, in either
    order, come to the same.
    """

    def __init__(self, shared: frozenset[Cell] | None) -> None:
        self.shared = shared
        self.touched: dict[Cell, int] = {}
        self.found: set[Cell] = set()  # shared, and not in *shared*

    def note(self, cpu: int, cell: Cell, how: int) -> None:
        """*cpu* has touched *cell*."""
        before = self.touched.get(cell, 0)
        now = before | how | 16 << cpu if cpu >= 0 else before | how | 8
        if now != before:
            self.touched[cell] = now
            by = now >> 3
            conflict = now & WROTE or now & (ADDED | LOOKED) == ADDED | LOOKED
            if conflict and by & (by - 1) and not self.is_shared(cell):
                self.found.add(cell)

    def is_shared(self, cell: Cell) -> bool:
        """Could another CPU tell that *cell* was touched?"""
        return self.shared is None or cell in self.shared

    def only_by(self, cpu: int) -> list[Cell]:
        """Cells that *cpu* has touched and that are taken to be nobody else's business."""
        return [cell for cell, by in self.touched.items() if by & 16 << cpu and not self.is_shared(cell)]


class GoesOn(Exception):
    """A CPU went on and on at cells that were taken to be its own: another one may have to end that."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        super().__init__()
        self.cells = frozenset(cells)
