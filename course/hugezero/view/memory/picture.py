"""The memory map of a machine, and its timeline, as a notebook shows them."""

from __future__ import annotations

from typing import Any

from ..moments import Film
from ..widget import shown
from .pages import pages


def memory_map(
    machine: Any, at: int | str | None = None, since: int | None = None, most: int | None = None
) -> Any:
    """Who maps what: process → address range → entry → frame, at each moment of the log of a machine or experiment.

    Opens at operation *at* (0: before the first), or else at the last one; of an experiment *at* can also be how an
    action begins: at="Fork" opens after the first fork. Shows the last 200 operations (*most*; fewer of a large
    machine), those around *at*, or those after operation *since*: `since=len(machine.log)`, taken before something
    is done, shows what that did. Raises NoSuchMoment for what is not there.
    """
    return shown(pages(Film(machine, at, since, most)))


def timeline(
    machine: Any, at: int | str | None = None, since: int | None = None, most: int | None = None
) -> Any:
    """The operations of a log one by one, by action, and the memory map after each of them.

    Opens where there is something to see first, at operation *at*, or before the action that begins with *at*.
    *machine*, *since* and *most* as in memory_map.
    """
    return shown(pages(Film(machine, at, since, most, before=True), rows=True))
