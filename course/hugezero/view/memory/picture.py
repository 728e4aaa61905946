"""The memory map of a machine, and its timeline, as a notebook shows them."""

from __future__ import annotations

from typing import Any

from ...machine import Machine
from ...scenario import Simulated
from ..moments import Film
from ..widget import shown
from .pages import pages


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
