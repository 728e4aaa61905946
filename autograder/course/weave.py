"""Puts a course notebook and its reference together: the source that nbgrader releases.

A stub becomes a solution region, as nbgrader knows it. A repair (a cell tagged `repair`, which
holds code with a planted bug) becomes a solution region followed by the planted text as comments:
the release step brings that back.
"""

from __future__ import annotations

import ast
import re
import textwrap

from nbformat import NotebookNode

from .layout import functions

STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()"
ESSAY = "YOUR ANSWER HERE"
BEGIN, END = "    ### BEGIN SOLUTION\n", "\n    ### END SOLUTION"
PLANTED, PLANTED_END = "    ### BEGIN PLANTED\n", "\n    ### END PLANTED"


class Drift(ValueError):
    """The notebook and the reference no longer fit together; the text shows both."""


def _head(function: ast.FunctionDef) -> str:
    bare = ast.FunctionDef(**{**vars(function), "body": [ast.Pass()], "decorator_list": []})
    head = ast.unparse(bare).rpartition("\n")[0]
    doc = ast.get_docstring(function, clean=False)
    return head if doc is None else f'{head}\n    """{doc}"""'


def _split(text: str, function: ast.FunctionDef) -> tuple[str, str]:
    """The lines of a function's signature and docstring, and those of its body."""
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


def is_repair(cell: NotebookNode) -> bool:
    return "repair" in cell.metadata.get("tags", [])


def weave(notebook: NotebookNode, solution: str) -> NotebookNode:
    """*notebook*, changed in place: its stubs filled with the bodies in *solution*."""
    reference = functions(solution)
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if not marks.get("solution"):
            continue
        name = marks["grade_id"]
        if cell.cell_type != "code":
            if cell.source != ESSAY:
                raise Drift(f"{name}: a written answer starts as {ESSAY!r}; what is there now would be lost")
        else:
            cell.source = _filled(name, cell, reference, solution)
    return notebook


def _filled(name: str, cell: NotebookNode, reference: dict[str, ast.FunctionDef], solution: str) -> str:
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
    _, body = _split(solution, reference[name])
    head, given = _split(cell.source, mine[name])
    region = BEGIN + body + END
    if not is_repair(cell):
        if cell.source.count(STUB) != 1:
            raise Drift(
                f"{name}: the answer cell has no stub, so all of it would be replaced. Its body should be\n{STUB}\n"
                "or, if it holds a bug to be repaired, the cell should be tagged: repair"
            )
        return cell.source.replace(STUB, region)
    if ast.dump(mine[name]) == ast.dump(reference[name]):
        raise Drift(f"{name}: the cell is tagged repair, and holds the reference itself: plant the bug")
    planted = "\n".join(f"    # {line}" for line in given.split("\n"))
    rest = "\n".join(cell.source.split("\n")[mine[name].end_lineno or 0 :])
    return "\n".join(filter(None, [head, region + "\n" + PLANTED + planted + PLANTED_END, rest]))


REGION = re.compile(re.escape(STUB) + "\n" + re.escape(PLANTED) + "(.*?)" + re.escape(PLANTED_END), re.DOTALL)


def replant(source: str) -> str:
    """A repair cell after nbgrader cleared its solution: with the planted text for its body."""
    return REGION.sub(lambda found: "\n".join(line[6:] for line in found[1].split("\n")), source)
