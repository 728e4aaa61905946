"""Makes submissions: a released notebook with answers in it, in the place where nbgrader looks."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from ..course.layout import Course, functions, source_of

DATE = "2026-01-02 03:04:05 UTC"


def released(course: Course, stem: str) -> NotebookNode:
    return nbformat.read(course.build / "release" / stem / f"{stem}.ipynb", 4)


def answered(notebook: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """A copy of *notebook* with these texts in its answer cells."""
    made = copy.deepcopy(notebook)
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in made.cells}
    for name, text in answers.items():
        if name not in cells:
            raise KeyError(
                f"the notebook has no answer cell {name!r}; it has {', '.join(filter(None, cells))}"
            )
        cells[name].source = text.rstrip("\n")
    return made


def reference_answers(course: Course, stem: str) -> dict[str, str]:
    """The reference's text for every answer cell, by exercise."""
    text = course.solution(stem).read_text("utf-8")
    names = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in released(course, stem).cells}
    return {name: source_of(text, name) for name in functions(text) if name in names}


def submit(course: Course, student: str, stem: str, notebook: NotebookNode | bytes, date: str = DATE) -> Path:
    """Hand in a notebook, or bytes that are none."""
    folder = course.build / "submitted" / student / stem
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.ipynb"
    if isinstance(notebook, bytes):
        path.write_bytes(notebook)
    else:
        path.write_text(nbformat.writes(notebook, 4) + "\n", encoding="utf-8")
    (folder / "timestamp.txt").write_text(date, encoding="utf-8")
    return path
