"""Whatever is handed in, the batch goes on, and nothing is worth more than it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.autograder import bad_input
from tests.autograder.batch import Graded
from tests.net.frozen import same, submission

pytestmark = pytest.mark.sandboxed
REST = 5.0  # points of the two other exercises, which are answered rightly
ALL = 9.0


@pytest.mark.parametrize("student", bad_input.HARMLESS)
def test_what_is_harmless_costs_nothing(graded: Graded, student: str) -> None:
    assert graded.score(student) == ALL
    assert not graded.needs_a_look(student)


@pytest.mark.parametrize("student", bad_input.COSTS)
def test_an_answer_that_does_not_answer_costs_its_checks_and_says_why(graded: Graded, student: str) -> None:
    assert bad_input.COSTS[student][1] in graded.said(student)
    assert graded.ledger(student).cells["put_coins"].points == 0
    assert graded.score(student) == REST


@pytest.mark.parametrize("student", bad_input.GAINS_NOTHING)
def test_tricks_gain_nothing(graded: Graded, student: str) -> None:
    assert graded.ledger(student).cells["put_coins"].points <= bad_input.HONESTLY.get(student, 0)
    assert graded.score(student) <= REST + bad_input.HONESTLY.get(student, 0)


@pytest.mark.parametrize(
    "student", ["says-points", "answers-twice", "never-answers", "breaks-the-process", "waits"]
)
def test_no_evidence_and_lies_are_flagged(graded: Graded, student: str) -> None:
    assert graded.needs_a_look(student)
    assert any(row.flag for row in graded.ledger(student).cells.values())


@pytest.mark.parametrize("student", bad_input.MISUNDERSTANDS)
def test_what_cannot_be_called_is_told_in_the_students_words(graded: Graded, student: str) -> None:
    assert bad_input.MISUNDERSTANDS[student][1] in graded.said(student)
    assert graded.score(student) == REST
    assert not graded.needs_a_look(student)


@pytest.mark.parametrize("student", bad_input.ENDS_THE_KERNEL)
def test_a_cell_that_ends_the_kernel_is_named_and_flagged(graded: Graded, student: str) -> None:
    said = graded.said(student)
    assert any(why in said for why in ("ended the kernel", "was stopped after", "no evidence", "ended with"))
    assert graded.ledger(student).cells["put_coins"].points == 0
    assert graded.needs_a_look(student)


@pytest.mark.parametrize("student", ["exits-while-defining", "loops-while-defining"])
def test_the_other_answers_are_graded_when_one_ends_the_kernel(graded: Graded, student: str) -> None:
    assert graded.score(student) == REST


@pytest.mark.parametrize("student", [*bad_input.no_notebooks_names(), "a-link"])
def test_what_is_no_notebook_is_named_and_flagged_and_worth_nothing(graded: Graded, student: str) -> None:
    assert graded.score(student) == 0
    assert graded.needs_a_look(student)
    assert any("lab9_toy.ipynb" in note for note in graded.ledger(student).notes)


SHUFFLED = {
    "lost": (ALL, "cell put_coins has lost its name: it was known by what it defines"),
    "all-lost": (ALL, "cell take_coin has lost its name: it was known by what it defines"),
    "split": (ALL, "cell put_coins is there twice: one runs after the other"),
    "helper-in-a-course-cell": (ALL, ""),
    "missing": (REST, "cell put_coins is missing"),
    "doubled": (ALL, "cell put_coins is there twice"),
    "moved": (ALL, "cells were moved"),
    "retyped": (ALL, "cell put_coins was made a raw cell"),
    "renamed": (ALL, "cell put_coins has lost its name"),
    "marked": (ALL, "cell put_coins: its settings were edited"),
    "test-edited": (ALL, "cell check_put_coins is locked and was edited"),
    "test-deleted": (ALL, "cell check_put_coins is missing"),
    "extra-cells": (ALL, ""),
    "course-cell-edited": (ALL, ""),
}


@pytest.mark.parametrize("student", SHUFFLED)
def test_tampered_cells_are_reported_and_the_rest_is_graded(graded: Graded, student: str) -> None:
    score, note = SHUFFLED[student]
    assert graded.score(student) == score
    assert note in "\n".join(graded.ledger(student).notes)
    assert bool(note) == bool(graded.ledger(student).notes)
    assert graded.needs_a_look(student) == note.startswith("cell ")  # it says of which one


ODD = {
    "byte-order-mark": "",
    "windows-lines": "",
    "utf-16": "is UTF-16, and was read as that: save it as UTF-8",
    "latin-1": "is not UTF-8, and was read as Latin-1: save it as UTF-8",
    "half-a-character": "holds halves of characters",
}


@pytest.mark.parametrize("student", ODD)
def test_an_odd_file_is_read_and_what_is_odd_is_said(graded: Graded, student: str) -> None:
    assert graded.score(student) == ALL
    assert ODD[student] in "\n".join(graded.ledger(student).notes)
    assert bool(ODD[student]) == bool(graded.ledger(student).notes)


def test_a_merge_that_git_could_not_do_is_named(graded: Graded) -> None:
    (note,) = graded.ledger("conflict").notes
    assert "line 2 is a mark of a merge that git could not do (<<<<<<< HEAD): resolve it" in note


def test_the_batch_went_on_to_its_end(graded: Graded) -> None:
    submitted = {path.name for path in (graded.course.build / "submitted").iterdir()}
    assert {path.name for path in (graded.course.build / "autograded").iterdir()} == submitted
    assert "There was an error processing" not in graded.log


def test_everybody_gets_the_points_that_are_frozen(graded: Graded, perfect: Any, blank: Any) -> None:
    students = [*bad_input.all_of_them(perfect, blank), "a-link"]
    same("points/bad_input", {student: submission(graded.ledger(student)) for student in students})


def test_a_link_shows_nothing_of_what_it_points_to(graded: Graded) -> None:
    (autograded,) = (graded.course.build / "autograded" / "a-link").rglob("*.ipynb")
    assert "total +=" not in autograded.read_text("utf-8")


def test_a_known_mistake_is_told_its_story(graded: Graded) -> None:
    assert graded.ledger("half").cells["put_coins"].story.startswith("You put the coins in place")
    assert graded.ledger("perfect").cells["put_coins"].story == ""
