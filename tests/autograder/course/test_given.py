"""What a lab gets of the labs before it: derived, never committed, the same everywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from hugezero.check.checks import CHECKS

from autograder.course import package
from autograder.course.given import given, givens, name_of, write
from autograder.course.layout import Course, functions
from autograder.course.release import release
from autograder.grading import grade
from autograder.prove import submissions
from tests.autograder import toy

COINS = '''"""Coins."""

from hugezero.hw.ram import PAGE_SIZE


def put_coins(purse, n):
    """Put *n* coins into *purse*."""
    before_anything = purse.coins.read()
    purse.coins.set(before_anything + n)


def take_coin(purse):
    """Take one."""
    return purse.coins.dec_and_test()
'''
LOCKED = '''"""Coins under a lock."""

from .lab7_coins import take_coin
from hugezero.hw.ram import PMD_SIZE


def put_coins(purse, n):
    """Put *n* coins into *purse*."""
    purse.lock_of_coins.lock()
    before_anything = purse.coins.read()
    purse.coins.set(before_anything + n)
    purse.lock_of_coins.unlock()
    purse.changes_under_lock.inc()
'''


@pytest.fixture
def two_labs(tmp_path: Path) -> Course:
    """Lab 8 asks for a function of lab 7 once more."""
    for stem, solution in (("lab7_coins", COINS), ("lab8_locked", LOCKED)):
        for path, text in ((f"solutions/{stem}.py", solution), (f"course/{stem}.ipynb", "")):
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(text or nbformat.writes(nbformat.v4.new_notebook(), 4))
    return Course(tmp_path)


def test_git_does_not_know_of_given_kernels_and_ignores_them(project: Path) -> None:
    if not (project / ".git").exists() or not shutil.which("git"):
        pytest.skip("this is no clone, or there is no git")
    git = ["git", "-C", str(project)]
    known = subprocess.run([*git, "ls-files", "*given_lab*"], capture_output=True, text=True, check=True)
    assert known.stdout == ""
    subprocess.run([*git, "check-ignore", "--quiet", "build/given/given_lab1.py"], check=True)


def test_the_given_kernels_in_course_are_what_the_solutions_give() -> None:
    course = Course()
    stems = course.solved()
    there = {path: path.read_text("utf-8") for path in (course.build / "given").glob("given_lab*.py")}
    assert set(there) == {course.build / "given" / f"{name_of(stem)}.py" for stem in stems}
    for stem in stems:
        text = there[course.build / "given" / f"{name_of(stem)}.py"]
        assert text == given(course, stem)
        assert functions(text).keys() == functions(course.solution(stem).read_text("utf-8")).keys()


def test_they_follow_the_solutions_and_go_with_them(two_labs: Course) -> None:
    written = write(two_labs)
    assert [path.name for path in written] == ["given_lab7.py", "given_lab8.py"]
    before = written[1].stat().st_mtime_ns
    two_labs.solution("lab7_coins").write_text(COINS.replace("Take one", "Take a coin"))
    write(two_labs)
    assert "Take a coin" in written[0].read_text()
    assert written[1].stat().st_mtime_ns == before, "what has not changed is left alone"
    two_labs.solution("lab8_locked").unlink()
    assert write(two_labs) == written[:1]
    assert list(written[0].parent.glob("given*")) == written[:1]


def test_a_reference_that_builds_on_another_one_becomes_a_given_kernel_that_does(two_labs: Course) -> None:
    write(two_labs)
    code = "import given_lab8; print(given_lab8.take_coin.__module__)"
    run = [sys.executable, "-c", code]
    env = {**os.environ, "PYTHONPATH": f"{two_labs.build / 'given'}:{Course().root / 'course'}"}
    done = subprocess.run(run, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "given_lab7\n"
    by_name = LOCKED.replace("from .lab7_coins import", "from solutions.lab7_coins import")
    two_labs.solution("lab8_locked").write_text(by_name)
    assert "from given_lab7 import take_coin" in given(two_labs, "lab8_locked")
    two_labs.solution("lab8_locked").write_text("from . import lab7_coins\n")
    with pytest.raises(ValueError, match=r"lab8_locked.py: students have nothing to 'from \. import"):
        write(two_labs)


def test_a_lab_gets_the_kernels_before_it_and_not_its_own(two_labs: Course) -> None:
    assert list(givens(two_labs, "lab7_coins")) == []
    assert list(givens(two_labs, "lab8_locked")) == ["given_lab7.py"]


def _zip(course: Course, *files: tuple[str, str]) -> Path:
    path = course.root / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files:
            archive.writestr(name, text)
    return path


def test_a_function_of_two_labs_is_given_in_its_earlier_form_and_secret_in_its_later_one(
    two_labs: Course,
) -> None:
    seven, eight = (given(two_labs, stem) for stem in two_labs.stems())
    earlier, later = ("given_lab7.py", seven), ("given_lab8.py", eight)
    assert package.leaks(two_labs, "lab8_locked", _zip(two_labs, earlier)) == []
    stub = f"{COINS.partition('def take')[0]}# fill in the lock\n"
    assert package.leaks(two_labs, "lab8_locked", _zip(two_labs, earlier, ("a.py", stub))) == []
    assert package.leaks(two_labs, "lab8_locked", _zip(two_labs, earlier, later))
    assert package.leaks(two_labs, "lab7_coins", _zip(two_labs, earlier))
    assert package.leaks(two_labs, "lab7_coins", _zip(two_labs, later))
    new = "\n".join(line for line in eight.splitlines() if "lock" in line)
    assert package.leaks(two_labs, "lab8_locked", _zip(two_labs, ("a.py", new)))
    old = "\n".join(line for line in seven.splitlines() if "coins" in line)
    assert package.leaks(two_labs, "lab8_locked", _zip(two_labs, ("a.py", old))) == []
    assert package.leaks(two_labs, "lab7_coins", _zip(two_labs, ("a.py", old)))


BUILDS_ON_LAB_8 = """
from given_lab8 import put_coins as put_one_after_another
def put_coins(purse, n):
    put_one_after_another(purse, n)
    return purse.coins.read()
"""
BUILDS_ON_ITSELF = """
from given_lab9 import take_coin
"""


@pytest.mark.sandboxed
@pytest.mark.xdist_group("autograder")
def test_while_grading_the_courses_own_kernels_of_earlier_labs_are_there_and_no_others(
    tmp_path: Path,
) -> None:
    course = Course(toy.make(tmp_path))
    course.solution("lab8_coins").write_text(COINS)
    (tmp_path / "course" / "lab8_coins.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook(), 4))
    release(course, toy.STEM, update=True)
    answers = {"put_coins": BUILDS_ON_LAB_8, "take_coin": BUILDS_ON_ITSELF}
    notebook = submissions.answered(submissions.released(course, toy.STEM), answers)
    handed_in = submissions.submit(course, "ada", toy.STEM, notebook)
    for name in ("given_lab8.py", "given_lab9.py"):
        (handed_in.parent / name).write_text("raise RuntimeError('not the course's')\n")
    (found,) = grade.grade(course, toy.STEM)
    beside = grade.check(course, handed_in)
    for exercise in course.checks(toy.STEM):
        CHECKS.pop(exercise)
    assert found.cells == beside.cells
    assert [check.voice for check in found.cells["put_coins"].checks] == ["done"] * 3
    assert "No module named 'given_lab9'" in found.cells["take_coin"].cell
    assert found.cells["take_coin"].points == 0
