"""The third kernel: scenarios on the Linux that this runs on, carried out by real processes.

`ask_linux(scenario)` asks it, or finds what another Linux showed where this system cannot be asked. For many
scenarios, and for the table of what can be seen here, by whom and why not: `live.linux.Linux`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..actions import Action
from .here import Unavailable, in_the_way, where_asked
from .observed import LiveObservation
from .recording import Recording, read

__all__ = ["Answer", "Unavailable", "ask_linux"]


@dataclass(frozen=True)
class Answer:
    """What Linux shows to a scenario, after each action, and *source*: which Linux, and when it was asked."""

    observations: list[LiveObservation]
    source: str


def ask_linux(scenario: Sequence[Action], change_settings: bool = False) -> Answer:
    """Run *scenario* on the Linux that this runs on, with real processes; nobody needs to be root for it.

    Where this system cannot be asked (it is no Linux, has no huge pages, lets you not drop caches), the answer
    is what another Linux showed when it was recorded, and its *source* says so. *change_settings*: may it change
    settings of this machine, which are put back? Raises Unavailable, which says why, for a scenario
    that can neither be run nor was recorded; NotAScenario for a list that is none.
    """
    try:
        if why := in_the_way():
            raise Unavailable(why)
        from .linux import Linux

        with Linux(change_settings) as linux:
            return Answer(linux.run(scenario), f"asked now: {Recording(where_asked(), {})}")
    except Unavailable as why:
        recording = read()
        seen = recording.of(scenario)
        if seen is None:
            raise Unavailable(f"{why}; nor has this scenario been recorded") from None
        return Answer(seen, f"recorded on {recording}, since here {why}")
