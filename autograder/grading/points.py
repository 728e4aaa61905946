"""Points by exercise and check as a table, for a spreadsheet or a learning management system."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from nbgrader.api import Gradebook, MissingEntry

from ..course.layout import Course
from .results import SubmissionResult

COLUMNS = (
    "student", "lab", "exercise", "check", "hidden", "points", "max", "voice", "manual", "late_seconds", "flag"
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would calculate


def write(course: Course, found: Mapping[str, SubmissionResult], to: TextIO) -> int:
    """Write a row for each check of what was *found*, by student, to *to*, as CSV; return how many.

    *manual* points are those that a person gave the exercise in the formgrader, on its first row, and
    *late_seconds* how long after its due date the submission was handed in, if it has one.
    """
    table = csv.DictWriter(to, COLUMNS)
    table.writeheader()
    n = 0
    with Gradebook(f"sqlite:///{course.build / 'gradebook.db'}") as gradebook:
        for student, result in found.items():
            for row in _of_one(gradebook, student, result):
                table.writerow({key: _tame(value) for key, value in row.items()})
                n += 1
    return n


def _tame(value: Any) -> Any:
    """*value*, which no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _of_one(gradebook: Any, student: str, found: SubmissionResult) -> Iterator[dict[str, Any]]:
    try:
        submission = gradebook.find_submission(found.lab, student)
        late = round(submission.total_seconds_late)
        manual = {
            grade.cell.name.removeprefix("check_"): grade.manual_score
            for notebook in submission.notebooks
            for grade in notebook.grades
        }
    except MissingEntry:
        late, manual = "", {}
    for exercise, row in found.cells.items():
        given = manual.get(exercise)
        for n, check in enumerate(row.checks):
            yield {
                "student": student, "lab": found.lab, "exercise": exercise, "check": check.name,
                "hidden": "yes" if check.hidden else "", "points": f"{check.points:g}",
                "max": f"{check.max:g}", "voice": check.voice,
                "manual": "" if given is None or n else f"{given:g}", "late_seconds": late, "flag": row.flag,
            }  # fmt: skip
