"""The sandbox: a warm process in bubblewrap, that kernels are forked from, one submission at a time."""

from __future__ import annotations

import atexit
import contextlib
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

from .bubblewrap import PACKAGE, SCRATCH, ZYGOTE, command, missing

PROCESSES = 64  # of one kernel, threads included


class NoSandbox(RuntimeError):
    """There is no way to run other people's code safely here."""


class Process:
    """A kernel in the sandbox, with what jupyter_client wants of a process."""

    stdin = stdout = stderr = None

    def __init__(self, conn: socket.socket, pid: int) -> None:
        self.conn, self.pid, self.status = conn, pid, None
        self.handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Its exit status, once it has ended."""
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
        """End it with everything it started; returns when the sandbox is empty."""
        if self.status is None:
            self.conn.setblocking(True)
            with contextlib.suppress(OSError):
                self.conn.shutdown(socket.SHUT_WR)
            self.status = self._status()
        self.conn.close()
        os.close(self.handle)


class Sandbox:
    """The warm process and the folder it shares with the grader: sockets, and nothing else."""

    def __init__(self, boxed: bool = True) -> None:
        self.boxed, self.boxes = boxed, 0
        self.folder = Path(tempfile.mkdtemp(prefix="hz-"))
        self.folder.chmod(0o755)
        self.shared = self.folder / "shared"  # all of the folder that can be seen inside
        self.shared.mkdir()
        self.scratch = SCRATCH if boxed else tempfile.mkdtemp(prefix="hz-scratch-")
        self.warm: subprocess.Popen[str] | None = None
        atexit.register(self.close)

    def boot(self) -> None:
        if self.warm is not None and self.warm.poll() is None:
            return
        if self.boxed and (why := missing()):
            raise NoSandbox(why)
        path = self.folder / "z"
        path.unlink(missing_ok=True)
        door = socket.socket(socket.AF_UNIX)
        door.bind(str(path))
        door.listen(4)
        env = {
            "HOME": self.scratch, "IPYTHONDIR": f"{self.scratch}/ipython", "MPLCONFIGDIR": f"{self.scratch}/mpl",
            "PATH": os.defpath, "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0", "NBGRADER_EXECUTION": "autograde", "LANG": "C.UTF-8",
        }  # fmt: skip
        zygote = ["/zygote.py"] if self.boxed else [str(ZYGOTE)]
        start = [sys.executable, "-P", *zygote, str(door.fileno()), self.scratch]
        if self.boxed:
            start = command(self.shared) + start
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

    def box(self) -> Path:
        """A new folder for one submission's sockets; whatever another one left is gone."""
        self.boot()
        for left in self.shared.iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink()
        self.boxes += 1
        folder = self.shared / str(self.boxes)
        folder.mkdir()
        folder.chmod(0o777)
        return folder

    def fork(self, argv: list[str], env: dict[str, str], path: list[str]) -> Process:
        """A new kernel, that looks for modules in *path* first."""
        wanted = {"argv": argv, "env": env, "path": path, "processes": _processes()}
        asked = json.dumps(wanted).encode() + b"\n"
        for _ in range(2):
            self.boot()
            conn = socket.socket(socket.AF_UNIX)
            conn.connect(str(self.folder / "z"))
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            conn.sendall(asked)
            message, ancillary, *_ = conn.recvmsg(64, 256)
            if message:
                told = next(data for _, kind, data in ancillary if kind == socket.SCM_CREDENTIALS)
                return Process(conn, struct.unpack("3i", told)[0])
            assert self.warm is not None
            self.warm.wait()  # the warm process was ended: a new one
        raise NoSandbox("the sandbox does not fork: is there memory left?")


def _processes() -> int:
    """The limit on processes: where they belong to the grader's own user, what that one runs counts too."""
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
    """What is started in here stays on this worker's CPU.

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


_sandboxes: dict[bool, Sandbox] = {}


def sandbox(boxed: bool = True) -> Sandbox:
    """The sandbox of this process."""
    if boxed not in _sandboxes:
        _sandboxes[boxed] = Sandbox(boxed)
    return _sandboxes[boxed]
