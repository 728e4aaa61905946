"""The sandbox: a warm process in bubblewrap, and for each submission a box that is made anew and thrown away.

The grader never writes to, and never opens a path in, a folder that a student's code can write to:
what a kernel gets is sent to it, and the sockets that it listens on are bound out here.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .bubblewrap import FORK_SERVER, PACKAGE, SCRATCH, SOCKETS, command, missing

PROCESSES = 64  # of one kernel, threads included
USERS = range(61_000, 65_000)  # that boxes belong to where the grader is root


class NoSandbox(RuntimeError):
    """There is no way to run other people's code safely here."""


class Process:
    """A kernel in the sandbox, with what jupyter_client wants of a process."""

    stdin = stdout = stderr = None

    def __init__(self, conn: socket.socket, pid: int) -> None:
        self.conn, self.pid, self.status = conn, pid, None
        self.handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return its exit status, once it has ended."""
        if self.status is None:
            self.conn.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                self.status = self._status()
        return self.status

    def _status(self) -> Any:
        try:
            told = self.conn.recv(4096)
        except BlockingIOError:
            raise
        except OSError:
            told = b""
        return json.loads(told)["status"] if told else -signal.SIGKILL

    def wait(self) -> int:
        while (status := self.poll()) is None:
            time.sleep(0.002)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.handle, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.kill()

    def wipe(self) -> None:
        """End it with everything it started; return when the sandbox is empty."""
        if self.status is None:
            self.conn.setblocking(True)
            with contextlib.suppress(OSError):
                self.conn.shutdown(socket.SHUT_WR)
            self.status = self._status()
        self.conn.close()
        os.close(self.handle)


class Box:
    """One submission's box, seen from outside."""

    def __init__(self, sandbox: Sandbox, number: int) -> None:
        self.sandbox = sandbox
        self.private = sandbox.folder / "private" / str(number)  # seen by the grader only
        self.public = sandbox.shared / str(number)  # can be read in the box, and not written
        self.inside = Path(SOCKETS, str(number)) if sandbox.boxed else self.public
        for folder, mode in ((self.private, 0o700), (self.public, 0o755)):
            folder.mkdir()
            folder.chmod(mode)

    def close(self) -> None:
        """Note that nobody is in it any more."""
        shutil.rmtree(self.private, ignore_errors=True)
        shutil.rmtree(self.public, ignore_errors=True)


LONGEST = 60  # bytes of a folder's name in which a socket's path, of 108 at most, still fits


def _short_folder() -> str:
    """Return the folder for temporary files; /tmp if its name is too long for sockets in it."""
    folder = tempfile.gettempdir()
    return folder if len(os.fsencode(folder)) <= LONGEST else "/tmp"


class Sandbox:
    """The warm process, and the folder in which submissions find their judge's socket.

    *hidden*: folders of which nothing may be seen inside, wherever they are.
    """

    def __init__(self, boxed: bool, hidden: tuple[Path, ...]) -> None:
        self.boxed, self.boxes, self.hidden = boxed, 0, hidden
        self.folder = Path(tempfile.mkdtemp(prefix="hz-", dir=_short_folder()))
        self.folder.chmod(0o755)
        self.shared = self.folder / "shared"  # all of the folder that can be seen inside
        for folder, mode in ((self.shared, 0o755), (self.folder / "private", 0o700)):
            folder.mkdir()
            folder.chmod(mode)
        self.scratch = SCRATCH if boxed else tempfile.mkdtemp(prefix="hz-scratch-")
        self.warm: subprocess.Popen[str] | None = None
        atexit.register(self.close)

    def boot(self) -> None:
        if self.warm is not None and self.warm.poll() is None:
            return
        if self.boxed and (why := missing()):
            raise NoSandbox(why)
        path = self.folder / "private" / "z"
        path.unlink(missing_ok=True)
        door = socket.socket(socket.AF_UNIX)
        door.bind(str(path))
        door.listen(4)
        env = {
            "HOME": self.scratch, "TMPDIR": self.scratch, "IPYTHONDIR": f"{self.scratch}/ipython",
            "MPLCONFIGDIR": f"{self.scratch}/mpl",
            "PATH": os.defpath, "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0", "NBGRADER_EXECUTION": "autograde", "LANG": "C.UTF-8",
        }  # fmt: skip
        server = ["/fork_server.py"] if self.boxed else [str(FORK_SERVER)]
        start = [sys.executable, "-P", *server, str(door.fileno()), self.scratch]
        if self.boxed:
            start = command(self.shared, self.hidden) + start
        pipe = subprocess.PIPE  # the end of its input ends the warm process, and with it the sandbox
        with one_cpu():
            self.warm = subprocess.Popen(
                start, stdin=pipe, stdout=pipe, text=True, cwd="/", env=env, pass_fds=[door.fileno()]
            )
        door.close()
        assert self.warm.stdout is not None
        if self.warm.stdout.readline() != "ready\n":
            raise NoSandbox(
                f"the sandbox did not start ({' '.join(start[:1])} said why above): "
                "bubblewrap needs user namespaces, or root"
            )

    def close(self) -> None:
        if self.warm is not None and self.warm.stdin is not None:
            self.warm.stdin.close()
            self.warm.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        if not self.boxed:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def box(self) -> Box:
        """Return a box for one submission."""
        self.boot()
        self.boxes += 1
        return Box(self, self.boxes)

    def fork(self, connection: dict[str, Any], doors: dict[int, socket.socket], env: dict[str, str],
             files: dict[str, str]) -> Process:  # fmt: skip
        """Start a new kernel in a new box, listening on *doors* (by port), with *files* (by name) to import from."""
        wanted = {"connection": connection, "ports": list(doors), "env": env, "files": files,
                  "processes": _processes(), "user": self._user()}  # fmt: skip
        asked = json.dumps(wanted).encode() + b"\n"
        fds = [door.fileno() for door in doors.values()]
        for _ in range(2):
            self.boot()
            conn = socket.socket(socket.AF_UNIX)
            conn.connect(str(self.folder / "private" / "z"))
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            sent = socket.send_fds(conn, [asked], fds)
            conn.sendall(asked[sent:])
            message, ancillary, *_ = conn.recvmsg(64, 256)
            if message:
                told = next(data for _, kind, data in ancillary if kind == socket.SCM_CREDENTIALS)
                return Process(conn, struct.unpack("3i", told)[0])
            assert self.warm is not None
            if self.warm.poll() is None:
                break
        raise NoSandbox(
            "the sandbox makes no box: is there memory left, and may there be namespaces in namespaces?"
        )

    def _user(self) -> int:
        """Return the user that the next box belongs to; 0 where that can only be the grader's own."""
        return USERS[(os.getpid() * 101 + self.boxes) % len(USERS)] if self.boxed and os.getuid() == 0 else 0


def _processes() -> int:
    """Return the limit on processes: where they belong to the grader's own user, what that one runs counts too."""
    if os.getuid() == 0:
        return PROCESSES
    mine = os.getuid()
    running = 0
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == mine:
                running += len(os.listdir(f"{entry.path}/task"))
    return PROCESSES + running


@contextlib.contextmanager
def one_cpu() -> Iterator[None]:
    """Keep what is started in here on this worker's CPU.

    Judge and student take turns; a turn that changes CPUs costs three times as much.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(cpus)[os.getpid() % len(cpus)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cpus)


@functools.cache
def sandbox(boxed: bool, hidden: tuple[Path, ...]) -> Sandbox:
    """Return the sandbox of this process in which nothing of *hidden* is seen."""
    return Sandbox(boxed, hidden)
