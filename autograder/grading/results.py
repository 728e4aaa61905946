"""What a submission came to: made once it is graded, kept as JSON, and read back as what it was."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..course.layout import Course
from ..judge.results import CellResult


@dataclass
class SubmissionResult:
    """A student's notebook of one lab: a result for each graded cell, by exercise, and notes about all of it.

    Without cells it could not be graded, and the notes say why. *file*: where it is, if not among the submissions.
    """

    student: str
    lab: str
    notes: list[str]
    cells: dict[str, CellResult]
    file: str = ""

    @property
    def points(self) -> float:
        """What it is worth."""
        return float(sum(cell.points for cell in self.cells.values()))

    @property
    def max(self) -> float:
        """What the best one is worth."""
        return float(sum(cell.max for cell in self.cells.values()))

    @property
    def flagged(self) -> bool:
        """Should a person look at it?"""
        return bool(self.notes) or any(cell.flag for cell in self.cells.values())

    def as_json(self) -> dict[str, Any]:
        """Return it as what JSON has."""
        cells = {name: asdict(cell) for name, cell in self.cells.items()}
        found = {"student": self.student, "lab": self.lab, "points": self.points, "max": self.max,
                 "notes": self.notes, "cells": cells}  # fmt: skip
        return {**found, "file": self.file} if self.file else found

    def write(self, path: Path) -> None:
        """Keep it in *path*."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> SubmissionResult:
        """Return what is kept in *path*; raise OSError or ValueError if that is not there, or was cut off."""
        found = json.loads(path.read_text("utf-8"))
        try:
            cells = {name: CellResult.from_json(cell) for name, cell in found["cells"].items()}
            return cls(found["student"], found["lab"], found["notes"], cells, found.get("file", ""))
        except (KeyError, TypeError) as wrong:
            raise ValueError(f"{path} is no ledger: {wrong}") from wrong


def graded(course: Course, stem: str) -> dict[str, SubmissionResult]:
    """Return what was graded of a lab, by student; raise ValueError if nothing was."""
    files = sorted((course.build / "ledger").glob(f"*/{stem}.json"))
    if not files:
        raise ValueError(f"nothing of {stem} has been graded: python -m autograder grade {stem}")
    return {file.parent.name: SubmissionResult.read(file) for file in files}
