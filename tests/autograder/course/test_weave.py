"""Law 1, and what stops the build before a notebook would give an answer away."""

from __future__ import annotations

import nbformat
import pytest

from autograder.course.layout import Course
from autograder.course.release import ReleaseFailed, audit, release
from autograder.course.weave import Drift, replant, weave
from autograder.prove.known_answers import blank_answers, reference_answers, try_all
from tests.autograder import toy


def test_law_1_what_is_released_is_the_course_byte_for_byte(toy_course: Course) -> None:
    given = toy_course.notebook(toy.STEM).read_bytes()
    assert release(toy_course, toy.STEM).same
    made = toy_course.build / "release" / toy.STEM / f"{toy.STEM}.ipynb"
    assert made.read_bytes() == given == toy_course.notebook(toy.STEM).read_bytes()


def test_the_woven_source_holds_every_answer_and_the_planted_bug(toy_course: Course) -> None:
    source = (toy_course.build / "source" / toy.STEM / f"{toy.STEM}.ipynb").read_text("utf-8")
    for line in ("purse.coins.add(n)", "total += purse.coins.read()", "# # ", "BEGIN PLANTED"):
        assert line in source or line == "# # "
    assert "total = purse.coins.read()" in source


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


def _woven(name: str, old: str, new: str) -> None:
    notebook = toy.notebook()
    cell = next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)
    assert old in cell.source
    cell.source = cell.source.replace(old, new)
    weave(notebook, toy.SOLUTION)


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
        _woven("put_coins", old, new)
    assert shown in str(drift.value)
    assert "def put_coins(purse, n):" in str(drift.value)


def test_an_answer_cell_without_a_stub_is_refused() -> None:
    with pytest.raises(Drift, match="has no stub"):
        _woven("put_coins", toy.STUB, "    return 0")


def test_a_repair_in_which_nothing_is_planted_is_refused() -> None:
    with pytest.raises(Drift, match="plant the bug"):
        _woven("count_all", "total = purse", "total += purse")


def test_a_renamed_function_is_refused() -> None:
    with pytest.raises(Drift, match="should define put_coins alone"):
        _woven("put_coins", "def put_coins", "def put_coin")


def test_an_answer_cell_without_a_reference_is_refused() -> None:
    with pytest.raises(Drift, match="no reference"):
        weave(toy.notebook(), "def other():\n    pass\n")


def test_planted_text_comes_back_with_comments_and_empty_lines() -> None:
    notebook = toy.notebook()
    cell = notebook.cells[-2]
    cell.source = cell.source.replace("    for purse", "\n    # one after the other\n    for purse")
    planted = cell.source
    woven = weave(notebook, toy.SOLUTION).cells[-2].source
    begin, end = woven.index("    ### BEGIN SOLUTION"), woven.index("    ### END SOLUTION")
    cleared = woven[:begin] + toy.STUB + woven[end + len("    ### END SOLUTION") :]
    assert replant(cleared) == planted


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
