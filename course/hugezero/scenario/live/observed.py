"""What was observed of a running Linux, now or when it was recorded."""

from __future__ import annotations

from dataclasses import dataclass

from ..stage import Observation


@dataclass(frozen=True)
class LiveObservation(Observation):
    """An observation of running Linux; *unseen* names what could not be seen of it here.

    A counter that cannot be compared is in *unseen* by its own name. A page whose kind is not known is "mapped".
    """

    unseen: frozenset[str] = frozenset()
