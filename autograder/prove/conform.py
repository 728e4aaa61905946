"""Running Linux against the reference and a recording: scenario by scenario, the first thing that is not seen alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from hugezero.check.checks import Failed
from hugezero.machine import Kernel
from hugezero.scenario import Action, NotAScenario, Simulated, in_words
from hugezero.scenario.live.causes import REASONS, cause_of
from hugezero.scenario.live.comparing import Difference, first_difference
from hugezero.scenario.live.examples import EXAMPLES
from hugezero.scenario.live.here import Unavailable, in_the_way, where_asked
from hugezero.scenario.live.learned import AsLinux
from hugezero.scenario.live.observed import LiveObservation
from hugezero.scenario.live.recording import Recording, read

MEMORY: dict[str, Any] = {
    "pages": 1 << 19,
    "log": False,
}  # of the simulated machine: 2 GiB, more than any scenario needs
TRIES = 3  # what differs once and not again was something else on this machine
Shrink = Callable[[Callable[[list[Action]], None], Sequence[tuple[Action, ...]], bool], None]


class Unlike(NamedTuple):
    """A difference without a cause: the smallest program that shows it, and what it shows."""

    name: str
    program: list[Action]
    words: str

    def __str__(self) -> str:
        return "\n  ".join([f"{self.name}: {self.words}", *map(in_words, self.program)])


@dataclass
class Tally:
    """What became of the scenarios: as on the reference, otherwise for known causes, not asked, unlike."""

    same: int = 0
    known: Counter[str] = field(default_factory=Counter)
    explained: int = 0
    not_asked: Counter[str] = field(default_factory=Counter)
    unlike: list[Unlike] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The tally in words."""
        asked = self.same + self.explained + len(self.unlike)
        yields = [
            f"{asked} scenarios: {self.same} as on the reference, {self.explained} otherwise for known causes, "
            f"{len(self.unlike)} otherwise without one; {self.not_asked.total()} not asked"
        ]
        yields += [f"  {times} not asked: {why}" for why, times in self.not_asked.most_common()]
        yields += [f"  {times} by {name}: {REASONS[name]}" for name, times in self.known.most_common()]
        return yields + [f"UNLIKE {one}" for one in self.unlike]


@dataclass
class Asked:
    """A Linux: running, or as it was recorded. *told*: which one it is, and what can be seen of it."""

    ask: Callable[[Sequence[Action]], list[LiveObservation]]
    told: str
    recording: Recording | None = None  # what one showed before; None if this is the recording


@contextmanager
def kernel(change_settings: bool, without: Iterable[str]) -> Iterator[Asked]:
    """The running Linux; where it cannot be asked, a recording, which is then compared with the reference alone."""
    recording = read()
    try:
        if why := in_the_way():
            raise Unavailable(why)
        from hugezero.scenario.live.linux import Linux

        linux = Linux(change_settings, without)
    except Unavailable as why:
        yield Asked(partial(_recorded, recording), f"RECORDED on {recording}, since here {why}")
        return
    with linux:
        yield Asked(linux.run, f"{Recording(where_asked(), {})}\n{linux.can}", recording)


def _recorded(recording: Recording, scenario: Sequence[Action]) -> list[LiveObservation]:
    seen = recording.of(scenario)
    if seen is None:
        raise Unavailable("it has not been recorded")
    return seen


class Conform:
    """Compares a Linux with a *reference*, and keeps the tally."""

    def __init__(self, asked: Asked, reference: Kernel, shrink: Shrink) -> None:
        self.asked, self.reference, self.shrink = asked, reference, shrink
        self.tally = Tally()

    def all(self, scenarios: Iterable[tuple[str, list[Action]]], tell: Callable[[], None]) -> Tally:
        """Compare each of *scenarios*, which have names; *tell* is called after each."""
        for name, scenario in scenarios:
            try:
                self._one(name, scenario)
            except Unavailable as why:
                self.tally.not_asked[str(why)] += 1
            tell()
        return self.tally

    def _one(self, name: str, scenario: list[Action]) -> None:
        found, program, causes = None, scenario, set[str]()
        for _ in range(TRIES):
            before = found
            live = self.asked.ask(scenario)
            found, causes = self._difference(scenario, live)
            if found is None or found == before:
                break
        recorded = self.asked.recording and self.asked.recording.of(scenario)
        if recorded and (unlike := first_difference(live, recorded)):
            self.tally.unlike.append(
                Unlike(name, scenario[: unlike.at + 1], f"unlike the recording: {unlike.words}")
            )
        elif found is not None:
            program = scenario[: found.at + 1]
            cause = cause_of(program, found)
            if cause is None:
                program, found = self._smallest(program, found)
                cause = cause_of(program, found, smallest=True)
            if cause is None:
                self.tally.unlike.append(Unlike(name, program, found.words))
                return
            causes.add(cause)
        self.tally.known.update(causes)
        self.tally.explained += bool(causes)
        self.tally.same += not causes

    def _difference(
        self, scenario: list[Action], live: list[LiveObservation]
    ) -> tuple[Difference | None, set[str]]:
        """What is left when the simulated machine has learned what it can, and which causes that needed."""
        if first_difference(live, Simulated(self.reference, **MEMORY).run(scenario)) is None:
            return None, set()
        machine = AsLinux(self.reference, **MEMORY)
        return first_difference(live, machine.run(scenario)), machine.learned

    def _smallest(self, program: list[Action], found: Difference) -> tuple[list[Action], Difference]:
        smallest = program, found

        def look(smaller: list[Action]) -> None:
            nonlocal smallest
            try:
                left, _ = self._difference(smaller, self.asked.ask(smaller))
            except Unavailable as why:
                raise NotAScenario(str(why)) from None
            if left is not None:
                smallest = smaller[: left.at + 1], left
                raise Failed(left.words)

        with suppress(Failed):  # it ends so: with the smallest one that still differs
            self.shrink(look, [(action,) for action in program], False)
        return smallest


def record(asked: Asked, path: Path) -> None:
    """Write down in a file what *asked* shows to the examples; raises Unavailable where it cannot."""
    if asked.recording is None:
        raise Unavailable(f"this is a recording already: {asked.told}")
    recording = Recording(where_asked(), {})
    for scenario in EXAMPLES.values():
        recording.add(scenario, asked.ask(scenario))
    recording.write(path)
