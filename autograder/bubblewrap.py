"""What the sandbox shows and forbids: the command line of bubblewrap.

Inside there is Python, the course's package and one private folder; no network, no solutions, no
checks, no other submission. As root the processes inside belong to a user of their own, because
limits on processes do not bind root; otherwise to a user of a new namespace.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import hugezero

PACKAGE = Path(hugezero.__path__[0])
ZYGOTE = Path(__file__).with_name("zygote.py")
SCRATCH, MEGABYTES = "/scratch", 256


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
