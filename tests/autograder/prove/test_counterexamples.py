"""How a mistake is told to a student is kept, and compared."""

import re

import pytest
from hugezero.check.checks import Result

from autograder.course.layout import Course
from autograder.prove import counterexamples
from autograder.prove.known_answers import Verdict, known_mistakes
from autograder.prove.mutant import Mutant

STEM = "lab3_shrinker"


def verdict(why="the count is 1", rows=("  1  CPU 0  refcount.inc()  now 1",)):
    mutant = Mutant("a mistake", "get", "a", "b", "second", "its story")
    results = [
        Result("first", "The first promise.", 1, voice="not yet", why="something else"),
        Result("second", "The second promise.", 1, voice="almost", why=why, schedule=list(rows)),
    ]
    return Verdict(mutant, results)


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.delenv("HUGEZERO_EXAMPLES", raising=False)
    return Course(tmp_path)


def test_a_block_tells_what_the_check_that_is_meant_for_it_says():
    text = counterexamples.in_text(STEM, [verdict()])
    assert "== get: a mistake\ncheck: The second promise.\nalmost: the count is 1\nstory: its story\n" in text
    assert text.endswith("    1  CPU 0  refcount.inc()  now 1\n")


def test_what_is_kept_is_no_difference_and_what_has_changed_is_shown(course):
    counterexamples.update(course, STEM, [verdict()])
    assert counterexamples.difference(course, STEM, [verdict()]) == ""
    said = counterexamples.difference(course, STEM, [verdict("the count is 2")])
    assert "-almost: the count is 1" in said and "+almost: the count is 2" in said
    assert "--update-counterexamples" in said


def test_a_lab_that_keeps_none_is_not_compared(course):
    assert counterexamples.difference(course, STEM, [verdict()]) == ""


@pytest.mark.parametrize("stem", [s for s in Course().stems() if counterexamples.kept(Course(), s).is_file()])
def test_a_student_can_read_what_is_kept(stem):
    """Every mutant is there, nothing is named by the number of its frame in a schedule, and each schedule is told."""
    text = counterexamples.kept(Course(), stem).read_text("utf-8")
    mutants, _ = known_mistakes(Course(), stem)
    assert re.findall(r"^== (.*)$", text, re.M) == [f"{m.exercise}: {m.name}" for m in mutants]
    rows = [line for line in text.splitlines() if re.match(r" +(\d+  )?CPU", line)]
    assert (rows or "\nalmost:" not in text) and not [
        row for row in rows if re.search(r"(Folio|Table|Deposits|HugeZero)\(", row)
    ]
    assert "nothing was found" not in text and "inconclusive" not in text
