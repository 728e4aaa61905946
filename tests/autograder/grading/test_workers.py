"""Many at once come to what one after the other comes to, also when processes are killed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from nbgrader.api import Gradebook

from autograder.course.layout import PROJECT, Course
from autograder.course.release import release
from autograder.grading.grade import grade
from autograder.grading.workers import done_by
from autograder.prove import submissions
from tests.autograder import toy
from tests.autograder.ending import ends_at

STUDENTS = 6


def test_results_come_in_order_and_a_worker_that_is_killed_costs_nobody_anything(tmp_path: Path) -> None:
    tasks = [(n, "") for n in range(8)]
    tasks[2] = 2, str(tmp_path / "once")
    tasks[5] = 5, str(tmp_path / "always")
    assert list(done_by(2, ends_at, tasks, lost=lambda task: -task[0])) == [0, 1, 2, 3, 4, -5, 6, 7]


@pytest.fixture
def class_of_six(toy_course: Course, perfect: Any, blank: Any, bwrap: str, tmp_path: Path) -> Course:
    """Six submissions of the toy lab, in a course folder of their own."""
    course = Course(toy.make(tmp_path / "course"))
    release(course, toy.STEM, update=True)
    for n in range(STUDENTS):
        notebook = [perfect, blank, submissions.answered(perfect, {"put_coins": "put_coins = 7"})][n % 3]
        submissions.submit(course, f"student-{n}", toy.STEM, notebook)
    return course


def gradebook(course: Course) -> dict[str, float]:
    with Gradebook(f"sqlite:///{course.build / 'gradebook.db'}") as found:
        return {each.student.id: each.score for each in found.assignment_submissions(toy.STEM)}


def ledgers(course: Course) -> dict[str, Any]:
    return {
        path.parent.name: json.loads(path.read_text("utf-8"))
        for path in (course.build / "ledger").glob(f"*/{toy.STEM}.json")
    }


@pytest.mark.sandboxed
def test_two_at_once_come_to_the_same_as_one(class_of_six: Course) -> None:
    course = class_of_six
    alone = [each.as_json() for each in grade(course, toy.STEM)]
    kept, scores = ledgers(course), gradebook(course)
    assert len(scores) == STUDENTS and len(set(scores.values())) == 3
    together = [each.as_json() for each in grade(course, toy.STEM, force=True, jobs=2)]
    assert (together, ledgers(course), gradebook(course)) == (alone, kept, scores)


@pytest.mark.long
@pytest.mark.sandboxed
@pytest.mark.parametrize("victim", ["coordinator", "worker"])
def test_a_run_that_was_killed_goes_on_to_the_same_end(class_of_six: Course, victim: str) -> None:
    course = class_of_six
    undisturbed = {each.student: each.points for each in grade(course, toy.STEM)}
    words = [
        sys.executable,
        "-m",
        "autograder",
        "grade",
        toy.STEM,
        "--force",
        "--jobs",
        "2",
        "--root",
        str(course.root),
    ]
    run = subprocess.Popen(words, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    coordinator = psutil.Process(run.pid)
    begun = _until(lambda: list((course.build / "ledger").glob("*/*.begun")))
    workers = [each for each in coordinator.children() if "spawn_main" in " ".join(each.cmdline())]
    assert begun and len(workers) == 2
    family = coordinator.children(recursive=True)
    (coordinator if victim == "coordinator" else workers[0]).kill()
    said = run.communicate(timeout=300)
    if victim == "coordinator":
        _, alive = psutil.wait_procs(family, timeout=60)
        assert not alive
        assert list((course.build / "ledger").glob("*/*.begun"))
        done = subprocess.run(
            [each for each in words if each != "--force"],
            cwd=PROJECT,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    else:
        assert run.returncode == 0, said
    assert {student: each["points"] for student, each in ledgers(course).items()} == undisturbed
    assert gradebook(course) == undisturbed
    assert not list((course.build / "ledger").glob("*/*.begun"))


def _until(found: Any) -> Any:
    for _ in range(1200):
        if value := found():
            return value
        time.sleep(0.05)
    return None
