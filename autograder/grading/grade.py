"""Grading: many submissions through nbgrader, or one notebook on the spot; the executor is the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI

from ..course.layout import Course
from ..course.release import nbgrader
from ..sandbox.bubblewrap import missing
from ..sandbox.sandbox import NoSandbox
from .execute import Judged
from .handed_in import HandedIn, handed_in, lab_of, path_in
from .reading import NotANotebook, read
from .rebuild import rebuild
from .results import SubmissionResult
from .stories import fingerprint, stories
from .workers import done_by

OLD = " (its points in the gradebook are those of an earlier hand-in)"


def grade(
    course: Course, stem: str, force: bool = False, rows: list[HandedIn] | None = None, jobs: int = 1
) -> Iterator[SubmissionResult]:
    """Grade the submissions of a lab that are new, or all of them; yield a result for each of *rows*.

    Those are the folders in submitted/, see `chosen`. One that cannot be graded costs nobody else
    anything: its result has no cells, and says why. *jobs*: processes that work at the same time.
    """
    if why := missing():
        raise NoSandbox(why)
    course.notebook(stem)
    api = _nbgrader(course)
    rows = chosen(course, stem) if rows is None else rows
    one = partial(_graded, course, stem, force)
    if jobs == 1 or len(rows) < 2:
        yield from map(one, rows)
        return
    with Gradebook(api.coursedir.db_url):
        pass  # it is there, and up to date, before several open it
    gone = "the process that graded it was ended from outside, twice"
    yield from done_by(jobs, one, rows, lost=lambda row: _not_graded(row, stem, gone))


def _nbgrader(course: Course) -> NbGraderAPI:
    """Return an nbgrader that waits for a gradebook which another one writes to."""
    api = nbgrader(course)
    if api.coursedir.db_url.startswith("sqlite:") and "?" not in api.coursedir.db_url:
        api.coursedir.db_url += "?timeout=60"
    return api


def chosen(
    course: Course, stem: str, only: Collection[str] = (), but: Collection[str] = ()
) -> list[HandedIn]:
    """Return the folders of *only* these students, or of all *but* those; ValueError if one is not there.

    A notebook in another place is put where it should be, and its row says so.
    """
    rows = handed_in(course, stem)
    there = {row.student for row in rows}
    for name in (*only, *but):
        if name not in there:
            raise ValueError(f"{name} has no folder in {course.build / 'submitted'}")
    return [row for row in rows if row.student not in but and (not only or row.student in only)]


def _graded(course: Course, stem: str, force: bool, row: HandedIn) -> SubmissionResult:
    path = course.build / "ledger" / row.student / f"{stem}.json"
    if row.broken:
        return _not_graded(row, stem, f"{row.broken}{OLD if path.is_file() else ''}")
    begun = path.with_suffix(".begun")  # stays if this run is ended: then the next one grades it again
    before = path.stat().st_mtime_ns if path.is_file() else 0
    force = force or begun.exists()
    begun.parent.mkdir(parents=True, exist_ok=True)
    begun.touch()
    try:
        told = _nbgrader(course).autograde(stem, row.student, force=force)
        found = SubmissionResult.read(path) if told["success"] else None
    except (OSError, ValueError) as wrong:  # a ledger that is not there, or was cut off
        told, found = {"error": f"{type(wrong).__name__}: {wrong}"}, None
    if found is None:
        why = _reason("\n".join(str(told.get(key) or "") for key in ("error", "log")))
        return _not_graded(row, stem, f"{why}{OLD if before else ''}")
    begun.unlink()
    changed = path_in(course, stem, row.student).stat().st_mtime_ns > path.stat().st_mtime_ns == before
    if changed:
        row.notes.append("changed since it was graded, with no newer timestamp.txt: --force grades it again")
    return replace(found, notes=row.notes + found.notes)


SAYS_NOTHING = ("Please see", "There was an error", "Traceback")


def _reason(log: str) -> str:
    """What a log of nbgrader's comes to: the last thing in it that went wrong."""
    said = re.findall(r"^(?:\[ERROR\] |\S+ \| ERROR\] |[A-Za-z_][\w.]*: )(.+)", log, re.MULTILINE)
    told = [line for line in said if not line.startswith(SAYS_NOTHING)]
    return told[-1] if told else "nbgrader does not say why"


def _not_graded(row: HandedIn, stem: str, why: str) -> SubmissionResult:
    return SubmissionResult(row.student, stem, [*row.notes, f"not graded: {why}"], {})


def check(course: Course, path: Path, boxed: bool = True) -> SubmissionResult:
    """Grade one notebook, wherever it is, and write nothing down."""
    found, broken = nbformat.v4.new_notebook(), ""
    notes: list[str] = []
    try:
        found, notes = read(path)
    except (NotANotebook, OSError) as wrong:
        broken = str(wrong)
    stem = path.stem if path.stem in course.stems() else lab_of(course, found)
    if not stem:
        raise NotANotebook(
            broken or f"{path}: this is the notebook of no lab; name it like one: {', '.join(course.stems())}"
        )
    built = nbformat.read(course.notebook(stem), 4)
    if broken:
        notes = [broken]
    else:
        built, more = rebuild(built, found)
        notes = notes + more
    built.metadata["hugezero"] = {"notes": notes, "broken": broken}
    executor = Judged(root=str(course.root), boxed=boxed)
    resources: Any = {"nbgrader": {"notebook": stem, "student": path.stem}, "metadata": {}}
    executor.preprocess(built, resources)
    rows, told = resources["nbgrader"]["rows"], stories(course, stem)
    for row in rows.values():
        row.story = told.get(fingerprint(row.exercise, row.checks), "")
    return SubmissionResult(path.name, stem, notes, rows, str(path))


def unchecked(path: Path, why: str) -> SubmissionResult:
    """Return the result of a notebook of which nothing could be checked."""
    return SubmissionResult(path.name, "", [why], {}, str(path))


def as_junit(found: list[SubmissionResult]) -> str:
    """Return results as JUnit XML: a suite a notebook, a case a check."""
    xml = JUnitXml("hugezero")
    for each in found:
        suite = TestSuite(each.file or each.student)
        if not each.cells:
            case = TestCase("this notebook can be graded", classname=each.lab or "hugezero", time=0)
            case.result = [Error("; ".join(each.notes))]
            suite.add_testcase(case)
        for exercise, row in each.cells.items():
            for check in row.checks:
                case = TestCase(check.title, classname=f"{each.lab}.{exercise}", time=0)
                if check.voice == "not run":
                    case.result = [Skipped(check.why)]
                elif check.points < check.max:
                    kind: Callable[..., Any] = Error if check.flag else Failure
                    case.result = [kind(f"{check.voice}: {check.why}".rstrip(": "))]
                suite.add_testcase(case)
        xml.add_testsuite(suite)
    text: Any = xml.tostring()  # type: ignore[no-untyped-call]
    return text.decode() if isinstance(text, bytes) else str(text)
