"""Grading: many submissions through nbgrader, or one notebook on the spot; the executor is the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from nbformat import NotebookNode
from nbgrader.utils import parse_utc

from ..course.layout import Course
from ..course.release import nbgrader
from ..sandbox.bubblewrap import missing
from ..sandbox.sandbox import NoSandbox
from . import ledger
from .execute import Judged
from .rebuild import NotANotebook, read, rebuild
from .stories import fingerprint, stories

Ledger = dict[str, Any]


def students(course: Course, stem: str) -> list[str]:
    """Who has handed in a lab."""
    return sorted(
        path.parent.name for path in (course.build / "submitted").glob(f"*/{stem}") if path.is_dir()
    )


def grade(course: Course, stem: str, force: bool = False) -> Iterator[Ledger]:
    """Grade all submissions of a lab that are new, or all of them; gives each one's ledger.

    One that cannot be graded at all costs nobody else anything.
    """
    if why := missing():
        raise NoSandbox(why)
    course.notebook(stem)
    api = nbgrader(course)
    for student in students(course, stem):
        notes = _timestamp(course, stem, student)
        path = course.build / "ledger" / student / f"{stem}.json"
        told = api.autograde(stem, student, force=force)
        if told["success"] and path.is_file():
            found = json.loads(path.read_text("utf-8"))
            handed_in = path_in(course, stem, student)
            if handed_in.is_file() and handed_in.stat().st_mtime > path.stat().st_mtime:
                notes.append(
                    "changed since it was graded, with no newer timestamp.txt: --force grades it again"
                )
            yield {**found, "notes": notes + found["notes"]}
        else:
            why = (
                _not_there(path_in(course, stem, student))
                or str(
                    told.get("error") or told.get("log") or "no notebook of that name was handed in"
                ).strip()
            )
            yield {"student": student, "lab": stem, "points": 0.0, "max": 0.0, "cells": {},
                   "notes": [*notes, f"not graded: {why.splitlines()[-1]}"]}  # fmt: skip


def path_in(course: Course, stem: str, student: str) -> Path:
    """Where a student's notebook has to be."""
    return course.build / "submitted" / student / stem / f"{stem}.ipynb"


def _not_there(path: Path) -> str:
    """What is in place of a notebook that is not there."""
    if path.is_file():
        return ""
    others = sorted(other.name for other in path.parent.iterdir() if other.suffix == ".ipynb")
    return f"there is no {path.name}{', only ' + ', '.join(others) + ': rename it' if others else ''}"


def _timestamp(course: Course, stem: str, student: str) -> list[str]:
    """Put aside a timestamp that nbgrader could not read: it would refuse the submission for it."""
    path = course.build / "submitted" / student / stem / "timestamp.txt"
    if not path.is_file() and not path.is_symlink():
        return []
    try:
        if path.is_symlink():
            raise ValueError
        parse_utc(path.read_text("utf-8").strip())
    except (ValueError, OverflowError, OSError):
        path.rename(path.with_name("timestamp.unreadable"))
        return ["timestamp.txt is not a date, and was put aside: set the time by hand if it matters"]
    return []


def flagged(found: Ledger) -> bool:
    """Should a person look at it?"""
    return bool(found["notes"]) or any(row["flag"] for row in found["cells"].values())


def check(course: Course, path: Path, boxed: bool = True) -> Ledger:
    """Grade one notebook, wherever it is, and write nothing down."""
    found, broken = nbformat.v4.new_notebook(), ""
    try:
        found = read(path)
    except (NotANotebook, OSError) as wrong:
        broken = str(wrong)
    stem = _stem(course, path, found)
    built = nbformat.read(course.notebook(stem), 4)
    notes = [broken]
    if not broken:
        built, notes = rebuild(built, found)
    built.metadata["hugezero"] = {"notes": notes, "broken": broken}
    executor = Judged(root=str(course.root), boxed=boxed)
    resources: Any = {"nbgrader": {"notebook": stem, "student": path.stem}, "metadata": {}}
    executor.preprocess(built, resources)
    rows, told = resources["nbgrader"]["rows"], stories(course, stem)
    for row in rows.values():
        row["story"] = told.get(fingerprint(row["exercise"], row["checks"]), "")
    return {**ledger.summary(path.name, stem, notes, rows), "file": str(path)}


def _stem(course: Course, path: Path, found: NotebookNode) -> str:
    """Which lab a notebook is of: by its name, or by the cells it has."""
    if path.stem in course.stems():
        return path.stem
    marks = [
        c.get("metadata", {}).get("nbgrader") for c in found.cells if isinstance(c.get("metadata"), dict)
    ]
    mine = {mark.get("grade_id") for mark in marks if isinstance(mark, dict)}
    for stem in course.stems():
        cells = nbformat.read(course.notebook(stem), 4).cells
        theirs = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells} - {None}
        if mine & theirs:
            return stem
    raise NotANotebook(
        f"{path}: this is the notebook of no lab; name it like one: {', '.join(course.stems())}"
    )


def as_junit(found: list[Ledger]) -> str:
    """Ledgers as JUnit XML: a suite a notebook, a case a check."""
    xml = JUnitXml("hugezero")
    for each in found:
        suite = TestSuite(each.get("file", each["student"]))
        for exercise, row in each["cells"].items():
            for check in row["checks"]:
                case = TestCase(check["title"], classname=f"{each['lab']}.{exercise}", time=0)
                if check["voice"] == "not run":
                    case.result = [Skipped(check["why"])]
                elif check["points"] < check["max"]:
                    kind: Callable[..., Any] = Error if check.get("flag") else Failure
                    case.result = [kind(f"{check['voice']}: {check['why']}".rstrip(": "))]
                suite.add_testcase(case)
        xml.add_testsuite(suite)
    text: Any = xml.tostring()  # type: ignore[no-untyped-call]
    return text.decode() if isinstance(text, bytes) else str(text)
