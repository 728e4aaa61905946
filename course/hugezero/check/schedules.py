"""A promise about every schedule of several CPUs: explored, and told in the voices of a check."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..explore.byhand import ByHand
from ..explore.moves import Peek, Row, Thread
from ..explore.replay import given
from ..explore.search import DEADLOCK, FOR_EVER, STATES, Outcome, explore
from ..store import DECLARED, Cell
from ..view.schedules.names import Names
from ..view.schedules.rows import scenery, tell
from .checks import CodeRaised, Failed, Inconclusive, NotStarted

NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
RAISED = re.compile(r"(\w+) raised (\w+): ?(.*)", re.DOTALL)
DIFFERS = "acts differently when"  # it would on one CPU as well
HINTS = {
    FOR_EVER: "who would have to change what is waited for there, and can it still?",
    DEADLOCK: "who holds the lock, and what does it wait for itself?",
}


@dataclass
class Explored(Outcome):
    """An outcome of which a check can tell: as a string, how far it went and what held there."""

    cpus: int = 0
    story: str = ""

    def __str__(self) -> str:
        return f"{_counted(self.cpus)}, {self.states:,} reachable states, {self.story} in any of them"


@dataclass(frozen=True)
class Counterexample:
    """A schedule that goes wrong, with all that a picture of it needs."""

    outcome: Outcome
    threads: Sequence[Thread]
    by_hand: Callable[[], ByHand] = field(repr=False)  # a new one each time: it remembers what was picked


def every_schedule(
    kernel: Any,
    threads: Sequence[Thread],
    cells: Mapping[Cell, Any] | None = None,
    *,
    at_end: Callable[[Peek], str | None] = lambda peek: None,
    always: Callable[[Peek], str | None] | None = None,
    may_fail: bool = False,
    story: str = "nothing goes wrong",
    hint: str = "",
    limit: int = STATES,
) -> Explored:
    """Run *threads* on the functions of *kernel* in every order: what was found, if nothing broke.

    Takes what `explore` takes. Otherwise raises Failed with the schedule ("almost"), or without one
    where a single CPU is enough to go wrong; Inconclusive with how far it got. *story* completes
    "Two CPUs, 182 reachable states, … in any of them", which a check returns to have it told.
    """
    functions = {n: f if hasattr(f, "step") else given(f) for n, f in kernel.functions.items()}
    search = {"cells": cells, "at_end": at_end, "always": always, "may_fail": may_fail}
    found = explore(functions, threads, limit=limit, **search)  # type: ignore[arg-type]
    expect_every_schedule(
        found,
        threads,
        hint=hint,
        by_hand=lambda: ByHand(functions, threads, shared=found.shared, **search),  # type: ignore[arg-type]
    )
    return Explored(**vars(found), cpus=len(threads), story=story)


def expect_every_schedule(
    outcome: Outcome,
    threads: Sequence[Thread],
    *,
    by_hand: Callable[[], ByHand] | None = None,
    hint: str = "",
) -> None:
    """Fail the check with what *outcome* found, if it found anything, or did not come to its end."""
    if outcome.bug is not None:
        raise _failed(outcome, threads, by_hand, hint or HINTS.get(outcome.bug, ""))
    if outcome.inconclusive:
        raise Inconclusive(
            f"{_counted(len(threads))}: after {outcome.states:,} states there were still more. Every schedule of up to "
            f"{outcome.longest:,} operations was tried and went well; of longer ones nothing is known",
            "does a loop change something each time that it goes round?",
        )


def _failed(
    outcome: Outcome, threads: Sequence[Thread], by_hand: Callable[[], ByHand] | None, hint: str
) -> Exception:
    bug = outcome.bug or ""
    raised = RAISED.fullmatch(bug)
    if raised and CodeRaised(*raised.groups()).unwritten:
        return NotStarted()
    alone = len({row.cpu for row in outcome.rows}) < 2
    if alone and raised:
        return CodeRaised(*raised.groups())
    if DIFFERS in bug or not outcome.rows:
        return Failed(bug, hint)
    picture = None if by_hand is None else Counterexample(outcome, threads, by_hand)
    why, rows = in_words(outcome, threads)
    return Failed(why, hint, rows, picture, alone)


def in_words(outcome: Outcome, threads: Sequence[Thread] = ()) -> tuple[str, tuple[str, ...]]:
    """What goes wrong in a schedule, and its rows, as they stand in its picture: folios are P1, P2, …

    Rows of which nobody could learn anything are left out: areas, switches, statistics.
    """
    rows, bug, names = outcome.rows, outcome.bug or "", Names(outcome.rows)
    told = tell(rows, bug, (), names)
    why = told.broke if told.broke.startswith("CPU") else names.sentence(bug)
    table = [
        (
            f"{line.number:>3}",
            f"CPU {row.cpu}",
            threads[row.cpu].name if threads else "",
            line.code,
            _said(row, line.said),
        )
        for row, line in zip(rows, told.lines, strict=True)
        if line.culprit or not scenery(row)
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ([cell.ljust(w) for cell, w in zip(cells, widths, strict=True) if w] for cells in table)
    return why, tuple("  ".join(line).rstrip() for line in lines)


def _said(row: Row, said: str) -> str:
    """What *row* gave, and what the count is then, if it moved one."""
    counts = row.verb in DECLARED and DECLARED[row.verb].counts
    now = f"now {row.new}" if counts and row.old != row.new else ""
    return ", ".join(filter(None, (said, now)))


def _counted(cpus: int) -> str:
    many = NUMBERS[cpus] if cpus < len(NUMBERS) else str(cpus)
    return f"{many} CPU{'s' * (cpus != 1)}"
