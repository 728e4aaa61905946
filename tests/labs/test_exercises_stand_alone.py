"""Each exercise stands for itself: after a restart, the first cell and its own are all that it needs."""

import linecache

import nbformat
import pytest

from autograder.course.layout import Course, functions, source_of

COURSE = Course()


def exercises():
    for stem in COURSE.stems():
        notebook = nbformat.read(COURSE.root / "course" / f"{stem}.ipynb", 4)
        names = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells}
        first = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
        text = COURSE.solution(stem).read_text("utf-8")
        for name in functions(text):
            if name in names:
                yield pytest.param(first, name, source_of(text, name), id=f"{stem}-{name}")


def cell(namespace, source, name):
    """Run a cell as Jupyter does: with a text that can be looked up."""
    linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
    exec(compile(source, name, "exec"), namespace)


@pytest.mark.parametrize(("first", "name", "answer"), list(exercises()))
def test_after_a_restart_its_own_cell_is_enough(first, name, answer, capsys):
    namespace = {"__name__": "__main__"}
    cell(namespace, first, "<first>")
    cell(namespace, answer, f"<{name}>")
    cell(namespace, f"points = check({name!r})", "<check>")
    said = capsys.readouterr().out
    assert "Done." in said and "✗" not in said, said
