"""What a notebook shows of an exploration: a sentence, and the picture of a schedule below it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..explore.state import Peek
from ..explore.threads import Thread
from ..machine import Kernel
from ..store import Cell
from . import report
from .checks import CodeRaised, Failed, NotStarted
from .report import capital
from .schedules import Counterexample, every_schedule


class Shown:
    """A sentence, and the picture of a schedule below it."""

    def __init__(self, text: str, picture: Counterexample | None = None, rows: Sequence[str] = ()) -> None:
        self.text, self.picture, self.rows = text, picture, rows

    def __repr__(self) -> str:
        return "\n".join([self.text, *self.rows])

    def show(self) -> None:
        """Display it: the picture where there is a notebook, and its rows as text elsewhere."""
        drawn = None if self.picture is None else report.drawing(self.picture)
        if drawn is None:
            print(self)
            return
        from IPython.display import display

        if not self.rows:  # otherwise the picture says it
            print(self.text)
        display(drawn)

    _ipython_display_ = show


def shown(
    functions: Mapping[str, Any],
    threads: Sequence[Thread],
    cells: Mapping[Cell, Any],
    *,
    at_end: Callable[[Peek], str | None],
    always: Callable[[Peek], str | None],
    story: str = "nothing goes wrong",
    what: str,
) -> Shown:
    """Run *threads* on *functions* in every order, and show what was found; *what* may not be written yet."""
    try:
        found = every_schedule(Kernel(functions), threads, cells, at_end=at_end, always=always, story=story)
    except NotStarted:
        return Shown(f"{what} is not written yet. Come back to this cell when it is.")
    except CodeRaised as raised:
        return Shown(str(raised))
    except Failed as failed:
        return Shown(f"{capital(failed.why)}.", failed.picture, failed.schedule)
    return Shown(f"{found}.")
