"""Law 1, and what stops the build before a notebook would give an answer away."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from autograder.course.answers import Drift, compare, solved
from autograder.course.layout import Course
from autograder.course.release import ReleaseFailed, audit, release
from autograder.prove.known_answers import blank_answers, reference_answers, try_all
from tests.autograder import toy


def test_law_1_what_is_released_is_the_course_byte_for_byte(toy_course: Course) -> None:
    given = toy_course.notebook(toy.STEM).read_bytes()
    assert release(toy_course, toy.STEM).same
    for folder in ("source", "release"):
        assert (toy_course.build / folder / toy.STEM / f"{toy.STEM}.ipynb").read_bytes() == given


def test_a_notebook_edited_by_hand_differs_until_it_is_updated(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    course = Course(toy.make(tmp_path_factory.mktemp("edited")))
    path = course.notebook(toy.STEM)
    notebook = nbformat.read(path, 4)
    notebook.cells[0].source += "\n\nA new sentence."
    path.write_text(nbformat.writes(notebook, 4, indent=4), encoding="utf-8")
    assert not release(course, toy.STEM).same
    assert release(course, toy.STEM, update=True).updated
    assert release(course, toy.STEM).same
    assert "A new sentence." in path.read_text("utf-8")


def _cell(notebook: Any, name: str) -> Any:
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def _compare(name: str, old: str, new: str) -> None:
    notebook = toy.notebook()
    cell = _cell(notebook, name)
    assert old in cell.source
    cell.source = cell.source.replace(old, new)
    compare(notebook, toy.SOLUTION)


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("(purse, n)", "(purse, count)", "def put_coins(purse, count):"),
        ("Returns how many", "Gives how many", "Gives how many there are now."),
        ("(purse, n)", "(purse, n=1)", "def put_coins(purse, n=1):"),
    ],
)
def test_a_stub_that_drifted_from_its_reference_stops_the_build_with_both_shown(
    old: str, new: str, shown: str
) -> None:
    with pytest.raises(Drift) as drift:
        _compare("put_coins", old, new)
    assert shown in str(drift.value)
    assert "def put_coins(purse, n):" in str(drift.value)


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("put_coins", toy.STUB, "    return 0", "has no stub"),
        ("count_all", "total = purse", "total += purse", "plant the bug"),
        ("put_coins", "def put_coins", "def put_coin", "should define put_coins alone"),
    ],
)
def test_an_answer_cell_that_students_should_not_get_is_refused(
    name: str, old: str, new: str, why: str
) -> None:
    with pytest.raises(Drift, match=why):
        _compare(name, old, new)


def test_an_answer_cell_without_a_reference_is_refused() -> None:
    with pytest.raises(Drift, match="no reference"):
        compare(toy.notebook(), "def other():\n    pass\n")


def test_a_solved_notebook_has_the_references_bodies_and_nothing_else_changed() -> None:
    notebook = toy.notebook()
    names: dict[str, Any] = {}
    made = solved(notebook, toy.SOLUTION)
    for name in ("put_coins", "take_coin", "count_all"):
        exec(_cell(made, name).source, names)
        assert "YOUR CODE HERE" not in _cell(made, name).source
    assert "total += purse.coins.read()" in _cell(made, "count_all").source
    assert [c.source for c in made.cells if not c.metadata.get("nbgrader", {}).get("solution")] == [
        c.source for c in notebook.cells if not c.metadata.get("nbgrader", {}).get("solution")
    ]


def test_points_that_are_not_those_of_the_checks_stop_the_build(toy_course: Course) -> None:
    notebook = nbformat.read(toy_course.notebook(toy.STEM), 4)
    notebook.cells[3].metadata.nbgrader.points = 7
    with pytest.raises(ReleaseFailed, match="worth 7 points and its 3 checks 4"):
        audit(toy_course, toy.STEM, notebook)


def test_law_2_the_reference_gets_every_point_and_the_blank_none(toy_course: Course) -> None:
    right = try_all(toy_course, toy.STEM, reference_answers(toy_course, toy.STEM))
    nothing = try_all(toy_course, toy.STEM, blank_answers(toy_course, toy.STEM))
    assert [verdict.points for verdict in right] == [4, 3, 2]
    assert [verdict.points for verdict in nothing] == [0, 0, 0]


def test_a_solved_notebook_keeps_what_stands_around_a_function() -> None:
    notebook = toy.notebook()
    cell = _cell(notebook, "put_coins")
    cell.source = f"# first of all\n{cell.source}\n# and then"
    made = _cell(solved(notebook, toy.SOLUTION), "put_coins").source
    assert made.startswith("# first of all\ndef put_coins(purse, n):")
    assert made.endswith("return purse.coins.read()\n# and then")
