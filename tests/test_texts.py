"""Numbers that texts name are those of the course: a lab's points."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from hugezero.check.checks import lab_in
from hugezero.check.notebook import EXERCISES, exercise

from autograder.course.layout import Course

COURSE = Course()
POINTS = re.compile(r"(\d[\d.]*) points")
ROW = re.compile(r"^\| \[[^]]+\]\((\w+)\.ipynb\) \|[^|]*\| ([^|]+) \|", re.MULTILINE)


def total(stem: str) -> str:
    """What all checks of a lab are worth; one without hidden checks is practice."""
    checks = [check for some in COURSE.checks(stem).values() for check in some]
    return f"{sum(check.points for check in checks):g}" if any(c.hidden for c in checks) else "not graded"


def wrong_in_notebook(stem: str, text: str) -> list[str]:
    """The numbers of points that *text* names and that are not the lab's."""
    return [said for said in POINTS.findall(text) if said != total(stem)]


def wrong_in_table(text: str) -> list[str]:
    """The rows of a syllabus whose points are not the lab's."""
    rows = ROW.findall(text)
    assert rows, "there is no row of a lab"
    return [f"{stem}: {said}; it is {total(stem)}" for stem, said in rows if said != total(stem)]


@pytest.mark.parametrize("stem", COURSE.stems())
def test_the_points_that_a_notebook_names_are_those_of_its_checks(stem: str) -> None:
    cells = nbformat.read(COURSE.notebook(stem), 4).cells
    assert wrong_in_notebook(stem, "\n".join(c.source for c in cells if c.cell_type == "markdown")) == []


def test_the_points_in_the_syllabus_are_those_of_the_checks(project: Path) -> None:
    assert wrong_in_table((project / "course" / "README.md").read_text("utf-8")) == []


def test_a_wrong_number_is_found() -> None:
    stem = COURSE.stems()[1]
    assert wrong_in_notebook(stem, f"Two hours; {total(stem)} points.") == []
    assert wrong_in_notebook(stem, "Two hours; 19 points.") == ["19"]
    row = f"| [1 · One]({stem}.ipynb) | 2 | {{}} | read |"
    assert wrong_in_table(row.format(total(stem))) == []
    for said in ("not graded", "19"):
        assert wrong_in_table(row.format(said)) == [f"{stem}: {said}; it is {total(stem)}"]


@pytest.mark.parametrize("stem", COURSE.stems())
def test_a_fifth_of_a_labs_points_is_hidden_at_most_and_what_for_is_said(stem: str) -> None:
    """Whoever is told Done should be able to believe it."""
    checks = [check for some in COURSE.checks(stem).values() for check in some]
    hidden = sum(check.points for check in checks if check.hidden)
    assert hidden <= sum(check.points for check in checks) / 5
    told = [known for (lab, _), known in EXERCISES.items() if lab == lab_in(stem)]
    assert sum(known.more for known in told) == hidden
    assert len({known.untried for known in told if known.more}) >= len([k for k in told if k.more]) - 1


def test_points_for_nothing_that_is_said_are_refused() -> None:
    with pytest.raises(ValueError, match="say in untried="):
        exercise("f", "You now have f.", more=1)
