"""The judge: machine, checks and reference in a process of their own. It asks, and never believes.

Two doors. The *listener* is for the student's process, which can only answer questions. The
*control* socket is the grader's: it says which cell is on, and gets that cell's result.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from hugezero.check.checks import Check, Result, run_checks, run_one
from hugezero.check.function_under_test import FunctionUnderTest
from hugezero.check.lint import told
from hugezero.check.notebook import may_call
from hugezero.machine import Kernel

from ..course.layout import Course
from .channel import Channel, ProtocolBroken, Unanswered, WaitsTooLong
from .remote_function import NoEvidence, RemoteFunction, StudentProcess
from .results import CellResult

CHECK_CPU = 60.0  # seconds of the judge's own CPU that one check may take; the dearest takes 4
LOST = 2  # copies of the student's process that may be lost, or be without end, in one cell


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


class ExerciseJudge:
    """Judges one graded cell: a new copy of the student's process for each check.

    *accept* gives the next copy's socket, or None when there is none.
    """

    def __init__(
        self, course: Course, stem: str, exercise: str, accept: Callable[[], socket.socket | None]
    ) -> None:
        self.checks = course.checks(stem)[exercise]
        self.exercise, self.accept = exercise, accept
        reference = course.reference(stem)
        calls = may_call(exercise, self.checks[0].lab)
        self.process = StudentProcess(self._channel)
        self.function = RemoteFunction(self.process, exercise, calls)
        self.arguments = len(inspect.signature(reference[exercise]).parameters)
        under_test = FunctionUnderTest(exercise, self.function, calls)
        self.kernel = Kernel({**reference, exercise: under_test})
        self.lost, self.void = 0, ""

    def judge(self) -> CellResult:
        """Return what this cell is worth."""
        results = run_checks(self.checks, self.kernel, self._run)
        for result in results:
            result.points = 0.0 if self.void else result.points
        points = float(sum(result.points for result in results))
        flag = self.void or "; ".join(dict.fromkeys(filter(None, (result.flag for result in results))))
        most = sum(check.points for check in self.checks)
        return CellResult(self.exercise, self.checks[0].lab, points, most, flag, "", results)

    def _channel(self) -> Channel | None:
        copy = self.accept()
        return None if copy is None else Channel(copy)

    def _run(self, check: Check, kernel: Kernel, again: bool = False) -> Result:
        """Run *check*, where nothing that the student's process does can be an error of the judge's."""
        if self.void or self.lost >= LOST:
            return check.result("not yet", f"not asked: {self.void or 'your code was lost too often'}")
        try:
            with self.process, budget(CHECK_CPU):
                self.function.complaint(self.arguments)  # a copy that is asked nothing is the last one
                result = run_one(check, kernel)
        except WaitsTooLong as asleep:
            if not again:
                return self._run(check, kernel, again=True)
            self.lost += 1
            why = told(str(asleep), self.function.habits)
        except NoEvidence as none:
            why = str(none)
        except Unanswered as end:
            self.lost += 1
            why = told(str(end), self.function.habits)
        except ProtocolBroken as broken:
            why = self.void = str(broken)
        except Overworked:
            why = f"what {self.exercise} asks of the kernel is so much that the check came to no end"
        else:
            result.flag = result.why if result.voice == "inconclusive" else ""
            return result
        return check.result("inconclusive", why, flag=why)


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
                result = ExerciseJudge(self.course, self.stem, exercise, self._accept).judge()
            except BrokenPipeError:
                raise
            except BaseException as wrong:
                sys.excepthook(*sys.exc_info())
                why = f"the judge itself fell over ({type(wrong).__name__}: {wrong}): no verdict"
                checks = self.course.checks(self.stem).get(exercise, [])
                result = CellResult.unseen(exercise, checks, why[:400])
            while not self._ended():  # copies that come too late are sent away until the cell is off
                self._send_away()
            self.control.readline()
            self._tell(asdict(result))

    def _tell(self, message: dict[str, Any]) -> None:
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
