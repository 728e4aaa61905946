"""The judge: machine, checks and reference in a process of their own. It asks, and never believes.

Two doors. The *listener* is for the student's process, which can only answer questions. The
*control* socket is the grader's: it says which cell is on, and gets that cell's row of the ledger.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from hugezero.check.checks import Check, CodeRaised, Failed, Inconclusive, run_checks
from hugezero.check.lint import told
from hugezero.check.notebook import may_call
from hugezero.machine import Kernel
from hugezero.store import KernelBug, RunsOn

from ..course.layout import Course
from .channel import Asleep, Foul, Port, Unanswered
from .remote_functions import RanOn, Student

CHECK_CPU = 60.0  # seconds of the judge's own CPU that one check may take; the dearest takes 4
LOST = 2  # copies of the student's process that may be lost, or be without end, in one cell
NO_EVIDENCE = "no evidence: nothing answered the judge"
Row = dict[str, Any]


def empty_row(exercise: str, checks: list[Check], flag: str) -> Row:
    """A cell of which nothing was seen."""
    rows = [
        {"name": c.name, "title": c.title, "max": c.points, "points": 0.0, "voice": "not run", "why": flag,
         "hint": "", "schedule": [], "hidden": c.hidden, "flag": ""}
        for c in checks
    ]  # fmt: skip
    return {
        "exercise": exercise,
        "lab": checks[0].lab if checks else "",
        "points": 0.0,
        "max": sum(c.points for c in checks),
        "flag": flag,
        "story": "",
        "checks": rows,
    }


class Overworked(BaseException):
    """One check has cost more of the judge's own CPU than any answer is worth."""


@contextlib.contextmanager
def budget(seconds: float) -> Iterator[None]:
    """Let the block use so much CPU of this process; then Overworked is raised in it."""

    def ring(number: int, frame: object) -> None:
        raise Overworked

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


class Bench:
    """Judges one graded cell: a new copy of the student's process for each check."""

    def __init__(self, course: Course, stem: str, exercise: str) -> None:
        self.checks = course.checks(stem)[exercise]
        self.exercise = exercise
        reference = course.reference(stem)
        self.student = Student(reference, may_call(exercise, self.checks[0].lab))
        self.kernel = Kernel({**reference, exercise: self.student.function(exercise)})
        self.flags: dict[str, str] = {}
        self.lost, self.void, self.shape = 0, "", ""

    def judge(self, accept: Any) -> Row:
        """The row of this cell; *accept* gives the next copy's socket, or None when there is none."""
        guards: dict[Check, Check] = {}
        for check in self.checks:
            needs = tuple(guards[need] for need in check.needs if need in guards)
            guards[check] = replace(check, run=self._guarded(check, accept), needs=needs)
        rows = [asdict(result) for result in run_checks(guards.values(), self.kernel)]
        for row in rows:
            row["flag"] = self.flags.get(row["name"], "")
            if self.void:
                row["points"] = 0.0
        points = float(sum(row["points"] for row in rows))
        flag = self.void or "; ".join(dict.fromkeys(filter(None, (row["flag"] for row in rows))))
        return {"exercise": self.exercise, "lab": self.checks[0].lab, "points": points,
                "max": sum(c.points for c in self.checks), "flag": flag, "story": "", "checks": rows}  # fmt: skip

    def _guarded(self, check: Check, accept: Any) -> Any:
        """*check*, where nothing that the student's process does can be an error of the judge's."""

        @functools.wraps(check.run)
        def run(kernel: Any, again: bool = False) -> object:
            if self.shape:
                raise Failed(self.shape)
            if self.void or self.lost >= LOST:
                raise Failed(f"not asked: {self.void or 'your code was lost too often'}")
            conn = accept()
            if conn is None:
                raise self._flagged(check, NO_EVIDENCE)
            port = Port(conn)
            try:
                with budget(CHECK_CPU):
                    return asked(kernel, port)
            except Asleep as asleep:
                if again:
                    self.lost += 1
                    raise self._flagged(check, told(str(asleep), self.student.habits)) from None
                port.close()  # the next copy comes only when this one has gone
                return run(kernel, again=True)
            except (Overworked, RunsOn):
                raise self._flagged(
                    check, f"what {self.exercise} asks of the kernel is so much that the check came to no end"
                ) from None
            finally:
                port.close()

        def asked(kernel: Any, port: Port) -> object:
            try:
                self.student.connect(port)
                self.shape = self.student.look(self.exercise)
                if self.shape:
                    raise Failed(self.shape)
                try:
                    said = check.run(kernel)
                except (CodeRaised, Failed, KernelBug) as wrong:
                    if self.student.habits and not isinstance(wrong, Inconclusive):
                        self._ask_again(port, accept)  # that it differs says more than what it came to
                    raise
                self._ask_again(port, accept)
                return said
            except Asleep:
                raise
            except Unanswered as end:
                self.lost += 1
                raise self._flagged(check, told(str(end), self.student.habits)) from None
            except Foul as foul:
                self.void = str(foul)
                raise self._flagged(check, self.void) from None
            except Failed as failed:
                if isinstance(failed, Inconclusive):
                    self.flags[check.name] = failed.why
                self.lost += isinstance(failed, RanOn)
                raise
            except Exception as wrong:
                if type(wrong).__module__ == "hugezero.check.checks":
                    raise
                raise self._flagged(
                    check, f"this check could make nothing of what it got ({type(wrong).__name__}: {wrong})"
                ) from wrong

        return run

    def _ask_again(self, port: Port, accept: Any) -> None:
        """Ask a new copy of the student's process the same: it has kept nothing of what the first one was asked."""
        if not self.student.calls:
            return
        port.close()
        conn = accept()
        if conn is None:
            raise Unanswered(NO_EVIDENCE)
        second = Port(conn)
        try:
            self.student.connect(second, forget=False)
            self.student.look(self.exercise)
            self.student.again()
        finally:
            second.close()

    def _flagged(self, check: Check, why: str) -> Inconclusive:
        self.flags[check.name] = why
        return Inconclusive(why)


class Session:
    """One submission's judge: answers the grader until it hangs up."""

    def __init__(self, course: Course, stem: str, listener: socket.socket, control: socket.socket) -> None:
        self.course, self.stem, self.listener = course, stem, listener
        listener.setblocking(False)
        self.control = control.makefile("rw")
        self.poll = select.poll()
        self.poll.register(listener, select.POLLIN)
        self.poll.register(control, select.POLLIN)
        self.door, self.grader = listener.fileno(), control.fileno()

    def serve(self) -> None:
        for line in iter(self.control.readline, ""):
            exercise = json.loads(line)["on"]
            self._send_away()
            self._tell({"ready": exercise, "pid": os.getpid()})
            try:
                row = Bench(self.course, self.stem, exercise).judge(self._accept)
            except BrokenPipeError:
                raise
            except BaseException as wrong:
                sys.excepthook(*sys.exc_info())
                why = f"the judge itself fell over ({type(wrong).__name__}: {wrong}): no verdict"
                row = empty_row(exercise, self.course.checks(self.stem).get(exercise, []), why[:400])
            while not self._ended():  # copies that come too late are sent away until the cell is off
                self._send_away()
            self.control.readline()
            self._tell(row)

    def _tell(self, message: Row) -> None:
        self.control.write(json.dumps(message) + "\n")
        self.control.flush()

    def _ended(self) -> bool:
        return any(fd == self.grader for fd, _ in self.poll.poll())

    def _accept(self) -> socket.socket | None:
        """The next copy that wants to answer; None once the cell has ended without one."""
        ready = {fd for fd, _ in self.poll.poll()}
        if self.door not in ready:
            return None
        try:
            return self.listener.accept()[0]
        except OSError:
            return self._accept()

    def _send_away(self) -> None:
        try:
            while True:
                self.listener.accept()[0].close()
        except OSError:
            return
