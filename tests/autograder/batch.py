"""What came out of a run over many submissions."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook

from autograder.course.layout import Course
from autograder.grading.results import SubmissionResult
from tests.autograder import toy


def run(course: Course, *command: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in build/, as an instructor would."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    surroundings = {**os.environ, "PATH": programs, **(env or {})}
    return subprocess.run(
        command, cwd=course.build, env=surroundings, capture_output=True, text=True, timeout=500, check=False
    )


@dataclass
class Graded:
    """What came out of one run of `nbgrader autograde`."""

    course: Course
    log: str

    def ledger(self, student: str) -> SubmissionResult:
        return SubmissionResult.read(self.course.build / "ledger" / student / f"{toy.STEM}.json")

    def score(self, student: str) -> float:
        """The points in nbgrader's gradebook."""
        with Gradebook(f"sqlite:///{self.course.build / 'gradebook.db'}") as gradebook:
            return float(gradebook.find_submission(toy.STEM, student).score)

    def needs_a_look(self, student: str) -> bool:
        with Gradebook(f"sqlite:///{self.course.build / 'gradebook.db'}") as gradebook:
            return bool(gradebook.find_submission(toy.STEM, student).needs_manual_grade)

    def said(self, student: str, exercise: str = "put_coins") -> str:
        """All that the ledger says to a student about an exercise, and about the notebook."""
        found = self.ledger(student)
        row = found.cells[exercise]
        return "\n".join([*found.notes, row.flag, row.cell, *(check.why for check in row.checks)])
