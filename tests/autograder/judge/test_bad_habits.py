"""What no kernel function can do, written into right answers of real labs: the judge names it, and gives no points.

A further exercise is one more row: its lab, its name, and an operation with which it only looks.
"""

from __future__ import annotations

import os
import socket

import pytest
from hugezero import notebook
from hugezero.remote.answering import serve

from autograder.course.layout import Course, load, source_of
from autograder.judge.results import CellResult
from autograder.judge.session import ExerciseJudge
from tests.bad_habits import ALL, written
from tests.bad_habits import told as was_told
from tests.net.frozen import judged as in_lines
from tests.net.frozen import same

EXERCISES = [
    ("lab1_zero_page", "do_wp_page", "vmf.pte.read()"),
    ("lab3_shrinker", "get_huge_zero_folio", "hz.refcount.read()"),
]
pytestmark = pytest.mark.long
SLOW = {"spins in a helper", "spins and catches", "spins in finally", "stands in a lock", "listens"}


def judged(stem: str, name: str, source: str) -> CellResult:
    """Return the result of one answer, which answers from a process of its own."""
    course = Course()
    names = {**vars(notebook), **vars(load(f"solutions.{stem}", course.solution(stem)))}
    path = f"\0hugezero-habits-{os.getpid()}-{name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(path)
        door.listen()
        door.settimeout(60)  # only ends the test
        pid = os.fork()
        if pid == 0:
            try:
                door.close()
                names["__name__"] = "__main__"
                exec(compile(source, "<a cell>", "exec"), names)
                serve(names, path)
            finally:
                os._exit(0)
        try:
            return ExerciseJudge(course, stem, name, lambda: door.accept()[0]).judge()
        finally:
            door.close()
            os.kill(pid, 9)
            os.waitpid(pid, 0)


def right(stem: str, name: str) -> str:
    return source_of(Course().solution(stem).read_text("utf-8"), name)


@pytest.mark.parametrize(("stem", "name", "look"), EXERCISES)
def test_the_right_answer_has_every_point(stem: str, name: str, look: str) -> None:
    row = judged(stem, name, right(stem, name))
    assert row.points == row.max
    harmless = "import time, random", "    print(time.time(), random.random(), id(print))", ""
    row = judged(stem, name, written(right(stem, name), harmless, look))
    assert (row.points, row.flag) == (row.max, "")


@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=pytest.mark.full) if what in SLOW else what for what in ALL]
)
@pytest.mark.parametrize(("stem", "name", "look"), EXERCISES)
def test_a_bad_habit_costs_every_check_and_is_named(stem: str, name: str, look: str, what: str) -> None:
    row = judged(stem, name, written(right(stem, name), ALL[what], look))
    said = "\n".join([row.flag, *(f"{check.voice}: {check.why}" for check in row.checks)])
    assert row.points == 0, said
    same("points/habits_in_the_judge", {f"{name}, {what}": in_lines(what, {name: row})})
    assert was_told(ALL[what], name, said), said
