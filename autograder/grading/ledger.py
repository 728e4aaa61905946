"""The ledger: what the judge said, as rows, as outputs of the graded cells, and in the gradebook."""

from __future__ import annotations

import html
import os
import shutil
from pathlib import Path
from typing import Any

from hugezero.check.notebook import EXERCISES
from hugezero.check.report import Report
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from ..course.cells import exercise_of, is_graded
from ..course.layout import Course
from ..judge.results import CellResult
from .results import SubmissionResult
from .stories import fingerprint, stories

KEEP = {"text/plain", "image/png", "image/jpeg"}


def report(row: CellResult) -> Report:
    """Return a result as the student reads it."""
    exercise = EXERCISES.get((row.lab, row.exercise))
    return Report(row.exercise, row.checks, exercise.gained if exercise else "", row.story)


def as_outputs(row: CellResult) -> list[NotebookNode]:
    """Return a result as a graded cell shows it: what was found, and the number that is the score."""
    shown, data = report(row), {}
    notes = [f"A person will look at this: {row.flag}"] if row.flag else []
    notes += [f"Your answer: {row.cell}"] if row.cell and row.cell != row.flag else []
    data["text/html"] = "".join(f"<p><em>{html.escape(note)}</em></p>" for note in notes) + shown.html()
    data["text/plain"] = "\n".join([*notes, str(shown)])
    score = new_output("execute_result", data={"text/plain": repr(float(row.points))}, execution_count=None)
    return [new_output("display_data", data=data), score]


class FromLedger(NbGraderPreprocessor):  # type: ignore[misc]
    """What the kernel printed in a graded cell is dropped; the judge's row takes its place."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        about = resources["nbgrader"]
        rows: dict[str, CellResult] = about["rows"]
        told = stories(Course(Path.cwd().parent), about["notebook"])
        for row in rows.values():
            row.story = told.get(fingerprint(row.exercise, row.checks), "")
        for cell in filter(is_graded, nb.cells):
            row, points = rows[exercise_of(cell)], cell.metadata.nbgrader.points
            if row.max != points:
                row.flag = f"the cell was released with {points:g} points, its checks give {row.max:g}: release again"
                row.points = min(row.points, float(points))
            cell.outputs, cell.execution_count = as_outputs(row), None
        result = SubmissionResult(
            about["student"], about["notebook"], list(nb.metadata["hugezero"]["notes"]), rows
        )
        result.write(Path("ledger", about["student"], f"{about['notebook']}.json"))
        return nb, resources


class Tame(NbGraderPreprocessor):  # type: ignore[misc]
    """What student code displays is kept as text and bitmaps: it is read in a page that holds the grader's token."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        nb.metadata.pop("widgets", None)
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        if cell.cell_type == "code" and not is_graded(cell):
            for output in cell.outputs:
                if "data" in output:
                    output["data"] = {kind: data for kind, data in output["data"].items() if kind in KEEP}
                    output["metadata"] = {}
            cell.outputs = [output for output in cell.outputs if output.get("data", True)]
        return cell, resources


def _is_about(note: str, exercise: str) -> bool:
    """Does a note name the exercise's answer cell, or its check cell?"""
    return not {exercise, f"check_{exercise}"}.isdisjoint(note.replace(":", " ").split())


class Flag(NbGraderPreprocessor):  # type: ignore[misc]
    """A flag shows in the formgrader: the score stands, and a person should look."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        about = resources["nbgrader"]
        key = about["notebook"], about["assignment"], about["student"]
        stamp = os.path.join("submitted", about["student"], about["assignment"], "timestamp.txt")
        if os.path.isfile(stamp) and not os.path.islink(
            stamp
        ):  # nbgrader compares it to see a newer submission
            shutil.copy(stamp, resources["metadata"]["path"])
        notes: list[str] = nb.metadata["hugezero"]["notes"]
        flagged = {name: row.flag for name, row in about["rows"].items() if row.flag}
        if not notes and not flagged:
            return nb, resources
        with Gradebook(about["db_url"]) as gradebook:
            noted = [name for name in about["rows"] if any(_is_about(note, name) for note in notes)]
            for name in {*flagged, *noted}:
                gradebook.find_grade(f"check_{name}", *key).needs_manual_grade = True
            for cell in nb.cells:
                marks = cell.metadata.get("nbgrader", {})
                if marks.get("solution"):
                    name = marks["grade_id"]
                    said = [note for note in notes if not note.startswith("cell ") or _is_about(note, name)]
                    said += [flagged[name]] if name in flagged else []
                    if said:
                        gradebook.find_comment(name, *key).auto_comment = "; ".join(said)
            gradebook.db.commit()
        return nb, resources
