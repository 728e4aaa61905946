"""Example submissions of a lab, from perfect to hostile, made from its reference and its mutants."""

from __future__ import annotations

import shutil

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from ..course.layout import Course, source_of
from . import submissions
from .known_answers import known_mistakes

HOSTILE = """
import builtins, os
builtins.__dict__["AssertionError"] = type("Never", (Exception,), {})
import hugezero.check.checks as checks
checks.expect = lambda *args: None
checks.CHECKS.clear()
class Yes(int):
    __eq__ = __ge__ = __le__ = lambda *args: True
    __hash__ = int.__hash__
def check(name):
    return 100.0
"""


def hostile_answer(name: str, parameters: str, n: int) -> str:
    """An answer that tries something else than to be right."""
    tricks = (
        "    return Yes()",
        "    import os\n    os._exit(0)",
        "    while True:\n        pass",
        "    import solutions\n    return 0",
        "    raise SystemExit(0)",
    )
    return f"def {name}({parameters}):\n{tricks[n % len(tricks)]}"


def hostile(course: Course, stem: str) -> NotebookNode:
    """A notebook that would rather not be graded."""
    import inspect

    reference = course.reference(stem)
    answers = {
        name: hostile_answer(name, ", ".join(inspect.signature(reference[name]).parameters), n)
        for n, name in enumerate(submissions.reference_answers(course, stem))
    }
    notebook = submissions.answered(submissions.released(course, stem), answers)
    notebook.cells.insert(1, new_code_cell(HOSTILE, id="hostile"))
    return notebook


def examples(course: Course, stem: str) -> dict[str, NotebookNode]:
    """The example submissions, by student."""
    blank, perfect = submissions.released(course, stem), submissions.reference_answers(course, stem)
    half = dict(list(perfect.items())[: (len(perfect) + 1) // 2])
    mutants, _ = known_mistakes(course, stem)
    text = course.solution(stem).read_text("utf-8")
    classic = dict(perfect)
    for mutant in reversed(mutants):  # the first mistake of each exercise
        classic[mutant.exercise] = mutant.code(source_of(text, mutant.exercise))
    return {
        "perfect": submissions.answered(blank, perfect),
        "blank": blank,
        "half-right": submissions.answered(blank, half),
        "classic-mistakes": submissions.answered(blank, classic),
        "hostile": hostile(course, stem),
    }


def stage(course: Course) -> Course:
    """The same course with a build/ of its own, so that examples never meet real grades."""
    root = course.build / "demo"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for name in ("course", "solutions", "autograder"):
        (root / name).symlink_to(course.root / name, target_is_directory=True)
    return Course(root)
