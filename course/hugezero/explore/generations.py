"""Which life of a frame a handle means, told by the log alone.

The search reuses the numbers of frames that nobody else ever saw, so that states merge. The code
under test gets a handle for each life of such a frame: one that it kept from an earlier life is
another handle, and using it is a use after free.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..mm.page_alloc import Folio
from ..store import Handle, KernelBug, View

Seen = tuple[Any, str, tuple[Any, ...], Any]  # cell, verb, arguments, result


class Generations:
    """Translates between the search's handles (life 0) and those of one run (life 1, 2, ...)."""

    def __init__(self) -> None:
        self.now: dict[int, int] = {}  # frame number: its life in this run, of those handed out in it

    def given(self, value: Any) -> Any:
        """A value of the search, as the run sees it."""
        return self._each(value, self._alive)

    def said(self, value: Any) -> Any:
        """A value of the run, as the search knows it. KernelBug for a handle of an earlier life."""
        return self._each(value, self._known)

    def born(self, folio: Folio) -> None:
        """*folio* was handed out in this run."""
        self.now[folio.pfn] = self.now.get(folio.pfn, 0) + 1

    def log(self, log: tuple[Seen, ...]) -> tuple[Seen, ...]:
        """The search's log of one call, as the run saw it."""
        out = []
        for cell, verb, args, result in log:
            what = self.given(cell[0]), cell[1]
            values = tuple(map(self.given, args))
            if verb == "new" and isinstance(result, Folio):
                self.born(result)
            out.append((what, verb, values, self.given(result)))
        return tuple(out)

    def _alive(self, folio: Folio) -> Folio:
        life = self.now.get(folio.pfn)
        return folio if life is None else Folio((folio.pfn, folio.order, life))

    def _known(self, folio: Folio) -> Folio:
        life = self.now.get(folio.pfn)
        if life is None:
            return folio
        if folio.id[2] != life:
            raise KernelBug(f"{folio!r} was used after it was freed, and its frame has been handed out again")
        return Folio((folio.pfn, folio.order, 0))

    def _each(self, value: Any, change: Any) -> Any:
        if isinstance(value, Folio):
            return change(value)
        if isinstance(value, Handle):  # kept in a folio, and of the same number?
            return type(value)(change(value.body).id) if isinstance(value.body, Folio) else value
        if isinstance(value, View):
            return type(value)((self._each(value.cell[0], change), value.cell[1]))
        if isinstance(value, tuple):
            parts = [self._each(part, change) for part in value]
            return value._make(parts) if hasattr(value, "_make") else tuple(parts)
        return value


def bodies(value: Any) -> Iterator[Folio]:
    """The folios that *value* names, also by what is kept in them."""
    if isinstance(value, Handle):
        if isinstance(value.body, Folio):
            yield value.body
    elif isinstance(value, View):
        yield from bodies(value.cell[0])
    elif isinstance(value, tuple):
        for part in value:
            yield from bodies(part)
