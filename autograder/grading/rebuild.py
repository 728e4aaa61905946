"""Rebuilds the released notebook around the answers of a submission."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor

from .reading import CONFLICT, marks


def _text(cell: Any) -> str:
    source = cell.get("source", "")
    return (
        source if isinstance(source, str) else "".join(map(str, source if isinstance(source, list) else []))
    )


def _definitions(text: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Functions and classes that a cell defines at its top level; none if it cannot be parsed."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]


class _Places:
    """Which cell of the released notebook each cell of a submission is."""

    def __init__(self, released: NotebookNode) -> None:
        self.cells = released.cells
        self.by_grade_id = {
            marks(c)["grade_id"]: i for i, c in enumerate(self.cells) if marks(c).get("grade_id")
        }
        self.by_id = {c["id"]: i for i, c in enumerate(self.cells) if "id" in c}
        self.by_text = {_text(c): i for i, c in enumerate(self.cells) if not marks(c) and _text(c).strip()}
        self.answers = {
            name: i
            for name, i in self.by_grade_id.items()
            if utils.is_solution(self.cells[i]) and self.cells[i].cell_type == "code"
        }

    def find(self, cell: Any) -> int | None:
        """Return the place of a cell by its name, its id, or its text; None if it is none of the course's."""
        grade_id, id = marks(cell).get("grade_id"), cell.get("id")
        if isinstance(grade_id, str) and grade_id in self.by_grade_id:
            return self.by_grade_id[grade_id]
        if isinstance(id, str) and id in self.by_id:
            return self.by_id[id]
        return self.by_text.get(_text(cell))

    def all(self, cells: Iterable[Any]) -> list[int | None]:
        """Return the place of each cell; an answer that has lost its name and its id is known by what it defines."""
        cells = list(cells)
        places = [self.find(cell) for cell in cells]
        lost = {name: i for name, i in self.answers.items() if i not in places}
        for number, cell in enumerate(cells):
            if places[number] is None and cell.get("cell_type") == "code":
                names = [node.name for node in _definitions(_text(cell))]
                places[number] = next((lost[name] for name in names if name in lost), None)
        return places


def rebuild(released: NotebookNode, submitted: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """Return *released* with the answers and the extra code cells of *submitted*, in their order.

    Also what was found to be wrong with the submission, a sentence each. What runs from top to bottom
    in the student's notebook runs here: of an answer in two cells both are kept.
    """
    known, notes = _Places(released), []
    found: dict[int, list[Any]] = {}
    order: list[int] = []
    before: dict[int, list[str]] = {}  # code that runs ahead of the cell in a place
    last = -1
    for cell, place in zip(submitted.cells, known.all(submitted.cells), strict=True):
        grade_id, text = marks(cell).get("grade_id"), _text(cell)
        if grade_id is not None and grade_id not in known.by_grade_id and place is None:
            notes.append(f"cell {str(grade_id)[:80]!r} is unknown")
        if place is None:
            if cell.get("cell_type") == "code" and text.strip():
                before.setdefault(last + 1, []).append(text)
            continue
        wanted = marks(released.cells[place])
        notes += _about(cell, wanted, known)
        if not wanted:
            before.setdefault(place, []).extend(_helpers(released.cells[place], text, known))
        found.setdefault(place, []).append(cell)
        order.append(place)
        last = place
    if list(dict.fromkeys(order)) != sorted(set(order)):
        notes.append("cells were moved: they run in the order of the course")
    for place, cell in enumerate(released.cells):
        if marks(cell).get("grade_id"):
            *earlier, submission = found.get(place, [None])
            before.setdefault(place, []).extend(_twice(cell, earlier, notes))
            _take(cell, submission, notes)
    cells: list[NotebookNode] = []
    for place, cell in enumerate([*released.cells, None]):
        cells += map(nbformat.v4.new_code_cell, before.get(place, []))
        cells += [cell] if cell is not None else []
    for number, cell in enumerate(cells):
        if cell.cell_type == "code" and not any(cell is known for known in released.cells):
            cell["id"] = f"extra-{number}"  # the same bytes every time
    released.cells = cells
    return released, notes


def _about(cell: Any, wanted: dict[str, Any], known: _Places) -> list[str]:
    """What is odd about the marks of a cell that should have those *wanted*."""
    mine = marks(cell)
    if not wanted:
        return []
    name = wanted["grade_id"]
    if mine.get("grade_id") != name:
        by = "its id" if known.find(cell) is not None else "what it defines"
        return [f"cell {name} has lost its name: it was known by {by}"]
    if any(mine.get(key) != wanted.get(key) for key in ("solution", "grade", "locked", "points")):
        return [f"cell {name}: its settings were edited; the course's are used"]
    return []


def _helpers(released: NotebookNode, text: str, known: _Places) -> list[str]:
    """What a student has defined in a cell of the course: kept, unless it is an exercise or was there before."""
    if released.cell_type != "code" or text == released.source:
        return []
    there = {node.name for node in _definitions(released.source)} | known.answers.keys()
    return [ast.unparse(node) for node in _definitions(text) if node.name not in there]


def _twice(cell: NotebookNode, earlier: list[Any], notes: list[str]) -> list[str]:
    """The texts of an answer's cells ahead of its last one."""
    if not earlier:
        return []
    name, often = marks(cell)["grade_id"], "twice" if len(earlier) == 1 else f"{len(earlier) + 1} times"
    if not utils.is_solution(cell) or cell.cell_type != "code":
        notes.append(f"cell {name} is there {often}: the last one counts")
        return []
    notes.append(f"cell {name} is there {often}: one runs after the other")
    return [_text(each) for each in earlier]


def _take(cell: NotebookNode, submitted: Any, notes: list[str]) -> None:
    """Put the text of *submitted* into the released *cell*, if that is an answer."""
    name = marks(cell)["grade_id"]
    if submitted is None:
        notes.append(f"cell {name} is missing")
        return
    if submitted.get("cell_type") != cell.cell_type:
        notes.append(f"cell {name} was made a {str(submitted.get('cell_type'))[:20]} cell")
    if utils.is_solution(cell):
        cell.source = _text(submitted)
        if CONFLICT.search(cell.source):
            notes.append(f"cell {name} holds marks of a merge that git could not do: choose one of the two")
    elif _text(submitted) != cell.source:
        notes.append(f"cell {name} is locked and was edited; the course's is used")


class Rebuild(NbGraderPreprocessor):  # type: ignore[misc]
    """The released notebook, with the text of the submission's answers and extra code cells, nothing else of it."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        course, about = self.parent.parent.coursedir, resources["nbgrader"]
        folder = course.format_path(course.release_directory, ".", about["assignment"])
        released = nbformat.read(os.path.join(folder, about["notebook"] + ".ipynb"), 4)
        broken = resources["hugezero_broken"]
        notes = [broken]
        if not broken:
            released, notes = rebuild(released, nb)
            notes = resources["hugezero_notes"] + notes
        released.metadata["hugezero"] = {"notes": notes, "broken": broken}
        return released, resources
