"""What a running Linux showed once, kept in a file: for systems that cannot be asked, and to compare with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import actions
from ..actions import Action, in_words
from .observed import LiveObservation

RECORDED = Path(__file__).with_name("recorded.json")
NAMES = ("kernel", "architecture")
Mapping = tuple[str, int, str, int]


@dataclass(frozen=True)
class Recording:
    """What a running Linux showed to scenarios. *where*: its kernel, architecture and settings."""

    where: dict[str, str]
    answers: dict[tuple[str, ...], tuple[list[Action], list[LiveObservation]]]

    def __str__(self) -> str:
        settings = ", ".join(f"{name} {value}" for name, value in self.where.items() if name not in NAMES)
        return f"{self.where['kernel']}, {self.where['architecture']} ({settings})"

    def add(self, scenario: Sequence[Action], seen: list[LiveObservation]) -> None:
        """Write down what was *seen* of *scenario*."""
        self.answers[words(scenario)] = list(scenario), seen

    def of(self, scenario: Sequence[Action]) -> list[LiveObservation] | None:
        """What was seen of *scenario*; None if it was not asked."""
        return self.answers.get(words(scenario), (None, None))[1]

    def write(self, path: Path) -> None:
        """Write it to a file, a scenario a line."""
        lines = [
            _line({"scenario": [*map(_action, scenario)], "seen": _packed(seen)})
            for scenario, seen in self.answers.values()
        ]
        text = f'{{"where": {_line(self.where)},\n"answers": [\n' + ",\n".join(lines) + "\n]}\n"
        path.write_text(text, "utf-8")


def read(path: Path = RECORDED) -> Recording:
    """A recording from a file; the one that comes with the course, if not given."""
    told = json.loads(path.read_text("utf-8"))
    recording = Recording(told["where"], {})
    for each in told["answers"]:
        scenario = [getattr(actions, name)(**_bytes(given)) for name, given in each["scenario"]]
        recording.add(scenario, _unpacked(each["seen"], scenario))
    return recording


def words(scenario: Iterable[Action]) -> tuple[str, ...]:
    """A scenario as something to look it up by."""
    return tuple(map(in_words, scenario))


def _line(what: Any) -> str:
    return json.dumps(what, ensure_ascii=False, separators=(",", ":"))


def _action(action: Action) -> Any:
    defaults = type(action)._field_defaults
    given = {name: value for name, value in action._asdict().items() if value != defaults.get(name, ...)}
    return type(action).__name__, {
        name: {"bytes": value.hex()} if isinstance(value, bytes) else value for name, value in given.items()
    }


def _bytes(given: dict[str, Any]) -> dict[str, Any]:
    return {
        name: bytes.fromhex(value["bytes"]) if isinstance(value, dict) else value
        for name, value in given.items()
    }


def _packed(seen: list[LiveObservation]) -> list[dict[str, Any]]:
    """Observations without their actions; mappings in runs, and left out where they are as they were."""
    before: list[Any] = []
    packed = []
    for each in seen:
        one = {name: value for name, value in vars(each).items() if name != "action"}
        runs = _runs(each.mappings)
        one |= {"unseen": sorted(each.unseen), "mappings": None if runs == before else runs}
        packed.append(one)
        before = runs
    return packed


def _unpacked(packed: list[dict[str, Any]], scenario: list[Action]) -> list[LiveObservation]:
    mappings: list[Mapping] = []
    seen = []
    for action, each in zip(scenario, packed, strict=True):
        if each["mappings"] is not None:
            mappings = [one for run in each["mappings"] for one in _pages(*run)]
        read = [tuple(pair) for pair in each["seen"]] if isinstance(each["seen"], list) else each["seen"]
        more = {"seen": read, "mappings": mappings, "unseen": frozenset(each["unseen"])}
        seen.append(LiveObservation(in_words(action), **{**each, **more}))
    return seen


def _runs(mappings: list[Mapping]) -> list[list[Any]]:
    """Runs of [process, first page, pages, kind, first frame, step from one frame to the next]."""
    runs: list[list[Any]] = []
    for process, page, kind, frame in mappings:
        if runs:
            last = runs[-1]
            step = frame - last[4] if last[2] == 1 else last[5]
            follows = [last[0], last[1] + last[2], last[3], last[4] + last[2] * step]
            if step in (0, 1) and follows == [process, page, kind, frame]:
                last[2], last[5] = last[2] + 1, step
                continue
        runs.append([process, page, 1, kind, frame, 0])
    return runs


def _pages(process: str, first: int, pages: int, kind: str, frame: int, step: int) -> Iterator[Mapping]:
    return ((process, first + n, kind, frame + n * step) for n in range(pages))
