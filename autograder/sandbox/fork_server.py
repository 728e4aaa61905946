"""The warm process inside the sandbox: everything imported once, a box made and thrown away for each kernel.

Started as `python fork_server.py FD SCRATCH`. A connection to the socket FD is one kernel: a line of JSON
with the sockets that it listens on asks for it, a line of JSON tells its exit status, and the end of
the connection is the kernel's. Code of a student's never runs in this process, only in forks of it
that have left every namespace it lives in: what one kernel leaves behind ends with its box.
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
import tempfile
from typing import Any

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
SPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 0x4000, 1 << 18
CAPABILITIES_V3 = 0x20080522
INSIDE = 1000  # the user and the group that a student's code runs as, seen from inside
SCRATCH_MB, SHARED_MB = 256, 64  # of the two folders that a box can write in, both its own
LIMITS = (
    (resource.RLIMIT_AS, 4 << 30),
    (resource.RLIMIT_FSIZE, 16 << 20),
    (resource.RLIMIT_NOFILE, 256),
    (resource.RLIMIT_CORE, 0),
)
libc = ctypes.CDLL(None, use_errno=True)


def warm() -> None:
    """Import what a kernel imports while it starts, and what its first cell does."""
    sys.modules["debugpy"] = None  # type: ignore[assignment] # 0.1 s a kernel, and nobody debugs here
    for name in (
        "encodings.idna", "hugezero.remote.answering", "ipykernel.ipkernel", "ipykernel.kernelapp",
        "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.logger", "IPython.core.oinspect",
        "IPython.extensions.storemagic", "IPython.utils.wildcard", "pdb", "pydoc", "sqlite3",
        "tornado.platform.asyncio", "tornado.queues", "matplotlib", "ipywidgets", "anywidget",
    ):  # fmt: skip
        with contextlib.suppress(ImportError):
            __import__(name)


def _must(name: str, *args: Any) -> None:
    """Call *name* of the C library; raise OSError if it fails."""
    if getattr(libc, name)(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _become(user: int) -> None:
    """Be *user* in a user namespace of its own, in which nobody can make another one."""
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # or its own maps cannot be written
    uid, gid = os.getuid(), os.getgid()
    _must("unshare", CLONE_NEWUSER | (0 if user else SPACES))
    for name, text in (
        ("setgroups", "deny"), ("uid_map", f"{INSIDE} {uid} 1"), ("gid_map", f"{INSIDE} {gid} 1"),
    ):  # fmt: skip
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _mount(kind: str, target: str, options: str = "", flags: int = 0) -> None:
    _must(
        "mount", kind.encode(), target.encode(), kind.encode(), MS_NOSUID | MS_NODEV | flags, options.encode()
    )


def box(user: int, scratch: str) -> None:
    """Go on in a box of its own: new namespaces, new folders, a user with no rights; process 1 in there.

    *user*: where this process is root, the user that the box belongs to outside; else 0. The process
    that called this stays outside, waits for the box, and ends as it did.
    """
    if user:
        _must("unshare", SPACES)
    else:
        _become(0)
    pid = os.fork()
    if pid:
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # nor is this one traced or read
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os._exit(code if code >= 0 else 128 - code)
    _must("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
    for folder, mebibytes in ((scratch, SCRATCH_MB), ("/dev/shm", SHARED_MB)):
        _mount("tmpfs", folder, f"size={mebibytes}m,nr_inodes=16384,mode=1777")
    with contextlib.suppress(
        PermissionError
    ):  # a container hides parts of /proc: then it stays the outer one
        _mount("proc", "/proc", flags=MS_NOEXEC)
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        _become(user)
    with contextlib.suppress(OSError), open("/proc/sys/user/max_user_namespaces", "w") as file:
        file.write("0")
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    head, none = (ctypes.c_uint32 * 2)(CAPABILITIES_V3, 0), (ctypes.c_uint32 * 6)()
    _must("capset", head, none)
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def kernel(asked: dict[str, Any], doors: list[int], conn: socket.socket) -> None:
    """Become the kernel that *asked* describes, listening on *doors*."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    scratch = asked["scratch"]
    os.chdir(scratch)
    me = struct.pack("3i", os.getpid(), os.getuid(), os.getgid())
    conn.sendmsg([b"{}"], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, me)])
    conn.close()
    os.environ.update(asked["env"])
    for name, text in asked["files"].items():
        with open(f"{scratch}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    sys.path.insert(0, scratch)
    for what, most in (*LIMITS, (resource.RLIMIT_NPROC, asked["processes"])):
        resource.setrlimit(what, (most, most))
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    connection = f"{scratch}/.kernel.json"
    with open(connection, "w", encoding="utf-8") as file:
        json.dump(asked["connection"], file)
    sys.argv = ["kernel", "-f", connection]
    _app(dict(zip(asked["ports"], doors, strict=True))).launch_instance(argv=sys.argv[1:])


def _app(doors: dict[int, int]) -> Any:
    """Return the kernel's application: it binds no address, and listens on sockets that the grader has bound."""
    import zmq
    from ipykernel.kernelapp import IPKernelApp

    class KernelApp(IPKernelApp):
        def _try_bind_socket(self, s: Any, port: int) -> int:
            s.setsockopt(zmq.USE_FD, doors[port])
            s.bind(f"ipc://{self.ip}-{port}")  # a name only: the file is not there
            return port

        def init_heartbeat(self) -> None:
            """None: the grader knows by the process whether it lives."""

    return KernelApp


def end(pid: int, alone: bool) -> int:
    """End the kernel and, where this is process 1 of its own world, everything else; return its exit status."""
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


def request(conn: socket.socket) -> tuple[Any, list[int]]:
    """Return what is asked for, and the sockets that came with it; None if nothing is."""
    text, fds, *_ = socket.recv_fds(conn, 65536, 8)
    while text and not text.endswith(b"\n"):
        text += conn.recv(65536) or b"\n"
    return json.loads(text or b"null"), fds


def main(fd: int, scratch: str) -> None:
    alone = os.getpid() == 1 and os.getppid() == 0
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # nobody inside traces or reads this process
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # process 1 with no handler cannot be signalled from inside
    warm()
    door = socket.socket(fileno=fd)
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([door, sys.stdin], [], [])
        if sys.stdin in ready:  # the grader is gone, however it went
            return
        conn, _ = door.accept()
        asked, doors = request(conn)
        if asked is None:
            conn.close()
            continue
        own = scratch if alone else tempfile.mkdtemp(prefix="box-", dir=scratch)
        pid = os.fork()
        if pid == 0:
            try:
                door.close()
                if alone:
                    box(asked["user"], own)
                kernel({**asked, "scratch": own}, doors, conn)
            except Exception:
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stderr.flush()
                os._exit(1)
        for each in doors:
            os.close(each)
        process = os.pidfd_open(pid)
        select.select([process, conn, sys.stdin], [], [])  # it died, or the grader is done with it, or gone
        os.close(process)
        status = end(pid, alone)
        if not alone:
            shutil.rmtree(own, ignore_errors=True)
        with contextlib.suppress(OSError):
            conn.sendall(json.dumps({"status": status}).encode() + b"\n")
        conn.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
