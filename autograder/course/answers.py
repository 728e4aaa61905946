"""Hold a course notebook and its reference together.

A notebook in course/ is nbgrader's source as it is, so an answer cell holds what students get: a stub, or,
in a cell tagged `repair`, code with a planted bug. Its signature and docstring are the reference's.
"""

from __future__ import annotations

import ast
import copy
import textwrap

from nbformat import NotebookNode

from .layout import functions

STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()"
ESSAY = "YOUR ANSWER HERE"


class Drift(ValueError):
    """The notebook and the reference no longer fit together; the text shows both."""


def _head(function: ast.FunctionDef) -> str:
    bare = ast.FunctionDef(**{**vars(function), "body": [ast.Pass()], "decorator_list": []})
    head = ast.unparse(bare).rpartition("\n")[0]
    doc = ast.get_docstring(function, clean=False)
    return head if doc is None else f'{head}\n    """{doc}"""'


def _split(text: str, function: ast.FunctionDef) -> tuple[str, str]:
    """Return the lines of a function's signature and docstring, and those of its body."""
    lines = text.splitlines()
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    if documented and first.end_lineno is not None:
        cut = first.end_lineno
    else:
        cut = first.lineno - 1
        while cut and lines[cut - 1].strip().startswith("#"):
            cut -= 1
    return "\n".join(lines[function.lineno - 1 : cut]), "\n".join(lines[cut : function.end_lineno])


def heads(solution: str) -> dict[str, str]:
    """Return the signature and docstring of each function of *solution*, as they are written there."""
    return {name: _split(solution, node)[0] for name, node in functions(solution).items()}


def is_repair(cell: NotebookNode) -> bool:
    return "repair" in cell.metadata.get("tags", [])


def _answers(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """Return the cells that a student answers in, by exercise."""
    cells = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    return {cell.metadata.nbgrader.grade_id: cell for cell in cells}


def compare(notebook: NotebookNode, solution: str) -> None:
    """Raise Drift where an answer cell of *notebook* is not the start of what *solution* ends in."""
    reference = functions(solution)
    for name, cell in _answers(notebook).items():
        if cell.cell_type == "code":
            _compare(name, cell, reference)
        elif cell.source != ESSAY:
            raise Drift(f"{name}: a written answer starts as {ESSAY!r}; what is there now would be lost")


def _compare(name: str, cell: NotebookNode, reference: dict[str, ast.FunctionDef]) -> None:
    try:
        mine = functions(cell.source)
    except SyntaxError as wrong:
        raise Drift(f"{name}: the answer cell is not Python: {wrong}") from None
    if list(mine) != [name]:
        raise Drift(
            f"{name}: the answer cell defines {', '.join(mine) or 'nothing'}; it should define {name} alone"
        )
    if name not in reference:
        raise Drift(f"{name}: there is no reference for it; write it in the lab's module in solutions/")
    ours, theirs = _head(mine[name]), _head(reference[name])
    if ours != theirs:
        raise Drift(
            f"{name}: the notebook and the reference differ.\nnotebook:\n{textwrap.indent(ours, '    ')}\n"
            f"reference:\n{textwrap.indent(theirs, '    ')}\nmake them the same"
        )
    if not is_repair(cell) and cell.source.count(STUB) != 1:
        raise Drift(
            f"{name}: the answer cell has no stub, so students would be given an answer. Its body should be\n{STUB}\n"
            "or, if it holds a bug to be repaired, the cell should be tagged: repair"
        )
    if is_repair(cell) and ast.dump(mine[name]) == ast.dump(reference[name]):
        raise Drift(f"{name}: the cell is tagged repair, and holds the reference itself: plant the bug")


def solved(notebook: NotebookNode, solution: str) -> NotebookNode:
    """Return a copy of *notebook* in which every function is the one of *solution*; Drift where they do not fit."""
    compare(notebook, solution)
    made, reference = copy.deepcopy(notebook), functions(solution)
    for name, cell in _answers(made).items():
        if cell.cell_type == "code":
            mine = functions(cell.source)[name]
            lines = cell.source.splitlines()
            before, after = lines[: mine.lineno - 1], lines[mine.end_lineno or 0 :]
            head, body = _split(cell.source, mine)[0], _split(solution, reference[name])[1]
            cell.source = "\n".join([*before, head, body, *after])
    return made
