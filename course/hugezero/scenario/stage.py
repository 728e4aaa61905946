"""What a simulated machine and the running one have in common when they carry out a scenario."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from .actions import ACTIONS, Action, DropCaches, UseZeroPage, in_words, what_is_wrong

WHOLE_MACHINE = (DropCaches, UseZeroPage)  # whoever does it, it is about no process
ADVICE = ("dontneed", "hugepage", "nohugepage")
SNAPSHOT_PAGES = 4096  # the tables of larger programs are not written down action by action


class NotAScenario(ValueError):
    """A list that is no scenario: a process, an area or an action that does not exist."""


@dataclass(frozen=True)
class Observation:
    """What could be seen after one action.

    *seen*: what it gave (bytes read, as (byte, times) runs; the name of an error; else None).
    *rss* pages and *faults* so far, by process. *vmstat*: how the machine's counters have changed since
    the program began. *mappings*: (process, page of the address space, kind, frame), where equal frames
    have equal numbers.
    """

    action: str
    seen: Any
    rss: dict[str, int]
    faults: dict[str, int]
    vmstat: dict[str, int]
    mappings: list[tuple[str, int, str, int]] = field(default_factory=list)


class Stage:
    """Where scenarios are played: a machine with one process, "main". It has a method for each action, _mmap for Mmap."""

    actions: Any = ACTIONS  # classes: what it can do
    whole_machine: Any = WHOLE_MACHINE

    def __init__(self) -> None:
        self.areas: dict[str, tuple[int, int]] = {}  # address and length in bytes, by name
        self.unborn: set[str] = set()  # who will never act: children of a fork that failed

    def names(self) -> Collection[str]:
        """The processes that live."""
        raise NotImplementedError

    def do(self, action: Any) -> Observation:
        """Do one action; gives what can be observed after it."""
        if not isinstance(action, self.actions):
            names = ", ".join(kind.__name__ for kind in self.actions)
            raise NotAScenario(f"{action!r} is no action: use {names}")
        wrong = what_is_wrong(action) or _out_of_range(action)
        if wrong:
            raise NotAScenario(wrong)
        if action.by in self.unborn:
            return self._observation(in_words(action), "no such process")
        if action.by not in self.names() and not isinstance(action, self.whole_machine):
            raise NotAScenario(
                f"{in_words(action)}: there is no process {action.by!r}, only {', '.join(self.names())}"
            )
        return self._observation(in_words(action), self._carry_out(action))

    def _carry_out(self, action: Any) -> Any:
        """Do *action*, which makes sense so far; gives what was seen of it."""
        return getattr(self, f"_{type(action).__name__.lower()}")(action)

    def _observation(self, action: str, seen: Any) -> Observation:
        raise NotImplementedError

    def _span(self, action: Any) -> tuple[int, int]:
        if action.area not in self.areas:
            raise NotAScenario(f"{in_words(action)}: no area is called {action.area!r}; map it first")
        address, size = self.areas[action.area]
        return address + action.offset, action.length or size - action.offset

    def _new_name(self, action: Action, name: str) -> None:
        if name in self.names():
            raise NotAScenario(f"{in_words(action)}: there is a process {name!r} already")


def _out_of_range(action: Any) -> str | None:
    """What is wrong with a number or a word of *action*; None if nothing is."""
    if getattr(action, "step", 1) < 1:
        return f"{in_words(action)}: a step of {action.step} bytes leads nowhere"
    if getattr(action, "advice", "dontneed") not in ADVICE:
        return f"{in_words(action)}: advice is one of {', '.join(ADVICE)}"
    if isinstance(action, DropCaches) and action.level not in (1, 2, 3):
        return f"{in_words(action)}: the level is 1 (pages), 2 (what shrinkers hold) or 3 (both)"
    return None
