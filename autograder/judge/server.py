"""The warm server of judges: checks and reference are imported once, and a fork of it judges one submission."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import hugezero

from ..course.layout import PROJECT, Course
from ..sandbox.sandbox import one_cpu
from .results import CellResult
from .session import Session

PR_SET_PDEATHSIG = 1
PRCTL = ctypes.CDLL(None).prctl
MEMORY = 4 << 30  # bytes that one judge may use


def main(fd: int) -> None:
    """Judge, in forks, what comes in over *fd*: a lab, with its listener and the grader's socket."""
    grader = socket.socket(fileno=fd)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        message, fds, *_ = socket.recv_fds(grader, 4096, 2)
        if not message:
            return
        asked = json.loads(message)
        course, stem = Course(Path(asked["root"])), asked["stem"]
        with contextlib.suppress(Exception):  # the fork says what is wrong with them, on its own socket
            course.checks(stem), course.reference(stem)
        if os.fork() == 0:
            grader.close()
            PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # no judge outlives the grader
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            try:
                Session(course, stem, *(socket.socket(fileno=fd) for fd in fds)).serve()
            except BrokenPipeError:
                pass
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stderr.flush()
                os._exit(0)
        for fd in fds:
            os.close(fd)


NO_JUDGE = "the judge of this answer ended before it had a verdict: a person must look at it"


class NoJudge(RuntimeError):
    """The judge's own process failed: a mistake in a check or a reference, never the student's."""


class Judge:
    """The judge of one submission, seen from the grader."""

    _warm: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def __init__(self, course: Course, stem: str, box: Path) -> None:
        self.course, self.stem, self.box = course, stem, box
        self.pid = 0  # of the process that judges, once a cell is on
        self.path = box / "j"
        self.path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(str(self.path))
        self.path.chmod(0o777)
        listener.listen(8)
        ours, theirs = socket.socketpair()
        asked = json.dumps({"root": str(course.root), "stem": stem}).encode()
        socket.send_fds(self._server(), [asked], [listener.fileno(), theirs.fileno()])
        listener.close()
        theirs.close()
        self.control = ours.makefile("rw")
        ours.close()

    def on(self, exercise: str) -> None:
        """From now on the judge asks about *exercise*."""
        self._say({"on": exercise})
        self.pid = int(self._hear()["pid"])

    def off(self) -> CellResult:
        """The cell has ended: return what it is worth."""
        self._say({})
        return CellResult.from_json(self._hear())

    def close(self) -> None:
        self.control.close()

    def _say(self, message: dict[str, str]) -> None:
        try:
            self.control.write(json.dumps(message) + "\n")
            self.control.flush()
        except OSError:
            raise NoJudge(NO_JUDGE) from None

    def _hear(self) -> Any:
        try:
            line = self.control.readline()
        except OSError:
            line = ""
        if not line:
            raise NoJudge(NO_JUDGE)
        return json.loads(line)

    @classmethod
    def _server(cls) -> socket.socket:
        if cls._warm is None or cls._warm[0].poll() is not None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            rest = tempfile.mkdtemp(prefix="judge")  # hypothesis writes where it stands
            env = {
                "PATH": os.defpath,
                "PYTHONPATH": os.pathsep.join([str(Path(hugezero.__path__[0]).parent), str(PROJECT)]),
                "PYTHONHASHSEED": "0",
                "PYTHONDONTWRITEBYTECODE": "1",
                "HYPOTHESIS_STORAGE_DIRECTORY": rest,
                "HOME": rest,
            }
            start = [sys.executable, "-P", "-m", "autograder.judge.server", str(theirs.fileno())]
            with one_cpu():
                process = subprocess.Popen(start, pass_fds=[theirs.fileno()], env=env, cwd=rest)
            theirs.close()
            cls._warm = process, ours
            atexit.register(shutil.rmtree, rest, ignore_errors=True)
            atexit.register(ours.close)  # first: it ends the server
        return cls._warm[1]


if __name__ == "__main__":
    main(int(sys.argv[1]))
