"""A guess is written down, kept, and answered beside what was seen; without one the answer is told all the same."""

import nbformat
import pytest
from hugezero.labs import guesses, open_checks
from hugezero.labs.guesses import QUESTIONS, Question, answer, guess

from autograder.course.layout import Course, source_of

COURSE = Course()
open_checks()


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(guesses, "_guessed", {})
    monkeypatch.setattr(guesses, "_answered", set())
    letter = Question("abc", lambda seen: "c" if seen == 7 else None, "there were {0}")
    numbers = Question("", lambda *seen: [*seen], "{0} comes first")
    monkeypatch.setattr(
        guesses, "QUESTIONS", QUESTIONS | {"letter": letter, "predict_it": letter, "numbers": numbers}
    )


def said(capsys, function, *args):
    function(*args)
    return capsys.readouterr().out.strip()


def test_a_wrong_guess_is_told_beside_what_is_right(capsys):
    assert said(capsys, guess, "letter", "b") == "Noted: b."
    assert said(capsys, answer, "letter", 7) == "You said b; it is c, because there were 7."


def test_a_right_guess_is_told_to_be_right(capsys):
    guess("letter", "c")
    guess("numbers", (1000, 2))
    capsys.readouterr()
    assert said(capsys, answer, "letter", 7) == "You said c, and so it is, because there were 7."
    assert (
        said(capsys, answer, "numbers", 1000, 2)
        == "You said 1,000, 2, and so it is, because 1000 comes first."
    )


def test_without_a_guess_the_answer_is_told(capsys):
    assert said(capsys, answer, "letter", 7) == "It is c, because there were 7."


def test_what_does_not_show_it_yet_gives_nothing_away(capsys):
    guess("letter", "b")
    assert "does not show it yet" in said(capsys, answer, "letter", 8)
    capsys.readouterr()
    assert said(capsys, guess, "letter", "a") == "Noted: a."  # it may still be changed


def test_what_was_guessed_before_the_answer_stays(capsys):
    guess("letter", "b")
    answer("letter", 7)
    capsys.readouterr()
    assert said(capsys, guess, "letter", "c") == "It was answered already: your guess stays b."
    assert said(capsys, answer, "letter", 7).startswith("You said b;")


@pytest.mark.parametrize("what", [..., None, "d", "ab", "", 3, ["a"]])
def test_what_is_no_letter_is_no_guess(what, capsys):
    assert said(capsys, guess, "letter", what).startswith("No guess yet. Put one of a, b, c in place of ")
    assert said(capsys, answer, "letter", 7) == "It is c, because there were 7."


@pytest.mark.parametrize("what", [..., "3", [], ["3"], None])
def test_what_is_no_number_is_no_guess(what, capsys):
    assert said(capsys, guess, "numbers", what).startswith("No guess yet.")


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        (lambda: "a", "You said a; it is c"),
        (lambda: "many", "It is c"),
        (lambda: 5 / 0, "It is c"),
        (lambda needs: "a", "It is c"),
        ("a", "You said a; it is c"),
        (None, "It is c"),
    ],
)
def test_an_exercise_that_is_a_guess_is_asked_whatever_it_is(theirs, told, capsys, monkeypatch):
    monkeypatch.setitem(globals(), "predict_it", theirs)
    assert said(capsys, answer, "predict_it", 7).startswith(told)


def test_a_question_that_nobody_asks_is_an_error_that_names_the_others():
    with pytest.raises(ValueError, match=r"'leter'.*predict_fork_faults"):
        guess("leter", "b")


@pytest.mark.parametrize("stem", COURSE.stems())
def test_each_guess_of_a_notebook_is_answered_below_it_and_not_above(stem):
    told = COURSE.solution(stem).read_text("utf-8")
    asked, answered = {}, {}
    for n, cell in enumerate(nbformat.read(COURSE.notebook(stem), 4).cells):
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        for question in QUESTIONS:
            if f'guess("{question}", ...)' in cell.source or name == question:
                assert question not in asked
                asked[question] = n
            if f'answer("{question}"' in cell.source:
                assert question not in answered
                answered[question] = n
        if name.startswith("predict_"):
            assert name in QUESTIONS and source_of(told, name)
    assert asked and asked.keys() == answered.keys()
    assert all(asked[name] < answered[name] for name in asked)


def test_letters_that_are_right_vary():
    solutions = {stem: COURSE.reference(stem) for stem in COURSE.stems()}
    for stem, reference in solutions.items():
        letters = [function() for name, function in reference.items() if name.startswith("predict_")]
        assert len(letters) < 2 or len(set(letters)) > 1, (stem, letters)
