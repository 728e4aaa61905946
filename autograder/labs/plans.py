"""What a generated program is, what it is made of, and in which order things are likely to matter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hugezero.scenario import Action

from .watched import Seen

PLANS = (
    "write fork cut write look",
    "write fork write look cut look",
    "write protect fork write look",
    "read fork write look",
    "write fork generation leave leave look",
    "read generation generation write look cut look",
    "cut write fork look write",
    "write fork forget look write",
    "read cut write generation look",
    "read protect write protect write",
    "write protect fork write look look",
)  # what has been found to matter, in the order in which it does
HUGE_PLANS = (
    "off read on read write",
    "read off cut write generation look",
    "read advise read write",
    "read write fork write look cut",
    "read forget drop read",
    "read fork drop leave look",
)
SCARCE_PLANS = ("fill fork write look", "read fill cut write look", "fill cut fill fork look")
ANYTHING = "read read write write write look cut cut protect protect forget fork fork generation map thread exec leave"
HUGE_ANYTHING = " advise drop off on on"


@dataclass(frozen=True)
class Style:
    """What programs are made of: *sizes* of areas in pages, *huge* ones advised, memory that is *scarce*."""

    sizes: tuple[int, ...]
    huge: bool = False
    switch: bool = False
    scarce: bool = False


@dataclass
class Program:
    """A program in *steps*, of actions that belong together, what the reference showed after each, and on what machine."""

    config: dict[str, Any]
    scarce: bool
    steps: list[tuple[Action, ...]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    @property
    def actions(self) -> list[Action]:
        return [action for step in self.steps for action in step]

    def until(self, actions: int) -> list[tuple[Action, ...]]:
        """The steps that hold the first so many *actions*; the last one is cut off there."""
        kept: list[tuple[Action, ...]] = []
        for step in self.steps:
            if actions > 0:
                kept.append(step[:actions])
            actions -= len(step)
        return kept
