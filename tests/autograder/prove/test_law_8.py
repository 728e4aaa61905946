"""Law 8: the same answer gets the same verdict in the notebook and from the judge, and is told the same."""

from __future__ import annotations

import nbformat
import pytest
from hugezero.check.checks import Result
from hugezero.check.notebook import run_open

from autograder.course.layout import Course, load, source_of
from autograder.prove.known_answers import known_mistakes, try_one
from autograder.prove.mutant import Mutant
from tests.autograder.judge.test_bad_habits import judged
from tests.bad_habits import DIFFERS, HANGS, REFUSALS, written

COURSE = Course()
LOOK = "lock.locked.test()"
HABITS = {
    **HANGS,
    **{what: DIFFERS[what] for what in ("time", "a global", "an attribute")},
    **{what: REFUSALS[what] for what in ("sleeps and catches", "makes a lock")},
    "does what makes no sense": ("", "    lock.locked.set('yes')", ""),
    "raises": ("", "    return 1 // 0", ""),
    "has no end but its stack": ("", "    return spin_trylock(lock)", ""),
    "calls what it may not": (
        "from hugezero.store import call",
        "    try:\n        call('fork')\n    except:\n        pass",
        "",
    ),
    "takes nothing": ("", "    pass\ndef spin_trylock():", ""),
}

SLOW = {"spins on a value nobody changes", "asks and catches"}  # to 50,000 operations, each a message


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


def said(results: list[Result]) -> list[tuple[object, ...]]:
    return [(r.name, r.voice, r.points, r.why, r.hint, tuple(r.schedule)) for r in results]


def same_in_both(stem: str, mutant: Mutant) -> None:
    """Compare what is said to an answer that runs in this process, and to one that answers from its own."""
    source = mutant.code(source_of(COURSE.solution(stem).read_text("utf-8"), mutant.exercise))
    there = judged(stem, mutant.exercise, source).checks
    assert said(try_one(COURSE, stem, mutant).results) == said(there), mutant.name


@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=pytest.mark.full) if what in SLOW else what for what in HABITS]
)
def test_the_judge_says_the_same_of_a_bad_habit_word_for_word(what: str) -> None:
    right = source_of(COURSE.solution("lab0_machine").read_text("utf-8"), "spin_trylock")
    same_in_both("lab0_machine", Mutant(what, "spin_trylock", source=written(right, HABITS[what], LOOK)))


@pytest.mark.full
@pytest.mark.parametrize("stem", COURSE.stems())
def test_the_judge_says_the_same_of_known_mistakes_word_for_word(stem: str) -> None:
    for mutant in known_mistakes(COURSE, stem)[0][::5]:
        same_in_both(stem, mutant)
