"""`python -m autograder`, as an instructor or CI calls it."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from typer.testing import CliRunner

from autograder.cli import app
from autograder.course import package
from autograder.course.layout import Course
from autograder.prove import known_answers, submissions, verify
from autograder.prove.mutant import Mutant
from tests.autograder import toy


def command(course: Course, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*words, "--root", str(course.root)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def _file(tmp_path: Path, notebook: Any, name: str = f"{toy.STEM}.ipynb") -> Path:
    path = tmp_path / name
    path.write_text(nbformat.writes(notebook, 4), encoding="utf-8")
    return path


@pytest.mark.sandboxed
def test_check_ends_with_0_only_at_full_points(
    toy_course: Course, perfect: Any, blank: Any, tmp_path: Path
) -> None:
    assert command(toy_course, "check", str(_file(tmp_path, perfect)))[0] == 0
    code, said = command(toy_course, "check", str(_file(tmp_path, blank)))
    assert code == 1
    assert "0 of 9 points" in said
    assert "Not started." in said


@pytest.mark.sandboxed
def test_check_writes_json_and_junit(toy_course: Course, blank: Any, tmp_path: Path) -> None:
    wrong = submissions.answered(blank, {"put_coins": "def put_coins(purse, n):\n    return 0"})
    junit = tmp_path / "junit.xml"
    code, said = command(
        toy_course, "check", str(_file(tmp_path, wrong, "mine.ipynb")), "--json", "--junit", str(junit)
    )
    (ledger,) = json.loads(said)
    assert (code, ledger["lab"], ledger["points"], ledger["max"]) == (1, toy.STEM, 0, 9)
    root = ElementTree.parse(junit).getroot()
    assert len(list(root.iter("testcase"))) == 7
    assert "there should be 5" in next(root.iter("failure")).attrib["message"]
    assert list(root.iter("skipped"))


@pytest.mark.sandboxed
def test_check_names_a_file_that_is_no_notebook(toy_course: Course, tmp_path: Path) -> None:
    path = tmp_path / f"{toy.STEM}.ipynb"
    path.write_text("{", encoding="utf-8")
    code, said = command(toy_course, "check", str(path))
    assert code == 1
    assert f"{toy.STEM}.ipynb is not a notebook" in said


def test_check_says_so_where_there_is_no_sandbox(
    toy_course: Course, perfect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.sandbox.sandbox.shutil.which", lambda name: None)
    code, said = command(toy_course, "check", str(_file(tmp_path, perfect)))
    assert code == 0, said
    assert "bubblewrap is not installed" in said
    assert "check only your own" in said


def test_grade_refuses_where_there_is_no_sandbox(
    toy_course: Course, perfect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    submissions.submit(toy_course, "unboxed", toy.STEM, perfect)
    monkeypatch.setattr("autograder.sandbox.sandbox.shutil.which", lambda name: None)
    code, said = command(toy_course, "grade", toy.STEM)
    assert code == 2
    assert "bubblewrap is not installed" in said
    assert not (toy_course.build / "ledger" / "unboxed").exists()


def test_verify_shows_which_check_catches_which_mutant(toy_course: Course) -> None:
    code, said = command(toy_course, "verify")
    assert code == 0, said
    assert "forgets the purse X - -  coins_add_up" in said
    for block in re.split(r"^\w+:\n", said, flags=re.MULTILINE)[1:]:
        told = re.findall(r"^  \w (\w+): kills (\d+), (\w+) of them alone$", block, re.MULTILINE)
        rows = [row.split() for row in re.findall(r"^    .+? ((?:[-.X] )+) \w+$", block, re.MULTILINE)]
        for n, (_, kills, alone) in enumerate(told):
            assert int(kills) == sum(row[n] == "X" for row in rows)
            assert alone.replace("none", "0") == str(
                sum(row[n] == "X" and row.count("X") == 1 for row in rows)
            )
        assert len(told) == len(rows[0])
    assert "7 mutants, 0 not caught as they should be; 1 equivalents; 0 things wrong" in said


def test_law_2_a_check_that_no_mutant_is_meant_for_fails_the_build(
    toy_course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing would show that such a check can fail."""
    mutants, equivalents = known_answers.known_mistakes(toy_course, toy.STEM)
    kept = [mutant for mutant in mutants if mutant.caught_by != "counts_every_purse"]
    monkeypatch.setattr(verify, "known_mistakes", lambda *_: (kept, equivalents))
    code, said = command(toy_course, "verify")
    assert code == 1
    assert "no mutant is meant for counts_every_purse" in said


SURVIVORS = {
    "mutant survived": Mutant("same", "put_coins", "add(n)", "add(n + 0)", "coins_add_up"),
    "but not on any_number_of_coins": Mutant("else", "put_coins", "add(n)", "set(n)", "any_number_of_coins"),
}


@pytest.mark.parametrize("what", SURVIVORS)
def test_law_2_a_mutant_that_is_not_caught_fails_the_build(
    toy_course: Course, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "known_mistakes", lambda *_: ([SURVIVORS[what]], []))
    code, said = command(toy_course, "verify")
    assert code == 1
    assert "WRONG mutant" in said
    assert what in said


def test_law_2_a_right_answer_that_loses_points_fails_the_build(
    toy_course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite = Mutant("other way", "put_coins", "purse.coins.add(n)", "purse.coins.set(n)")
    monkeypatch.setattr(verify, "known_mistakes", lambda *_: ([], [rewrite]))
    code, said = command(toy_course, "verify")
    assert code == 1
    assert "other way of put_coins loses points" in said


def test_a_mutant_whose_text_is_not_there_is_an_error(toy_course: Course) -> None:
    with pytest.raises(ValueError, match="0 times in put_coins, not once"):
        known_answers.try_one(
            toy_course, toy.STEM, Mutant("gone", "put_coins", "not there", "x", "coins_add_up")
        )


def test_an_answer_without_end_is_ended(toy_course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_answers, "SECONDS", 1)
    loop = Mutant("for ever", "put_coins", "    purse.coins.add(n)", "    while True: pass", "coins_add_up")
    (verdict,) = known_answers.try_all(toy_course, toy.STEM, [loop])
    assert verdict.points == 0
    assert verdict.failed("coins_add_up")


@pytest.mark.sandboxed
@pytest.mark.full
def test_law_2_through_the_judge_as_well(toy_course: Course) -> None:
    code, said = command(toy_course, "verify", "--full")
    assert code == 0, said


def _zip(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "."), text)
    return path


ANSWER = "    while purse.coins.read():\n        n = purse.coins.read()\n        if purse.coins.cmpxchg(n, n - 1) == n:\n"
LEAKS = {
    "most of an answer": {"a__py": f"def mine(purse):\n{ANSWER}            return 1\n"},
    "all of a short answer": {"a__py": toy.SOLUTION.partition("def take")[0]},
    "an answer in a notebook": {
        "a__ipynb": json.dumps({"cells": [{"cell_type": "code", "source": [ANSWER]}]})
    },
    "a hidden check's name": {"a__md": "see def any_number_of_coins(kernel)"},
    "a hidden check's title": {"a__md": "Whatever is put in is there."},
    "a module of the grader": {"a__md": "import autograder.judge.session"},
}


@pytest.mark.parametrize("what", LEAKS)
def test_a_package_with_an_answer_or_a_hidden_check_in_it_is_found_out(
    toy_course: Course, tmp_path: Path, what: str
) -> None:
    (toy_course.root / "autograder" / "judge.py").touch()
    assert package.leaks(toy_course, toy.STEM, _zip(tmp_path / "a.zip", **LEAKS[what]))


def test_a_package_in_a_package_is_searched_too(toy_course: Course, tmp_path: Path) -> None:
    inner = _zip(tmp_path / "inner.whl", **LEAKS["most of an answer"])
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.write(inner, "inner.whl")
    assert package.leaks(toy_course, toy.STEM, tmp_path / "outer.zip")


def test_the_notebook_alone_gives_nothing_away(toy_course: Course, tmp_path: Path) -> None:
    text = toy_course.notebook(toy.STEM).read_text("utf-8")
    assert package.leaks(toy_course, toy.STEM, _zip(tmp_path / "a.zip", a__ipynb=text)) == []


def test_release_makes_packages_that_are_the_same_bytes_every_time(toy_course: Course) -> None:
    made = []
    for _ in range(2):
        code, said = command(toy_course, "release")
        assert code == 0, said
        made.append((toy_course.build / "student" / f"{toy.STEM}.zip").read_bytes())
    assert made[0] == made[1]
    names = zipfile.ZipFile(toy_course.build / "student" / f"{toy.STEM}.zip").namelist()
    assert [name.rpartition(".")[2] for name in names] == ["whl", "ipynb"]


def test_figures_stand_beside_what_was_published_and_are_written() -> None:
    code, said = command(Course(), "figures", "lab4_mm_flag")
    assert code == 0
    assert re.search(r"reading only, times as fast +2\.18 × +2\.6\d × +2\.65 × +follows", said)
    files = [Course().root / line for line in said.splitlines() if line.startswith("build")]
    assert [file.stat().st_size > 200 for file in files] == [True] * 3
    assert command(Course(), "figures", "lab1_zero_page")[0] == 2
