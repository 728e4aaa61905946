"""Reads what was handed in, whatever it is, and rebuilds the released notebook around its answers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor

LARGEST = 20 << 20  # bytes of a notebook


class NotANotebook(ValueError):
    """What was handed in cannot be read; the text says why and what to do."""


def read(path: str | Path) -> NotebookNode:
    """The notebook in *path*; NotANotebook if it is none."""
    path = Path(path)
    if path.is_symlink() or not path.is_file():
        raise NotANotebook(f"{path.name} is a link or a folder, not a file: hand in the notebook itself")
    size = path.stat().st_size
    if size > LARGEST:
        raise NotANotebook(
            f"{path.name} has {size >> 20} MiB, and at most {LARGEST >> 20} are read: clear its outputs and save it again"
        )
    try:
        found = nbformat.reads(path.read_text("utf-8"), as_version=nbformat.NO_CONVERT)
        cells = found["cells"] if found.get("nbformat", 0) >= 4 else None
    except Exception as wrong:
        raise NotANotebook(
            f"{path.name} is not a notebook ({type(wrong).__name__}): {str(wrong)[:200]}"
        ) from None
    if found.get("nbformat") != 4 or not isinstance(cells, list):
        raise NotANotebook(
            f"{path.name} is a notebook of version {found.get('nbformat')}, not 4: open it in JupyterLab and save it again"
        )
    if not all(isinstance(cell, dict) for cell in cells):
        raise NotANotebook(f"{path.name} has a cell that is no cell: open it in JupyterLab and save it again")
    return found


def _metadata(cell: Any) -> dict[str, Any]:
    found = cell.get("metadata")
    found = found.get("nbgrader") if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _text(cell: Any) -> str:
    source = cell.get("source", "")
    return (
        source if isinstance(source, str) else "".join(map(str, source if isinstance(source, list) else []))
    )


class _Places:
    """Which cell of the released notebook each cell of a submission is."""

    def __init__(self, released: NotebookNode) -> None:
        self.cells = released.cells
        self.by_grade_id = {
            _metadata(c)["grade_id"]: i for i, c in enumerate(self.cells) if _metadata(c).get("grade_id")
        }
        self.by_id = {c["id"]: i for i, c in enumerate(self.cells) if "id" in c}
        self.by_text = {
            _text(c): i for i, c in enumerate(self.cells) if not _metadata(c) and _text(c).strip()
        }

    def find(self, cell: Any) -> int | None:
        grade_id, id = _metadata(cell).get("grade_id"), cell.get("id")
        if isinstance(grade_id, str) and grade_id in self.by_grade_id:
            return self.by_grade_id[grade_id]
        if isinstance(id, str) and id in self.by_id:
            return self.by_id[id]
        return self.by_text.get(_text(cell))


def rebuild(released: NotebookNode, submitted: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """*released* with the text of the answers and of the extra code cells of *submitted*.

    Also gives what was found to be wrong with the submission, a sentence each.
    """
    places, notes = _Places(released), []
    found: dict[int, Any] = {}
    order: list[int] = []
    extra: dict[int, list[str]] = {}
    last = -1
    for cell in submitted.cells:
        place, text = places.find(cell), _text(cell)
        grade_id = _metadata(cell).get("grade_id")
        if place is None:
            if grade_id is not None:
                notes.append(f"cell {str(grade_id)[:80]!r} is unknown")
            if cell.get("cell_type") == "code" and text.strip():
                extra.setdefault(last, []).append(text)
            continue
        wanted = _metadata(released.cells[place])
        if place in found and wanted:
            notes.append(f"cell {wanted['grade_id']} is there twice: the last one counts")
        if wanted and grade_id != wanted["grade_id"]:
            notes.append(f"cell {wanted['grade_id']} has lost its name: it was known by its id")
        elif wanted and any(
            _metadata(cell).get(k) != wanted.get(k) for k in ("solution", "grade", "locked", "points")
        ):
            notes.append(f"cell {wanted['grade_id']}: its settings were edited; the course's are used")
        found[place], last = cell, place
        order.append(place)
    if list(dict.fromkeys(order)) != sorted(set(order)):
        notes.append("cells were moved: they run in the order of the course")
    for place, cell in enumerate(released.cells):
        if _metadata(cell).get("grade_id"):
            _take(cell, found.get(place), notes)
    cells = list(map(nbformat.v4.new_code_cell, extra.get(-1, [])))
    for place, cell in enumerate(released.cells):
        cells += [cell, *map(nbformat.v4.new_code_cell, extra.get(place, []))]
    for number, cell in enumerate(cells):
        if cell.cell_type == "code" and not any(cell is known for known in released.cells):
            cell["id"] = f"extra-{number}"  # the same bytes every time
    released.cells = cells
    return released, notes


def _take(cell: NotebookNode, submitted: Any, notes: list[str]) -> None:
    """Put the text of *submitted* into the released *cell*, if that is an answer."""
    name = _metadata(cell)["grade_id"]
    if submitted is None:
        notes.append(f"cell {name} is missing")
        return
    if submitted.get("cell_type") != cell.cell_type:
        notes.append(f"cell {name} was made a {str(submitted.get('cell_type'))[:20]} cell")
    if utils.is_solution(cell):
        cell.source = _text(submitted)
    elif _text(submitted) != cell.source:
        notes.append(f"cell {name} is locked and was edited; the course's is used")


class Reader(NotebookExporter):
    """Reads whatever was handed in; what is no notebook becomes an empty one, with the reason."""

    def from_filename(self, filename: str, resources: Any = None, **kwargs: Any) -> Any:
        broken = ""
        try:
            found = read(filename)
        except NotANotebook as wrong:
            found, broken = nbformat.v4.new_notebook(), str(wrong)
        except OSError as wrong:
            found, broken = (
                nbformat.v4.new_notebook(),
                f"{os.path.basename(filename)} cannot be read: {wrong.strerror}",
            )
        resources = {**(resources or {}), "hugezero_broken": broken}
        resources.setdefault("metadata", {})
        resources["metadata"] = {"name": Path(filename).stem, "path": os.path.dirname(filename)}
        return self.from_notebook_node(found, resources=resources, **kwargs)  # type: ignore[no-untyped-call]


class Rebuild(NbGraderPreprocessor):  # type: ignore[misc]
    """The released notebook, with the text of the submission's answers and extra code cells, nothing else of it."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        course, about = self.parent.parent.coursedir, resources["nbgrader"]
        folder = course.format_path(course.release_directory, ".", about["assignment"])
        released = nbformat.read(os.path.join(folder, about["notebook"] + ".ipynb"), 4)
        broken = resources["hugezero_broken"]
        if broken:
            notes = [broken]
        else:
            released, notes = rebuild(released, nb)
        released.metadata["hugezero"] = {"notes": notes, "broken": broken}
        return released, resources
