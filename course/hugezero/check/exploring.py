"""For notebooks: run some functions of lab 3 under every schedule, or under one that somebody picks by hand."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..explore.cells import Peek
from ..explore.search import Outcome
from ..explore.threads import Thread
from ..machine import Kernel
from ..store import Cell
from . import render
from .checks import CodeRaised, Failed, NotStarted
from .notebook import PARAMETERS, open_checks
from .render import capital
from .scenes import alive, at_rest, shrinker
from .schedules import Counterexample, every_schedule
from .staged import idle_folio, reader, reclaim, visitor
from .subject import subject
from .traps_shrinker import Broken
from .traps_shrinker import to_break as _to_break

GET, PUT, SCAN = "get_huge_zero_folio", "put_huge_zero_folio", "shrink_huge_zero_folio_scan"


class Shown:
    """A sentence, and the picture of a schedule below it."""

    def __init__(self, text: str, picture: Counterexample | None = None, rows: Sequence[str] = ()) -> None:
        self.text, self.picture, self.rows = text, picture, rows

    def __repr__(self) -> str:
        return "\n".join([self.text, *self.rows])

    def show(self) -> None:
        """Display it: the picture where there is a notebook, and its rows as text elsewhere."""
        drawn = None if self.picture is None else render.drawing(self.picture)
        if drawn is None:
            print(self)
            return
        from IPython.display import display

        if not self.rows:  # otherwise the picture says it
            print(self.text)
        display(drawn)

    _ipython_display_ = show


def every_schedule_of(users: int = 2, shrinkers: int = 0, **functions: Callable[..., Any]) -> Shown:
    """Let *users* CPUs take, read and give back the huge zero folio, and *shrinkers* ask for it, in every order.

    *functions*: yours, by the names of the kernel's. What is not given is done right.
    Shows the shortest schedule that goes wrong, or says how much was looked at.
    """
    open_checks()
    for name in functions:
        if name not in (GET, PUT, SCAN):
            raise ValueError(f"every_schedule_of({name}=...): the functions are {GET}, {PUT} and {SCAN}")
    kernel = {name: subject(name, function, PARAMETERS[name]) for name, function in functions.items()}
    person = reader(put=PUT in kernel) if GET in kernel else visitor(put=PUT in kernel)
    threads = [person] * users + [shrinker() if SCAN in kernel else reclaim()] * shrinkers
    cells = {} if GET in kernel else idle_folio()
    return shown(kernel, threads, cells, at_end=at_rest, always=alive, what=" or ".join(functions))


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


def to_break(name: str, seed: str) -> Shown:
    """The version of the function *name* that is yours to break, in a picture that you play by hand.

    *seed*: your student id, or any text that is yours; it decides which version you get, here and in the check.
    """
    broken: Broken = _to_break(name, seed)
    threads: Sequence[Thread] = broken.threads
    return Shown(inspect.getsource(broken.function), Counterexample(Outcome(), threads, broken.by_hand))
