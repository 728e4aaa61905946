"""Add to a lab's notebook the cells that its exercises need, out of what its reference and its checks say."""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from .answers import STUB, heads
from .cells import exercise_of, is_graded
from .layout import Course

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def add_cells(course: Course, stem: str) -> list[str]:
    """Write what is missing into the notebook *stem*, at its end; return the exercises that got cells.

    A check's cell is given the points of its checks. A notebook that is not there is made, with a
    heading and the cell that begins a lab.
    """
    path = course.root / "course" / f"{stem}.ipynb"
    notebook = nbformat.read(path, 4) if path.is_file() else _begun(course, stem)
    reference, added = heads(course.solution(stem).read_text("utf-8")), []
    graded = {exercise_of(cell): cell for cell in filter(is_graded, notebook.cells)}
    for name, checks in course.checks(stem).items():
        if name not in graded:
            if name not in reference:
                raise ValueError(f"{name} has checks, and no function of this name in solutions/{stem}.py")
            answer, graded[name] = _answer(name, reference[name]), _graded(name)
            notebook.cells += [new_markdown_cell(f"## {name}", id=f"about_{name}"), answer, graded[name]]
            added.append(name)
        points = sum(check.points for check in checks)
        graded[name].metadata.nbgrader["points"] = int(points) if points == int(points) else points
    path.write_text(nbformat.writes(notebook, 4) + "\n", encoding="utf-8")
    return added


def _begun(course: Course, stem: str) -> NotebookNode:
    number, _, title = stem.removeprefix("lab").partition("_")
    earlier = [other.partition("_")[0] for other in course.solved() if other < stem][1:]
    imports = ["from hugezero.notebook import *", *(f"from given_{lab} import *" for lab in earlier)]
    setup = "\n".join([*imports, "", f"LAB = {number}  # which lab this is: check() asks"])
    heading = f"# Lab {number} · {title.replace('_', ' ').capitalize()}"
    cells = [new_markdown_cell(heading, id="title"), new_code_cell(setup, id="setup")]
    return new_notebook(cells=cells, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})


def _cell(grade_id: str, source: str, **marks: bool) -> NotebookNode:
    cell = new_code_cell(source, id=grade_id)
    cell.metadata["nbgrader"] = {"grade_id": grade_id, "schema_version": 3, "task": False, **marks}
    return cell


def _answer(name: str, head: str) -> NotebookNode:
    return _cell(name, f"{head}\n{STUB}", grade=False, locked=False, solution=True)


def _graded(name: str) -> NotebookNode:
    return _cell(f"check_{name}", f'check("{name}")', grade=True, locked=True, solution=False)
