"""What a notebook shows: pages that turn where there is a widget, one page and its text where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ..machine import Machine
from ..scenario import Simulated
from ..store import Cell
from .interleaving import Found, Hand, Interleaving
from .moments import Film
from .pages import Pages, pages, still

HERE = Path(__file__).parent
SCRIPTS = ("page.js", "hand.js", "picture.js")  # one module to the browser


def memory_map(
    machine: Machine | Simulated, at: int | None = None, since: int | None = None, most: int | None = None
) -> Any:
    """Who maps what: process → address range → entry → frame, at each moment of the machine's log.

    Opens at operation *at* (0: before the first), or else at the last one. Shows the last 200 operations (*most*;
    fewer of a large machine), those around *at*, or those behind operation *since*: `since=len(machine.log)`, taken
    before something is done, shows what that did. Raises NoSuchMoment for an operation that is not there.
    """
    return shown(pages(Film(machine, at, since, most)))


def timeline(
    machine: Machine | Simulated, at: int | None = None, since: int | None = None, most: int | None = None
) -> Any:
    """The operations of the machine's log one by one, and the memory map behind each of them.

    Opens before the first operation that is shown, or at operation *at*. *since* and *most* as in memory_map.
    """
    film = Film(machine, at, since, most)
    if at is None and film.bug is None:
        film.at = film.first
    return shown(pages(film, rows=True))


def schedule(
    outcome: Found,
    threads: Sequence[Any] | None = None,
    by_hand: Hand | None = None,
    cells: Sequence[Cell] | None = None,
) -> Any:
    """The schedule that goes wrong: columns are CPUs, rows are operations; opens where it broke.

    *outcome* is what `explore` found, *threads* its threads or their names. With *by_hand*, a ByHand of the same
    search, the reader may go on from any row and say who is next. *cells*: those whose values stand beside the
    rows; those that the schedule changes if nothing is said.
    """
    return shown(Interleaving(outcome, threads, cells, by_hand).pages())


def shown(made: Pages) -> Any:
    """*made* as a widget, or one page of it where there is none."""
    try:
        widget = _widget_class()
    except ImportError:
        return Still(made)
    return widget(made)


class Still:
    """One page, where widgets are not installed."""

    def __init__(self, made: Pages) -> None:
        self.made = made

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": self.made.text, "text/html": still(self.made)}


@cache
def _widget_class() -> Any:
    """The widget, made when the first picture is: nothing here is needed to run a machine."""
    import anywidget
    import traitlets

    class Picture(anywidget.AnyWidget):
        """Pages of a picture, and which one is open: its `at` counts from the first moment shown."""

        _esm = "".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
        _css = (HERE / "picture.css").read_text(encoding="utf-8")
        parts: Any = traitlets.List().tag(sync=True)
        pages: Any = traitlets.List().tag(sync=True)
        moments: Any = traitlets.List().tag(sync=True)
        rows: Any = traitlets.List().tag(sync=True)
        note = traitlets.Unicode().tag(sync=True)
        words: Any = traitlets.Dict().tag(sync=True)
        at = traitlets.Int().tag(sync=True)

        def __init__(self, made: Pages) -> None:
            self._made = made
            words = {
                "keys": made.keys,
                "legend": made.legend,
                "name": made.name,
                "hand": made.asked is not None,
            }
            super().__init__(
                parts=made.parts, pages=made.pages, moments=made.moments, rows=made.rows,
                note=made.note, words=words, at=made.at,
            )  # fmt: skip

            if made.asked is not None:
                self.on_msg(self._answer)

        def _answer(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
            """The page has asked something."""
            assert self._made.asked is not None
            self.send({"asked": message.get("asked"), **self._made.asked(message)})

        def _repr_mimebundle_(self, **_: Any) -> Any:
            bundle = super()._repr_mimebundle_()
            data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
            return {**data, "text/html": still(self._made), "text/plain": self._made.text}, metadata

    return Picture
