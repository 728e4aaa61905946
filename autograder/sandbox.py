"""The sandbox: bubblewrap around the warm process that kernels are forked from.

Inside there is Python, the course's package and one private folder; no network, no solutions, no
checks, no other submission. As root the processes inside belong to a user of their own, because
limits on processes do not bind root; otherwise to a user of a new namespace.
"""

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

import hugezero

PACKAGE = Path(hugezero.__path__[0])
ZYGOTE = Path(__file__).with_name("zygote.py")
SCRATCH, MEGABYTES = "/scratch", 256
PROCESSES = 64  # of one kernel, threads included


class NoSandbox(RuntimeError):
    """There is no way to run other people's code safely here."""


def missing() -> str:
    """Why there can be no sandbox on this system; nothing if there can."""
    if sys.platform != "linux":
        return "grading runs other people's code in bubblewrap, which is Linux only: grade on Linux, or in a container"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed, and without it other people's code would run as you: apt install bubblewrap"
    return ""


def _parents(paths: list[Path]) -> list[str]:
    """Arguments that make the folders above *paths*, open to everybody inside."""
    above = dict.fromkeys(parent for path in paths for parent in reversed(path.parents))
    system = (Path("/"), Path("/usr"), Path("/etc"))
    return [
        arg for parent in above if parent not in system for arg in ("--perms", "0755", "--dir", str(parent))
    ]


def command(shared: Path) -> list[str]:
    """How the warm process is started in a sandbox in which only *shared* can be written."""
    read = dict.fromkeys(Path(path) for path in (sys.prefix, sys.base_prefix, PACKAGE))
    read = {path: None for path in read if not path.is_relative_to("/usr")}
    world = ["--ro-bind", "/usr", "/usr"]
    for name in ("lib", "lib64", "bin"):
        world += ["--symlink", f"usr/{name}", f"/{name}"]
    world += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", *_parents([*read, shared])]
    for path in read:
        world += ["--ro-bind", str(path), str(path)]
    world += ["--ro-bind", str(ZYGOTE), "/zygote.py", "--proc", "/proc", "--dev", "/dev"]
    for folder in (SCRATCH, "/dev/shm"):
        world += ["--perms", "1777", "--size", str(MEGABYTES << 20), "--tmpfs", folder]
    world += ["--bind", str(shared), str(shared)]
    unshare = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    limits = ["--as-pid-1", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if os.getuid() == 0:
        user = str(61_000 + os.getpid() % 4_000)
        limits += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        become = [
            "setpriv",
            "--reuid",
            user,
            "--regid",
            user,
            "--clear-groups",
            "--inh-caps=-all",
            "--no-new-privs",
        ]
    else:
        unshare += ["--unshare-user", "--uid", "1000", "--gid", "1000"]
        become = []
    return ["bwrap", *unshare, *limits, *world, *become]


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
