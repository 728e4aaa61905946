"""Files as they really come: in another place, in a zip, not at all. Each folder gets a row; nothing is lost."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.course.layout import Course
from autograder.grading.handed_in import HandedIn, handed_in
from tests.autograder import toy
from tests.autograder.test_commands import command

STEM = toy.STEM


def _zip(name: str, text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("__MACOSX/" + name, "no notebook")
        archive.writestr(name, text)
    return file.getvalue()


@pytest.fixture
def course(toy_course: Course, tmp_path: Path) -> Course:
    """The toy course with an empty build/submitted of its own."""
    made = Course(tmp_path / "elsewhere")
    made.root.mkdir()
    for name in ("course", "solutions", "autograder"):
        (made.root / name).symlink_to(toy_course.root / name)
    (made.build / "submitted").mkdir(parents=True)
    for name in ("source", "release", "stories"):
        (made.build / name).symlink_to(toy_course.build / name)
    for name in ("nbgrader_config.py", "my_config.py", "gradebook.db"):
        (made.build / name).write_bytes((toy_course.build / name).read_bytes())
    return made


def _put(course: Course, student: str, path: str, data: bytes | str) -> None:
    file = course.build / "submitted" / student / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data.encode() if isinstance(data, str) else data)


def _row(course: Course, student: str) -> HandedIn:
    return next(row for row in handed_in(course, STEM) if row.student == student)


PLACES = {
    "in the student's folder": f"{STEM}.ipynb",
    "one folder too deep": f"{STEM}/{STEM}/{STEM}.ipynb",
    "under another name": f"{STEM}/homework (1).ipynb",
    "in a folder of its own": f"upload/final/{STEM}.ipynb",
}


@pytest.mark.parametrize("what", PLACES)
def test_the_one_notebook_of_the_lab_is_taken_wherever_it_is(course: Course, perfect: Any, what: str) -> None:
    _put(course, "ada", PLACES[what], nbformat.writes(perfect, 4))
    _put(course, "ada", f".ipynb_checkpoints/{STEM}.ipynb", "an older one")
    _put(course, "ada", "notes.ipynb", nbformat.writes(nbformat.v4.new_notebook(), 4))
    row = _row(course, "ada")
    assert (row.broken, row.notes) == ("", [f"{PLACES[what]} was taken for {STEM}/{STEM}.ipynb"])
    assert (course.build / "submitted" / "ada" / STEM / f"{STEM}.ipynb").is_file()
    assert _row(course, "ada").notes == []  # it is there now


def test_a_zip_is_looked_into(course: Course, perfect: Any) -> None:
    _put(course, "bob", "files.zip", _zip(f"{STEM}/{STEM}.ipynb", nbformat.writes(perfect, 4)))
    assert _row(course, "bob").notes == [f"files.zip/{STEM}/{STEM}.ipynb was taken for {STEM}/{STEM}.ipynb"]
    _put(course, "eve", "files.zip", b"PK no zip")
    assert _row(course, "eve").broken == f"nothing of {STEM} was handed in"


def test_two_that_could_be_it_are_named_and_none_is_taken(course: Course, perfect: Any) -> None:
    for name in ("one.ipynb", "two.ipynb"):
        _put(course, "carl", name, nbformat.writes(perfect, 4))
    assert _row(course, "carl").broken.endswith("more than one that could be it: one.ipynb, two.ipynb")
    assert not (course.build / "submitted" / "carl" / STEM).exists()


def test_a_link_leads_nowhere(course: Course, perfect: Any, tmp_path: Path) -> None:
    (tmp_path / "theirs.ipynb").write_text(nbformat.writes(perfect, 4))
    (course.build / "submitted" / "mallory").mkdir()
    (course.build / "submitted" / "mallory" / f"{STEM}.ipynb").symlink_to(tmp_path / "theirs.ipynb")
    assert _row(course, "mallory").broken == f"nothing of {STEM} was handed in"


@pytest.mark.sandboxed
def test_every_folder_has_a_row_and_the_command_ends_with_1_if_one_was_not_graded(
    course: Course, perfect: Any, blank: Any, bwrap: str
) -> None:
    _put(course, "ada", f"{STEM}.ipynb", nbformat.writes(perfect, 4))
    _put(course, "bob", f"{STEM}/{STEM}.ipynb", nbformat.writes(blank, 4))
    _put(course, "carl", "essay.txt", "I have done all of it")
    (course.build / "submitted" / "lost.ipynb").write_text("x")
    code, said = command(course, "grade", STEM)
    lines = {line.split("\t")[0]: line.split("\t")[1:] for line in said.splitlines() if "\t" in line}
    assert code == 1
    assert lines["ada"][:3] == ["9", "9", "yes"] and "was taken for" in lines["ada"][3]
    assert lines["bob"] == ["0", "9", "", ""]
    assert lines["carl"][3] == f"not graded: nothing of {STEM} was handed in"
    assert "lost.ipynb is no folder" in lines["lost.ipynb"][3]
    assert "2 of 4 graded, 1 of them for a person to look at" in said
    assert "not graded: carl, lost.ipynb" in said
    code, said = command(course, "grade", STEM, "--force", "--student", "bob")
    assert code == 0 and "1 of 1 graded" in said
    code, said = command(course, "grade", STEM, "--but", "nobody")
    assert code == 2 and "nobody has no folder in" in said


@pytest.mark.sandboxed
def test_points_are_a_table_with_those_of_a_person_and_the_lateness(
    course: Course, perfect: Any, bwrap: str, tmp_path: Path
) -> None:
    _put(course, "=ada", f"{STEM}/{STEM}.ipynb", nbformat.writes(perfect, 4))
    _put(course, "=ada", f"{STEM}/timestamp.txt", "2026-01-02 03:04:05 UTC")
    assert command(course, "points", STEM)[0] == 2
    assert command(course, "grade", STEM)[0] == 0
    with Gradebook(f"sqlite:///{course.build / 'gradebook.db'}") as gradebook:
        gradebook.find_assignment(STEM).duedate = datetime(2026, 1, 2, 3, 4, 0)
        gradebook.find_grade("check_take_coin", STEM, STEM, "=ada").manual_score = 2.5
        gradebook.db.commit()
    code, said = command(course, "points", STEM, "--to", str(tmp_path / "points.csv"))
    assert code == 0 and said.startswith("7 rows in")
    rows = list(csv.DictReader((tmp_path / "points.csv").open()))
    assert {row["student"] for row in rows} == {"'=ada"}  # no spreadsheet takes it for a formula
    assert sum(float(row["points"]) for row in rows) == 9 and {row["late_seconds"] for row in rows} == {"5"}
    assert [row["manual"] for row in rows if row["exercise"] == "take_coin"] == ["2.5", ""]


@pytest.mark.sandboxed
def test_why_nbgrader_did_not_grade_is_said_in_its_last_words(
    course: Course, perfect: Any, bwrap: str
) -> None:
    _put(course, "ada", f"{STEM}/{STEM}.ipynb", nbformat.writes(perfect, 4))
    (course.build / "gradebook.db").unlink()
    code, said = command(course, "grade", STEM)
    assert code == 1
    assert "not graded: No assignment with ID" in said


@pytest.mark.sandboxed
def test_who_was_in_work_when_a_run_was_ended_is_graded_by_the_next(
    course: Course, perfect: Any, bwrap: str
) -> None:
    _put(course, "ada", f"{STEM}/{STEM}.ipynb", nbformat.writes(perfect, 4))
    assert command(course, "grade", STEM)[0] == 0
    ledger = course.build / "ledger" / "ada" / f"{STEM}.json"
    ledger.write_text("{}")  # as a run leaves it that is ended while it writes
    ledger.with_suffix(".begun").touch()
    code, said = command(course, "grade", STEM)
    assert code == 0 and "ada\t9\t9" in said
    assert json.loads(ledger.read_text())["points"] == 9
    assert not ledger.with_suffix(".begun").exists()


@pytest.mark.sandboxed
def test_check_says_of_each_notebook_how_it_went(
    toy_course: Course, perfect: Any, tmp_path: Path, bwrap: str
) -> None:
    (tmp_path / "a.ipynb").write_text(nbformat.writes(perfect, 4))
    (tmp_path / "b.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook(), 4))
    junit = tmp_path / "junit.xml"
    names = [str(tmp_path / name) for name in ("a.ipynb", "b.ipynb", "c.ipynb")]
    code, said = command(toy_course, "check", *names, "--junit", str(junit))
    assert code == 2
    assert "a.ipynb: 9 of 9 points" in said
    assert "b.ipynb: this is the notebook of no lab" in said and "c.ipynb: there is no such file" in said
    assert junit.read_text().count("<error") == 2
    code, said = command(toy_course, "check", names[0], "--junit", str(tmp_path / "no" / "junit.xml"))
    assert code == 2 and "there is no folder" in said


@pytest.mark.sandboxed
def test_check_shows_why_the_answers_cell_ended(
    toy_course: Course, perfect: Any, tmp_path: Path, bwrap: str
) -> None:
    from autograder.prove.submissions import answered

    path = tmp_path / f"{STEM}.ipynb"
    path.write_text(nbformat.writes(answered(perfect, {"put_coins": "def put_coins(purse, n)\n  return"}), 4))
    code, said = command(toy_course, "check", str(path))
    assert code == 1
    assert "Your answer: this cell ended with SyntaxError" in said
