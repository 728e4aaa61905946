"""What the cells hold in a state of the search, as one tuple; and notes of the search's own beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..mm.page_alloc import Folio
from ..store import KERNEL, Cell, Handle, cell_name, default_of

Peek = Callable[[Cell], Any]


class Note(str):
    """In the place of a field's name: no cell of the machine, but a note of the search's own."""

    __slots__ = ()


PUBLISHED = Note("published")  # on a folio: its handle has been stored where others may find it
LIVE = (
    KERNEL,
    Note("live"),
)  # no cell either: whoever looks there at the end is given all folios that are live


class Cells:
    """Which cell is where in the tuple of a state; the values themselves are handed in."""

    def __init__(self) -> None:
        self.slots: dict[Cell, int] = {}
        self.names: list[Cell] = []
        self.defaults: list[Any] = []
        self.of_body: dict[Handle, list[Cell]] = {}  # the cells that die with a folio

    def get(self, values: Sequence[Any], cell: Cell) -> Any:
        """What *cell* holds."""
        slot = self.slots.get(cell)
        if slot is None or slot >= len(values):
            return None if type(cell[1]) is Note else default_of(cell)
        return values[slot]

    def set(self, values: list[Any], cell: Cell, value: Any) -> None:
        """Let *cell* hold *value*."""
        slot = self.slots.get(cell)
        if slot is None:
            slot = self.slots[cell] = len(self.names)
            self.names.append(cell)
            self.defaults.append(None if type(cell[1]) is Note else default_of(cell))
            body = cell[0].body
            if body is not None and type(cell[1]) is not Note:
                self.of_body.setdefault(body, []).append(cell)
        if slot >= len(values):
            values.extend(self.defaults[len(values) : slot + 1])
        values[slot] = value

    def live(self, values: Sequence[Any]) -> tuple[Folio, ...]:
        """Every folio that has been handed out and not come back."""
        named = zip(self.names, values, strict=False)
        return tuple(
            h for (h, field), v in named if isinstance(h, Folio) and field == "state" and v == "live"
        )

    def wipe(self, values: list[Any], body: Handle) -> None:
        """A dead folio holds nothing that could still matter."""
        for cell in self.of_body.get(body, ()):
            slot = self.slots[cell]
            if slot < len(values):
                values[slot] = self.defaults[slot]

    def packed(self, values: list[Any]) -> tuple[Any, ...]:
        """The same values whatever cells have been heard of meanwhile."""
        while values and values[-1] == self.defaults[len(values) - 1]:
            values.pop()
        return tuple(values)

    def visible(self, values: Sequence[Any]) -> frozenset[tuple[str, str]]:
        """What the cells hold, in words."""
        named = zip(self.names, values, self.defaults, strict=False)
        return frozenset((cell_name(c), repr(v)) for c, v, d in named if v != d and type(c[1]) is not Note)
