"""nbgrader on build/ as an instructor uses it: the same scores on every path, feedback, formgrader, resubmission."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.course.layout import Course
from autograder.grading import grade as grading
from autograder.grading.results import SubmissionResult
from autograder.prove import submissions
from tests.autograder import toy
from tests.autograder.batch import Graded, run

pytestmark = pytest.mark.sandboxed
SOME = (
    "perfect",
    "blank",
    "half",
    "os-exit",
    "a-generator",
    "truncated",
    "doubled",
    "answers-twice",
    "extra-cells",
)


@pytest.fixture(scope="session")
def regraded(graded: Graded, tmp_path_factory: pytest.TempPathFactory) -> dict[str, SubmissionResult]:
    """Ledgers of our own `grade` over some of the same submissions, in another folder."""
    course = Course(tmp_path_factory.mktemp("again"))
    for name in ("course", "solutions", "autograder"):
        shutil.copytree(graded.course.root / name, course.root / name)
    course.build.mkdir()
    for name in ("source", "release", "stories"):
        shutil.copytree(graded.course.build / name, course.build / name)
    for name in ("nbgrader_config.py", "gradebook.db"):
        shutil.copy(graded.course.build / name, course.build / name)
    for student in SOME:
        shutil.copytree(graded.course.build / "submitted" / student, course.build / "submitted" / student)
    return {found.student: found for found in grading.grade(course, toy.STEM)}


def test_perfect_blank_and_half_get_what_they_should(graded: Graded) -> None:
    assert [graded.score(student) for student in ("perfect", "blank", "half")] == [9, 0, 0]


@pytest.mark.parametrize("student", SOME)
def test_plain_nbgrader_and_our_grade_give_the_same_ledger(
    graded: Graded, regraded: dict[str, SubmissionResult], student: str
) -> None:
    assert regraded[student] == graded.ledger(student)


@pytest.mark.parametrize("student", ["perfect", "blank", "os-exit", "truncated"])
def test_check_gives_the_same_rows_as_nbgrader(graded: Graded, student: str) -> None:
    path = graded.course.build / "submitted" / student / toy.STEM / f"{toy.STEM}.ipynb"
    found = grading.check(graded.course, path)
    assert found.cells == graded.ledger(student).cells
    assert found.notes == graded.ledger(student).notes


def test_a_ledger_is_read_back_as_what_was_written(graded: Graded) -> None:
    for path in (graded.course.build / "ledger").glob("*/*.json"):
        assert SubmissionResult.read(path).as_json() == json.loads(path.read_text("utf-8")), path


def test_the_score_of_the_gradebook_is_that_of_the_ledger(graded: Graded) -> None:
    for path in (graded.course.build / "ledger").iterdir():
        assert graded.score(path.name) == graded.ledger(path.name).points, path.name


def test_a_graded_cell_shows_the_report_and_its_number_and_nothing_of_the_kernels(graded: Graded) -> None:
    (path,) = (graded.course.build / "autograded" / "forges-messages").rglob("*.ipynb")
    cell = next(c for c in nbformat.read(path, 4).cells if c.source == 'check("put_coins")')
    shown, number = cell.outputs
    assert "Not yet." in shown["data"]["text/plain"]
    assert "<p" in shown["data"]["text/html"]
    assert number["data"]["text/plain"] == "0.0"


def test_what_student_code_displays_is_kept_as_text_and_bitmaps(graded: Graded) -> None:
    for path in (graded.course.build / "autograded").rglob("*.ipynb"):
        for cell in nbformat.read(path, 4).cells:
            if cell.cell_type == "code" and not cell.source.startswith("check("):
                for output in cell.outputs:
                    assert set(output.get("data", {})) <= {"text/plain", "image/png", "image/jpeg"}


def test_a_resubmission_is_graded_again_and_an_old_one_is_not(
    graded: Graded, blank: Any, perfect: Any
) -> None:
    course = graded.course
    submissions.submit(course, "late", toy.STEM, blank)
    run(course, "nbgrader", "autograde", toy.STEM, "--student", "late")
    assert graded.score("late") == 0
    submissions.submit(course, "late", toy.STEM, perfect)
    run(course, "nbgrader", "autograde", toy.STEM, "--student", "late")
    assert graded.score("late") == 0
    submissions.submit(course, "late", toy.STEM, perfect, date="2026-01-03 03:04:05 UTC")
    run(course, "nbgrader", "autograde", toy.STEM, "--student", "late")
    assert graded.score("late") == 9


def test_a_timestamp_that_is_none_costs_nobody_the_grade(graded: Graded, perfect: Any) -> None:
    submissions.submit(graded.course, "timeless", toy.STEM, perfect, date="noon, I think")
    found = {each.student: each for each in grading.grade(graded.course, toy.STEM)}
    assert found["timeless"].points == 9
    assert "not a date" in found["timeless"].notes[0]


def test_feedback_shows_the_report_as_html(graded: Graded) -> None:
    done = run(graded.course, "nbgrader", "generate_feedback", toy.STEM, "--student", "half")
    assert done.returncode == 0, done.stderr
    page = (graded.course.build / "feedback" / "half" / toy.STEM / f"{toy.STEM}.html").read_text("utf-8")
    assert 'class="hugezero-report"' in page
    assert "You put the coins in place of those that were there." in page


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


def test_the_formgrader_works_on_the_folder(graded: Graded) -> None:
    port = _free_port()
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", f"--port={port}", "--ServerApp.token=t",
               "--allow-root", f"--ServerApp.root_dir={graded.course.build}"]  # fmt: skip
    enable = ["--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=True"]
    with (graded.course.build / "lab.log").open("w") as log:
        server = subprocess.Popen(
            [*command, *enable], cwd=graded.course.build, env=env, stdout=log, stderr=log
        )
        try:
            page = _fetch(f"http://127.0.0.1:{port}/formgrader/api/assignments?token=t", server)
        finally:
            server.terminate()
            server.wait(20)
    (assignment,) = [each for each in json.loads(page) if each["name"] == toy.STEM]
    assert assignment["max_score"] == 9


def _fetch(address: str, server: subprocess.Popen[bytes]) -> str:
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(address, timeout=10) as reply:
                return str(reply.read().decode())
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no answer from {address}")


def _in_the_sandbox(toy_course: Course, perfect: Any, code: str) -> str:
    """What *code*, in an extra cell, prints."""
    from autograder.grading.execute import Judged

    notebook = nbformat.from_dict(json.loads(json.dumps(perfect)))
    notebook.cells.insert(0, nbformat.v4.new_code_cell(code))
    executor = Judged(root=str(toy_course.root))
    executor.preprocess(notebook, {"nbgrader": {"notebook": toy.STEM}, "metadata": {}})
    return "".join(output.get("text", "") for output in notebook.cells[0].outputs)


def test_inside_there_is_no_network_no_course_and_no_other_submission(
    toy_course: Course, perfect: Any
) -> None:
    code = (
        "import os, socket\n"
        f"print(os.getuid() == 0, os.path.exists({str(toy_course.root)!r}) and os.listdir({str(toy_course.root)!r}) != [])\n"
        "print([name for _, name in socket.if_nameindex()])\n"
        "own = [(d, f) for d, _, fs in os.walk('/') if 'site-packages' not in d for f in fs]\n"
        f"found = [os.path.join(d, f) for d, f in own if {toy.STEM!r} in f or f == 'gradebook.db']\n"
        "print(found)\n"
        "print([l.split()[1] for l in open('/proc/self/status') if l.startswith(('CapEff', 'CapPrm'))])\n"
        "print(os.listdir('.'))\n"
    )
    said = _in_the_sandbox(toy_course, perfect, code).splitlines()
    assert said[0] == "False False"
    assert said[1] == "['lo']"
    assert said[2] == "[]"
    assert said[3] == "['0000000000000000', '0000000000000000']"
    assert "lab" not in said[4]


def test_one_submission_leaves_nothing_for_the_next(toy_course: Course, perfect: Any) -> None:
    write = (
        "import os\n"
        "for d, _, _ in os.walk('/'):\n"
        "    try: open(os.path.join(d, 'left-behind'), 'w').write('x'); print(d)\n"
        "    except OSError: pass\n"
    )
    look = "import os\nprint([d for d, _, fs in os.walk('/') if 'left-behind' in fs])"
    assert "/dev/shm" in _in_the_sandbox(toy_course, perfect, write).split()
    assert _in_the_sandbox(toy_course, perfect, look) == "[]\n"


def test_modules_of_earlier_labs_are_there(
    toy_course: Course, perfect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.grading.execute.givens", lambda *_: {"given_lab8.py": "answer = 42\n"})
    assert _in_the_sandbox(toy_course, perfect, "import given_lab8\nprint(given_lab8.answer)") == "42\n"
