"""Executes a rebuilt notebook in the sandbox; what it is worth, the judge says."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors.execute import Execute
from traitlets import Bool, Integer, Unicode

from ..course.cells import exercise_of, is_graded
from ..course.given import givens
from ..course.layout import PROJECT, Course
from ..judge.results import CellResult
from ..judge.server import Judge, NoJudge
from ..sandbox import jupyter_kernel
from ..sandbox.sandbox import NoSandbox, sandbox
from .watchdog import watched

SERVE = "__import__('hugezero.remote.answering', fromlist=['serve']).serve(globals())"
EXPERIMENT = "experiment"  # the tag of given cells that are not run while grading
AGAIN = 6  # times shorter the grader waits for a submission that has kept it waiting once
ATTEMPTS = 4  # a cell that ends the kernel is left out of the next one


class KernelLost(BaseException):
    """A cell ended the kernel."""


def _error(cell: NotebookNode, *kinds: str) -> str:
    """What a cell ended with, if that was an error, and one of *kinds*."""
    found = [
        o for o in cell.get("outputs", []) if o.output_type == "error" and (not kinds or o.ename in kinds)
    ]
    return f"this cell ended with {found[0].ename}: {found[0].evalue[:200]}" if found else ""


class Judged(Execute):  # type: ignore[misc]
    """While a graded cell is on, its text is not executed: the kernel answers the judge."""

    kc: Any
    root = Unicode("", help="the course's folder; by default the one that holds the course directory").tag(
        config=True
    )
    boxed = Bool(True, help="run in the sandbox").tag(config=True)
    cell_seconds = Integer(30, help="seconds that a cell which is not graded may take").tag(config=True)
    all_seconds = Integer(180, help="seconds that all of them may take").tag(config=True)
    silent_seconds = Integer(60, help="seconds of silence after which a graded cell is given up").tag(
        config=True
    )
    work_seconds = Integer(300, help="seconds of CPU that all graded cells may take").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any, km: Any = None) -> tuple[NotebookNode, Any]:
        course = Course(Path(self.root or os.path.dirname(os.path.abspath("."))))
        stem = resources["nbgrader"]["notebook"]
        self.rows: dict[str, CellResult] = {}
        self.lost: dict[int, str] = {}  # cells that ended the kernel, or had to be stopped
        self.skip: set[int] = set()
        self.ended = ""  # why the kernel was ended, if the grader did that
        self.left: float = self.all_seconds
        self.work_left: float = self.work_seconds
        self.patience: float = self.silent_seconds
        resources["nbgrader"]["rows"] = self.rows
        broken = nb.metadata.get("hugezero", {}).get("broken")
        if not broken:
            self._run(nb, resources, course, stem)
        checks = course.checks(stem)
        for cell in filter(is_graded, nb.cells):
            name = exercise_of(cell)
            why = broken or "no evidence: the kernel was lost before this cell"
            row = self.rows.setdefault(name, CellResult.unseen(name, checks.get(name, []), why))
            for index, answer in enumerate(nb.cells):
                if answer.metadata.get("nbgrader", {}).get("grade_id") == name and answer.cell_type == "code":
                    row.flag = row.flag or self.lost.get(index, "")
                    row.cell = self.lost.get(index, "") or _error(answer)
        return nb, resources

    def _run(self, nb: NotebookNode, resources: Any, course: Course, stem: str) -> None:
        box = sandbox(self.boxed, (PROJECT, course.root)).box()
        self.judge = Judge(course, stem, box.public)
        given = givens(course, stem)
        env = {"HUGEZERO_JUDGE": str(box.inside / self.judge.path.name)}
        try:
            for _ in range(ATTEMPTS):
                km = jupyter_kernel.manager(box, env, given)
                try:
                    super().preprocess(nb, resources, km=km)
                    return
                except KernelLost:
                    continue
                finally:
                    if self.kc is not None:
                        self.kc.stop_channels()
                        self.kc = None
                    jupyter_kernel.end(km)
        finally:
            self.judge.close()
            box.close()

    def _watched(self) -> contextlib.AbstractContextManager[Callable[[], float]]:
        """While a graded cell is on: its kernel is ended if it keeps the judge waiting."""
        process, self.ended = self.km.provisioner.process, ""

        def end(why: str) -> None:
            self.ended = f"this cell was ended: {why}"
            self.patience, self.work_left = self.silent_seconds / AGAIN, self.work_seconds / AGAIN
            process.kill()

        return watched(process.pid, self.judge.pid, self.patience, max(1.0, self.work_left), end)

    def _verdict(self, name: str) -> CellResult:
        """The judge's result of the cell that has just ended; a judge that is gone is replaced."""
        try:
            return self.judge.off()
        except NoJudge as gone:
            self.judge.close()
            self.judge = Judge(self.judge.course, self.judge.stem, self.judge.box)
            checks = self.judge.course.checks(self.judge.stem).get(name, [])
            return CellResult.unseen(name, checks, str(gone))

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        name = exercise_of(cell) if is_graded(cell) else ""
        if index in self.skip or name in self.rows:
            return cell, resources
        if EXPERIMENT in cell.metadata.get("tags", []):
            cell.outputs = [new_output("stream", name="stdout", text="(not run while grading)\n")]
            return cell, resources  # it shows something to the student and changes nothing that is graded
        shown, start = cell.source, time.monotonic()
        seconds = max(1, min(self.cell_seconds, math.ceil(self.left)))
        self.timeout = None if name else seconds
        try:
            if name:
                cell.source = SERVE
                self.judge.on(name)
                with self._watched() as used:
                    cell, resources = super().preprocess_cell(cell, resources, index)
                    self.work_left -= used()
            else:
                cell, resources = super().preprocess_cell(cell, resources, index)
            stopped = _error(cell, "KeyboardInterrupt", "CellTimeoutError")
            if not name and time.monotonic() - start > seconds and stopped:
                self.lost[index] = f"this cell was stopped after {seconds} s"
            return cell, resources
        except NoSandbox:
            raise
        except NoJudge:
            return cell, resources
        except Exception as wrong:  # a dead kernel, an interrupt that did nothing, a message that is none
            self.log.warning("cell %s of %s: %s", index, resources["nbgrader"].get("student"), wrong)
            self.lost[index] = self.ended or f"this cell ended the kernel ({type(wrong).__name__})"
            self.skip.add(index)
            cell.outputs = [
                new_output(
                    "error", ename=type(wrong).__name__, evalue=str(wrong)[:300], traceback=[self.lost[index]]
                )
            ]
            raise KernelLost from None
        finally:
            cell.source = shown
            if name:
                self.rows[name] = self._verdict(name)
            else:
                self.left -= time.monotonic() - start
