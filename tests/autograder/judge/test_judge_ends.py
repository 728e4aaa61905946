"""No answer keeps the judge busy for ever, ends it, or has it answer another exercise."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.course.layout import PROJECT, Course
from autograder.grading import grade
from autograder.grading.results import SubmissionResult
from autograder.judge.session import Overworked, budget
from autograder.prove import known_answers, submissions
from autograder.prove.mutant import Mutant
from autograder.sandbox import sandbox
from tests.autograder import toy
from tests.autograder.sandbox.test_box import processes

HEAD = "def put_coins(purse, n):\n    from hugezero.store import call\n"
ELEVEN = '''def secret_on_disk():
    """Read 1 MiB byte by byte, eleven times."""
    return [Mmap("b", 1 << 20), *(Read("b", 0, 1 << 20, 1) for _ in range(11))]
'''
Graded = Callable[[str], SubmissionResult]


@pytest.fixture
def result_of(toy_course: Course, perfect: Any, bwrap: str, tmp_path: Path) -> Graded:
    """The ledger of a notebook with one answer to put_coins, the others right."""

    def check(answer: str) -> SubmissionResult:
        path = tmp_path / f"{toy.STEM}.ipynb"
        nbformat.write(submissions.answered(perfect, {"put_coins": answer}), path)
        return grade.check(toy_course, path)

    return check


@pytest.mark.sandboxed
@pytest.mark.parametrize("other", ["take_coin", "put_coins", "do_wp_page", "no_such_function"])
def test_an_answer_cannot_have_the_kernel_run_another_exercise(result_of: Graded, other: str) -> None:
    found = result_of(HEAD + f"    return call({other!r}, purse)")
    row = found.cells["put_coins"]
    assert row.points == 0
    assert f"put_coins calls the kernel's {other}" in row.checks[0].why
    assert found.points == 5


def test_what_an_exercise_may_call_is_what_its_reference_calls() -> None:
    """Law 1: the list in `exercise(...)` and the reference must not drift apart."""
    from hugezero.check.checks import lab_in
    from hugezero.check.notebook import may_call

    course = Course()
    for stem in course.stems():
        reference, checks = course.reference(stem), course.checks(stem)
        for name in checks:
            exercises = set(checks) | {
                each for other in course.stems() if other < stem for each in course.checks(other)
            }
            used = exercises & set(reference[name].__code__.co_names) & set(reference) - {name}
            assert used - may_call(name, lab_in(stem)) <= {"alloc_zeroed_folio"}, (stem, name)


def test_a_program_of_too_many_operations_is_no_verdict_and_no_accident() -> None:
    course, stem = Course(), "lab5_persistent"
    verdict = known_answers.try_one(course, stem, Mutant("eleven", "secret_on_disk", source=ELEVEN))
    assert verdict.points == 0
    assert [result.voice for result in verdict.results][:2] == ["inconclusive", "not run"]


def test_work_of_the_judges_own_is_limited_by_its_cpu_time() -> None:
    with pytest.raises(Overworked), budget(0.05):
        while True:
            pass


def test_a_wait_is_no_work() -> None:
    with budget(0.05):
        time.sleep(0.3)


@pytest.mark.sandboxed
def test_nothing_outlives_a_grader_that_is_killed(
    bwrap: str, tmp_path: Path, toy_course: Course, perfect: Any
) -> None:
    slow = (
        "def put_coins(purse, n):\n    return sum(range(10**12))\n"  # no step, no wait: nothing stops it soon
    )
    path = tmp_path / f"{toy.STEM}.ipynb"
    nbformat.write(submissions.answered(perfect, {"put_coins": slow}), path)
    code = f"from pathlib import Path; from autograder.grading import grade; from autograder.course import layout as course; grade.check(course.Course(Path({str(toy_course.root)!r})), Path({str(path)!r}))"
    marked = tempfile.mkdtemp(prefix="killed-", dir="/tmp")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": marked}
    with (tmp_path / "said").open("w") as said:
        grader = subprocess.Popen([sys.executable, "-c", code], env=env, cwd=PROJECT, stderr=said)
    _until(lambda: grader.poll() is not None or len(list(processes(marked))) >= 3)
    assert grader.poll() is None, (tmp_path / "said").read_text()  # it should still be at it
    os.kill(grader.pid, signal.SIGKILL)
    grader.wait()
    _until(lambda: not list(processes(marked)))
    shutil.rmtree(marked)


@pytest.mark.sandboxed
def test_a_long_name_of_the_folder_for_temporary_files_is_no_matter(
    bwrap: str, tmp_path: Path, toy_course: Course, perfect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    box = sandbox.Sandbox(True, ())
    try:
        box.boot()
        assert box.warm is not None and box.warm.poll() is None
    finally:
        box.close()


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.5)
    raise AssertionError("it did not come to hold")
