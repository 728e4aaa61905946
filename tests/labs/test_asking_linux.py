"""What a notebook asks Linux has an answer where no Linux can be asked."""

from __future__ import annotations

import ast
from typing import Any

import nbformat
from hugezero import notebook
from hugezero.scenario.live.recording import read

from autograder.course.layout import Course

COURSE = Course()


def asked(stem: str) -> list[Any]:
    """Return the scenarios that the notebook *stem* hands to ask_linux, each by the name that it gave them."""
    cells = [c.source for c in nbformat.read(COURSE.notebook(stem), 4).cells if c.cell_type == "code"]
    nodes = [node for cell in cells for node in ast.walk(ast.parse(cell))]
    calls = [n for n in nodes if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "ask_linux"]
    found = {
        target.id: node.value
        for node in nodes
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    values = [found[call.args[0].id] for call in calls if isinstance(call.args[0], ast.Name)]
    assert len(values) == len(calls)
    return [eval(ast.unparse(value), dict(vars(notebook))) for value in values]


def test_each_has_been_recorded() -> None:
    scenarios = [scenario for stem in COURSE.stems() for scenario in asked(stem)]
    assert scenarios
    for scenario in scenarios:
        answers = read().of(scenario)
        assert answers is not None
        assert len(answers) == len(scenario)
