"""A schedule as a notebook shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...store import Cell
from ..widget import shown
from .asked import Found, Hand
from .pages import Interleaving


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
