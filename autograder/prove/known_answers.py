"""Runs a lab's checks on known answers in this process: the reference, the stub, mutants."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FrameType

from hugezero import notebook
from hugezero.check.checks import Result, lab_in, run_checks
from hugezero.check.function_under_test import subject
from hugezero.check.notebook import may_call
from hugezero.machine import Kernel

from ..course.layout import Course, load, source_of
from ..grading.stories import fingerprint
from .mutant import Mutant

SECONDS = 120  # of work, after which an answer is taken to have no end; or ten times that of waiting
TIMERS = (
    (signal.SIGPROF, signal.ITIMER_PROF, 1),
    (signal.SIGALRM, signal.ITIMER_REAL, 10),
)


class Endless(BaseException):
    """A known answer came to no end."""


@dataclass
class Verdict:
    """What the checks of its exercise said to one known answer."""

    mutant: Mutant
    results: list[Result]

    @property
    def points(self) -> float:
        return sum(result.points for result in self.results)

    @property
    def most(self) -> float:
        return sum(result.max for result in self.results)

    def failed(self, name: str) -> bool:
        """Was that check run, and not passed?"""
        return any(r.name == name and r.voice not in ("done", "not run") for r in self.results)


def reference_answers(course: Course, stem: str) -> list[Mutant]:
    """The reference's functions, as answers."""
    text = course.solution(stem).read_text("utf-8")
    return [Mutant("reference", name, source=source_of(text, name)) for name in course.checks(stem)]


def blank_answers(course: Course, stem: str) -> list[Mutant]:
    """What a notebook holds in which nothing was written: the text of its answer cells."""
    import nbformat

    cells = nbformat.read(course.notebook(stem), 4).cells
    text = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in cells}
    return [Mutant("blank", name, source=text[name]) for name in course.checks(stem)]


def known_mistakes(course: Course, stem: str) -> tuple[list[Mutant], list[Mutant]]:
    """A lab's mutants, and its equivalent rewrites."""
    if not course.mutants(stem).is_file():
        return [], []
    module = load(f"autograder.labs.{lab_in(stem)}.mutants", course.mutants(stem))
    return list(module.MUTANTS), list(module.EQUIVALENTS)


def try_one(course: Course, stem: str, mutant: Mutant, hidden: bool = True) -> Verdict:
    """Run the checks of its exercise on *mutant*, here: all of them, or those that are not *hidden*."""
    reference, name = course.reference(stem), mutant.exercise
    if name not in reference:
        raise ValueError(f"mutant {mutant.name}: the lab's reference has no {name}")
    names = {**vars(notebook), **vars(load(f"solutions.{stem}", course.solution(stem)))}
    code = mutant.code(source_of(course.solution(stem).read_text("utf-8"), name))
    exec(compile(code, f"<{mutant.name}>", "exec"), names)
    checks = [check for check in course.checks(stem)[name] if hidden or not check.hidden]
    function = subject(name, names.get(name), may_call(name, checks[0].lab))
    return Verdict(mutant, run_checks(checks, Kernel({**reference, name: function})))


def _timed(job: tuple[Course, str, Mutant]) -> Verdict:
    def ring(number: int, frame: FrameType | None) -> None:
        raise Endless

    course, stem, mutant = job
    for number, timer, times in TIMERS:
        signal.signal(number, ring)
        signal.setitimer(timer, times * SECONDS)
    try:
        verdict = try_one(course, stem, mutant)
        for result in verdict.results:
            result.picture = None  # no picture is passed between processes
        return verdict
    except Endless:
        checks = course.checks(stem)[mutant.exercise]
        return Verdict(
            mutant, [Result(c.name, c.title, c.points, voice="not yet", why="no end") for c in checks]
        )
    finally:
        for _, timer, _ in TIMERS:
            signal.setitimer(timer, 0)


def try_all(
    course: Course, stem: str, mutants: Iterable[Mutant], tell: Callable[[Verdict], None] = lambda _: None
) -> list[Verdict]:
    """Run the checks on each of *mutants*, on all CPUs."""
    jobs = [(course, stem, mutant) for mutant in mutants]
    if not jobs:
        return []
    course.checks(stem), course.reference(stem)
    verdicts = []
    with multiprocessing.get_context("fork").Pool(min(len(jobs), os.cpu_count() or 1)) as pool:
        for verdict in pool.imap(_timed, jobs):
            tell(verdict)
            verdicts.append(verdict)
    return verdicts


def keep_stories(course: Course, stem: str) -> None:
    """Find out how each mutant fails, for `stories`; nothing is done where nothing has changed."""
    folders = course.open_checks(stem).parent, course.mutants(stem).parent
    files = [course.solution(stem), *(file for folder in folders for file in sorted(folder.glob("*.py")))]
    key = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    kept = course.build / "stories" / f"{stem}.json"
    if kept.is_file() and json.loads(kept.read_text("utf-8"))["key"] == key:
        return
    found: dict[str, str] = {}
    for verdict in try_all(course, stem, known_mistakes(course, stem)[0]):
        if verdict.points < verdict.most:
            found.setdefault(fingerprint(verdict.mutant.exercise, verdict.results), verdict.mutant.story)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({"key": key, "stories": found}, indent=1, ensure_ascii=False) + "\n", "utf-8")
