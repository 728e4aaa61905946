"""What came out of a run over many submissions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from autograder.course.layout import Course
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

    def ledger(self, student: str) -> dict[str, Any]:
        path = self.course.build / "ledger" / student / f"{toy.STEM}.json"
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found

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
        row = found["cells"][exercise]
        return "\n".join(
            [*found["notes"], row["flag"], row.get("cell", ""), *(c["why"] for c in row["checks"])]
        )
