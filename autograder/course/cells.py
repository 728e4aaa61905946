"""What the cells of a lab's notebook are."""

from __future__ import annotations

from nbformat import NotebookNode
from nbgrader import utils


def is_graded(cell: NotebookNode) -> bool:
    return bool(utils.is_grade(cell) and cell.cell_type == "code" and not utils.is_solution(cell))


def exercise_of(cell: NotebookNode) -> str:
    """Return the exercise that a graded cell is about."""
    name: str = cell.metadata.nbgrader.grade_id
    return name.removeprefix("check_")
