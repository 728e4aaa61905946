"""What a graded cell came to: made by the judge, and read back as what it was wherever it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hugezero.check.checks import Check, Result


@dataclass
class CellResult:
    """The points of one exercise, and what each of its checks said.

    *flag*: why a person should look. *story*: of the known mistake that it fails like. *cell*: what the
    student's own cell ended with, if that was an error.
    """

    exercise: str
    lab: str
    points: float
    max: float
    flag: str
    story: str
    checks: list[Result]
    cell: str = ""

    @classmethod
    def unseen(cls, exercise: str, checks: Iterable[Check], flag: str) -> CellResult:
        """Return what a cell is worth of which nothing was seen: nothing."""
        results = [check.result("not run", flag) for check in checks]
        lab = next((check.lab for check in checks), "")
        return cls(exercise, lab, 0.0, sum(result.max for result in results), flag, "", results)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> CellResult:
        """Return what `dataclasses.asdict` made *found* of."""
        return cls(**{**found, "checks": [Result(**check) for check in found["checks"]]})
