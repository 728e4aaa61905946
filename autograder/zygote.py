"""The warm process inside the sandbox: everything imported once, a kernel forked for each submission.

Started as `python zygote.py FD SCRATCH`. A connection to the socket FD is one kernel: a line of JSON
asks for it, a line of JSON tells its exit status, and the end of the connection is the kernel's.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import shutil
import signal
import socket
import struct
import sys
from typing import Any

PR_SET_DUMPABLE = 4
LIMITS = (
    (resource.RLIMIT_AS, 4 << 30),
    (resource.RLIMIT_FSIZE, 16 << 20),
    (resource.RLIMIT_NOFILE, 256),
    (resource.RLIMIT_CORE, 0),
)


def warm() -> None:
    """Import what a kernel imports while it starts, and what its first cell does."""
    sys.modules["debugpy"] = None  # type: ignore[assignment] # 0.1 s a kernel, and nobody debugs here
    for name in (
        "encodings.idna", "hugezero.check.answer", "ipykernel.ipkernel", "ipykernel.kernelapp",
        "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.logger", "IPython.core.oinspect",
        "IPython.extensions.storemagic", "IPython.utils.wildcard", "pdb", "pydoc", "sqlite3",
        "tornado.platform.asyncio", "tornado.queues", "matplotlib", "ipywidgets", "anywidget",
    ):  # fmt: skip
        with contextlib.suppress(ImportError):
            __import__(name)


def kernel(asked: dict[str, object], conn: socket.socket) -> None:
    """Become the kernel."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    os.chdir(str(asked["scratch"]))
    me = struct.pack("3i", os.getpid(), os.getuid(), os.getgid())
    conn.sendmsg([b"{}"], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, me)])
    conn.close()
    os.environ.update(asked["env"])  # type: ignore[call-overload]
    sys.path[:0] = asked["path"]  # type: ignore[call-overload]
    processes = int(str(asked["processes"]))
    for what, most in (*LIMITS, (resource.RLIMIT_NPROC, processes)):
        resource.setrlimit(what, (most, most))
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    from ipykernel.kernelapp import IPKernelApp

    argv = list(asked["argv"])  # type: ignore[call-overload]
    sys.argv = ["kernel", *argv]
    IPKernelApp.launch_instance(argv=argv)


def end(pid: int, alone: bool) -> int:
    """End the kernel and, where this is process 1 of its own world, everything else; its exit status."""
    with contextlib.suppress(ProcessLookupError):
        if alone:
            os.kill(-1, signal.SIGKILL)
        else:
            os.killpg(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(ChildProcessError):
        while alone:
            os.waitpid(-1, 0)
    return os.waitstatus_to_exitcode(status)


def wipe(*folders: str) -> None:
    for folder in folders:
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)


def main(fd: int, scratch: str) -> None:
    alone = os.getpid() == 1 and os.getppid() == 0
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # nobody inside traces or reads this process
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # process 1 with no handler cannot be signalled from inside
    warm()
    door = socket.socket(fileno=fd)
    print("ready", flush=True)
    watched: list[Any]
    while True:
        watched = [door, sys.stdin]
        ready, _, _ = select.select(watched, [], [])
        if sys.stdin in ready:  # the grader is gone, however it went
            return
        conn, _ = door.accept()
        asked = json.loads(conn.makefile().readline() or "null")
        if asked is None:
            conn.close()
            continue
        pid = os.fork()
        if pid == 0:
            door.close()
            try:
                kernel({**asked, "scratch": scratch}, conn)
            finally:
                os._exit(1)
        process = os.pidfd_open(pid)
        watched = [process, conn]
        select.select(watched, [], [])  # it died, or the grader is done with it
        os.close(process)
        status = end(pid, alone)
        wipe(scratch, *(["/dev/shm"] if alone else []))
        with contextlib.suppress(OSError):
            conn.sendall(json.dumps({"status": status}).encode() + b"\n")
        conn.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
