"""One release and one run of plain `nbgrader autograde` over every submission, for all tests that look at it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hugezero.check.checks import CHECKS

from autograder.course.layout import Course
from autograder.course.release import release
from autograder.prove import known_answers, submissions
from tests.autograder import toy
from tests.autograder.bad_input import all_of_them
from tests.autograder.batch import Graded, run

SECONDS = "\nc.Judged.cell_seconds = 8\nc.Judged.silent_seconds = 15\nc.Judged.work_seconds = 12\n"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "toy_course" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("autograder"))
        if "graded" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.long)  # seventy submissions


@pytest.fixture(scope="session")
def toy_course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """The toy course, released."""
    course = Course(toy.make(tmp_path_factory.mktemp("toy")))
    release(course, toy.STEM, update=True)
    known_answers.keep_stories(course, toy.STEM)
    (course.build / "my_config.py").write_text(SECONDS, encoding="utf-8")
    yield course
    for exercise in course.checks(toy.STEM):
        CHECKS.pop(exercise)


@pytest.fixture(scope="session")
def blank(toy_course: Course) -> Any:
    return submissions.released(toy_course, toy.STEM)


@pytest.fixture(scope="session")
def perfect(toy_course: Course, blank: Any) -> Any:
    return submissions.answered(blank, submissions.reference_answers(toy_course, toy.STEM))


@pytest.fixture(scope="session")
def graded(toy_course: Course, perfect: Any, blank: Any, bwrap: str) -> Graded:
    """Every submission there is, graded by plain `nbgrader autograde`."""
    made = all_of_them(perfect, blank)
    for student, notebook in made.items():
        submissions.submit(toy_course, student, toy.STEM, notebook)
    link = toy_course.build / "submitted" / "a-link" / toy.STEM / f"{toy.STEM}.ipynb"
    link.parent.mkdir(parents=True)
    link.symlink_to(toy_course.build / "source" / toy.STEM / f"{toy.STEM}.ipynb")
    done = run(toy_course, "nbgrader", "autograde", toy.STEM)
    return Graded(toy_course, done.stdout + done.stderr)
