"""Law 8: the same answer gets the same verdict in the notebook and from the judge's kernel."""

from __future__ import annotations

import nbformat
import pytest
from hugezero.check.notebook import run_open

from autograder.course.layout import Course, load, source_of
from autograder.prove.known_answers import known_mistakes, try_one
from autograder.prove.mutant import Mutant

COURSE = Course()


def in_a_notebook(stem: str, mutant: Mutant) -> list[tuple[str, str]]:
    """What check() says where the first cell and the answer's were run, as (check, voice)."""
    cells = nbformat.read(COURSE.notebook(stem), 4).cells
    names = {"__name__": "__main__"}
    exec(next(cell.source for cell in cells if cell.cell_type == "code"), names)
    solution = vars(load(f"solutions.{stem}", COURSE.solution(stem)))
    exercises = COURSE.checks(stem)
    helpers = {name: thing for name, thing in solution.items() if name not in names and name not in exercises}
    names.update(helpers)
    code = mutant.code(source_of(COURSE.solution(stem).read_text("utf-8"), mutant.exercise))
    exec(compile(code, f"<{mutant.name}>", "exec"), names)
    lab = exercises[mutant.exercise][0].lab
    return [(each.name, each.voice) for each in run_open(mutant.exercise, names.get(mutant.exercise), lab)]


@pytest.mark.full
@pytest.mark.parametrize("stem", COURSE.stems())
def test_every_known_answer_is_told_the_same_in_both(stem: str) -> None:
    mutants, equivalents = known_mistakes(COURSE, stem)
    assert mutants
    for mutant in [*mutants, *equivalents]:
        judged = [(each.name, each.voice) for each in try_one(COURSE, stem, mutant, hidden=False).results]
        assert in_a_notebook(stem, mutant) == judged, mutant.name
