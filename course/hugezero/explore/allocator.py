"""Things that are made during a search: which number they get, and who can know of them."""

from __future__ import annotations

from typing import Any

from ..mm.page_alloc import SMALL, Folio
from ..store import KERNEL, KINDS, Handle
from .calltree import Node
from .generations import bodies
from .state import PUBLISHED, Cells, Note

CPU_FRAMES = 1 << 15  # frames of one CPU: the first half for folios of 2 MiB, the second for single frames
MANY = 1000  # things of one kind, other than folios, that one CPU may make


class OutOfNumbers(Exception):
    """More things were made, and shown to others, than there are numbers for them."""


class Allocator:
    """Gives numbers such that states merge: who made it and which one it is, whatever happened in between.

    A folio gets its CPU's lowest number that is neither live nor was ever known to another CPU; the
    rest, which never dies, is counted.
    """

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.there: set[int] = set()  # frames that were there from the start

    def made(self, values: list[Any], cpu: int, args: tuple[Any, ...], callers: tuple[Node, ...]) -> Any:
        """What "new" gives a CPU now; *callers* wait for the call that asks."""
        kind, *size = args
        if kind == "Folio":
            folio = self._folio(values, cpu, size[0], callers)
            self.cells.set(values, (folio, "state"), "live")
            return folio
        count = KERNEL, Note(f"{kind} of CPU {cpu}")
        n = self.cells.get(values, count) or 0
        if n == MANY:
            raise OutOfNumbers
        self.cells.set(values, count, n + 1)
        return KINDS[kind]((cpu + 1) * MANY + n)

    def _folio(self, values: list[Any], cpu: int, order: int, callers: tuple[Node, ...]) -> Folio:
        # A caller does not see what the call frees and makes: it must never mistake one for the other.
        named = frozenset().union(*(caller.folios() for caller in callers))
        first = SMALL + (cpu + 1) * CPU_FRAMES + (0 if order else CPU_FRAMES // 2)  # tables with 4 entries
        for pfn in range(first, first + CPU_FRAMES // 2, 1 << order):
            folio = Folio((pfn, order, 0))
            free = self.cells.get(values, (folio, "state")) == "free"
            if (
                free
                and folio not in named
                and pfn not in self.there
                and self.cells.get(values, (folio, PUBLISHED)) is None
            ):
                return folio
        raise OutOfNumbers

    def is_published(self, values: list[Any], body: Handle) -> bool:
        """Has the handle of *body* ever been stored where others may find it? Those there from the start have."""
        there = not isinstance(body, Folio) or body.pfn < SMALL or body.pfn in self.there
        return there or self.cells.get(values, (body, PUBLISHED)) is not None

    def publish(self, values: list[Any], value: Any) -> None:
        """Whoever reads *value* knows of the folios in it, and of those that are to be found in these."""
        for body in bodies(value):
            if not self.is_published(values, body):
                self.cells.set(values, (body, PUBLISHED), True)
                for cell in list(self.cells.of_body.get(body, ())):
                    self.publish(values, self.cells.get(values, cell))

    def private(self, values: list[Any], cpu: int, body: Folio) -> bool:
        """Does nobody but *cpu* know of *body*?"""
        pfn = body.id[0]
        return (
            (pfn - SMALL) // CPU_FRAMES - 1 == cpu
            and pfn not in self.there
            and self.cells.get(values, (body, PUBLISHED)) is None
            and self.cells.get(values, (body, "state")) == "live"
        )
