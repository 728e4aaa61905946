"""What the sandbox shows and forbids: the command line of bubblewrap.

Inside there is what Python and the course's package need, by name, and nothing else: no network, no
solutions, no checks, no other submission, nothing that can be written. The warm process that runs in
it makes a box of its own for each submission (see fork_server). As root it keeps the capabilities
that this takes; otherwise it lives in a user namespace, in which anybody may make another one.
"""

from __future__ import annotations

import os
import shutil
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

import hugezero

PACKAGE = Path(hugezero.__path__[0])
FORK_SERVER = Path(__file__).with_name("fork_server.py")
KEPT = ("SYS_ADMIN", "SETUID", "SETGID", "KILL")  # by the warm process as root; a box has none
SCRATCH, SOCKETS = "/scratch", "/sockets"  # inside: a box's own folder; where the judge listens


def missing() -> str:
    """Return why there can be no sandbox on this system; "" if there can."""
    if sys.platform != "linux":
        return "grading runs other people's code in bubblewrap, which is Linux only: grade on Linux, or in a container"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed, and without it other people's code would run as you: apt install bubblewrap"
    return ""


def needed() -> list[Path]:
    """Return the files and folders that Python needs to run the course's package."""
    found = [*_links(Path(sys.executable)), Path(sys.prefix, "pyvenv.cfg")]
    found += [Path(sysconfig.get_path("stdlib")), *map(Path, site.getsitepackages())]
    if site.ENABLE_USER_SITE:
        found.append(Path(site.getusersitepackages()))
    found += Path(sysconfig.get_config_var("LIBDIR") or "/usr/lib").glob("libpython*.so*")
    found += [Path("/usr/lib", sysconfig.get_config_var("MULTIARCH") or "."), Path("/usr/lib64")]
    found += [*Path("/usr/lib").glob("*.so*"), *Path("/usr/local/lib").glob("*.so*")]
    found += [Path("/etc/ld.so.cache"), PACKAGE]
    return [path for path in dict.fromkeys(found) if path.exists() and path != Path("/usr/lib")]


def _links(path: Path) -> Iterator[Path]:
    """Yield *path*, and what it is a link to, down to the file itself."""
    while path.is_symlink():
        yield path
        path = path.parent / path.readlink()
    yield path


def _open(path: Path) -> list[str]:
    """Make the folders above *path* where they are not there, open to everybody inside."""
    above = reversed(path.parents[:-1])
    return [arg for parent in above for arg in ("--perms", "0755", "--dir", str(parent))]


def command(shared: Path, hidden: Iterable[Path]) -> list[str]:
    """Return the command that starts the warm process; *shared* can be read at SOCKETS, nothing in *hidden* at all.

    A folder in *hidden* is empty inside even where it lies in one that is needed; what is needed and
    lies in it (a `.venv`, the course's package) is there.
    """
    masks = list(dict.fromkeys(folder.resolve() for folder in hidden))
    world: list[str] = []
    for path in sorted({*needed(), *masks}, key=lambda path: (len(path.parts), str(path))):
        world += _open(path)  # what lies in a folder comes after the folder
        if path in masks:
            world += ["--perms", "0755", "--tmpfs", str(path)]
        else:
            world += ["--ro-bind", str(path), str(path)]
    for name in ("lib", "lib64"):
        if os.path.islink(f"/{name}"):
            world += ["--symlink", f"usr/{name}", f"/{name}"]
        elif os.path.isdir(f"/{name}"):
            world += ["--ro-bind", f"/{name}", f"/{name}"]
    world += ["--ro-bind", str(FORK_SERVER), "/fork_server.py", "--ro-bind", str(shared), SOCKETS]
    world += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", SCRATCH]
    for folder in (Path("/dev"), *masks, Path("/")):
        world += ["--remount-ro", str(folder)]
    unshare = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    limits = ["--as-pid-1", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if os.getuid() == 0:
        for capability in KEPT:
            limits += ["--cap-add", f"CAP_{capability}"]
    else:
        unshare += ["--unshare-user", "--uid", "1000", "--gid", "1000"]
    return ["bwrap", *unshare, *limits, *world]
