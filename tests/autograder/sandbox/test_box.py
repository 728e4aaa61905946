"""A box is made for one submission and thrown away: nothing of it is left, and nothing outside can be reached."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.course.layout import PROJECT
from autograder.sandbox import jupyter_kernel
from autograder.sandbox.sandbox import Sandbox, sandbox

pytestmark = pytest.mark.sandboxed
Inside = Callable[[str], str]


async def _run(made: Sandbox, code: str) -> str:
    box = made.box()
    km = jupyter_kernel.manager(box, {}, {})
    said: list[str] = []

    def hear(message: Any) -> None:
        said.append(str(message["content"].get("text") or message["content"].get("evalue") or ""))

    await km.start_kernel()
    client = km.client()
    client.start_channels()
    try:
        await client.wait_for_ready()
        await client.execute_interactive(textwrap.dedent(code), timeout=60, output_hook=hear)
    finally:
        client.stop_channels()
        jupyter_kernel.end(km)
        box.close()
    return "".join(said).strip()


def inside_of(made: Sandbox) -> Inside:
    """What a cell with some code prints in a new box of *made*."""
    return lambda code: asyncio.run(_run(made, code))


@pytest.fixture
def inside(bwrap: str) -> Inside:
    return inside_of(sandbox(True, (PROJECT,)))


LEAVES = {
    "a-start-up-file-in-a-locked-folder": (
        """
        import os
        folder = os.environ["IPYTHONDIR"] + "/profile_default/startup"
        os.makedirs(folder, exist_ok=True)
        open(folder + "/0.py", "w").write("planted = 1")
        os.chmod(folder, 0o555)
        """,
        "print('planted' in globals())",
    ),
    "a-full-scratch-folder": (
        """
        import contextlib
        with contextlib.suppress(OSError):
            for n in range(100):
                open(f"filler{n}", "wb").write(b"x" * (15 << 20))
        """,
        "print(open('mine', 'w').write('x' * 9000) != 9000)",
    ),
    "folders-nested-3000-deep": (
        """
        import os
        for n in range(3000):
            os.mkdir("d"); os.chdir("d")
        """,
        "import os; print(os.path.exists('d'))",
    ),
    "a-file-in-shared-memory": (
        "import os; print(os.path.exists('/dev/shm')); open('/dev/shm/x', 'w').write('x')",
        "import os; print(os.path.exists('/dev/shm/x'))",
    ),
    "a-segment-of-system-v-memory": (
        "import ctypes; print(ctypes.CDLL(None).shmget(4711, 4096, 0o1666))",
        "import ctypes; print(ctypes.CDLL(None).shmget(4711, 4096, 0o666) != -1)",
    ),
    "a-message-queue": (
        "import ctypes; print(ctypes.CDLL(None).msgget(4711, 0o1666))",
        "import ctypes; print(ctypes.CDLL(None).msgget(4711, 0o666) != -1)",
    ),
    "a-process-of-its-own-session": (
        """
        import os, time, socket
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                door = socket.socket(socket.AF_UNIX); door.bind("\\0still-here"); door.listen()
                time.sleep(1000)
            os._exit(0)
        """,
        """
        import os, socket
        others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
        print(bool(others) or socket.socket(socket.AF_UNIX).connect_ex("\\0still-here") == 0)
        """,
    ),
    "a-key-in-a-keyring": (
        "import ctypes; print(ctypes.CDLL(None).syscall(248, b'user', b'hz', b'x', 1, -4))",
        "import ctypes; print(ctypes.CDLL(None).syscall(249, b'user', b'hz', 0, 0) > 0)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", LEAVES)
def test_nothing_is_left_for_the_next_one(inside: Inside, what: str) -> None:
    leave, is_it_there = LEAVES[what]
    inside(leave)
    assert inside(is_it_there) == "False"


WRITABLE = """
import os
found = []
for top, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if not os.path.join(top, f).startswith(("/proc", "/scratch", "/dev/shm"))]
    try:
        open(top + "/planted", "w").close()
        found.append(top)
    except OSError:
        pass
print(found)
"""


def test_nothing_but_its_own_folders_can_be_written(inside: Inside) -> None:
    assert inside(WRITABLE) == "[]"


def test_the_grader_opens_no_file_that_the_box_has_put_there(inside: Inside, tmp_path: Path) -> None:
    target = tmp_path / "gradebook.db"
    target.write_text("points")
    link = f"""
    import glob, os
    print(glob.glob("/sockets/*"), os.listdir("/scratch"))
    for name in os.listdir("/scratch") + ["k-1", "k-2", "k.json", "j"]:
        try:
            os.rename("/scratch/" + name, "/scratch/old-" + name)
        except OSError:
            pass
        os.symlink({str(target)!r}, "/scratch/" + name)
    """
    inside(link)
    assert target.read_text() == "points"


def test_a_box_has_no_rights_and_makes_no_namespaces(inside: Inside) -> None:
    status = inside("print(open('/proc/self/status').read())")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {fields[name] for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {"0" * 16}
    assert fields["NoNewPrivs"] == "1"
    assert inside("import ctypes; print(ctypes.CDLL(None).unshare(0x10000000))") == "-1"


def test_of_the_project_a_box_sees_the_students_package_only(inside: Inside) -> None:
    seen = inside(
        f"import os; print([f for _, _, fs in os.walk({str(PROJECT)!r}) for f in fs if 'lab' in f])"
    )
    assert "lab1" not in seen.replace("lab1_zero_page.py", "")  # the open checks, which students have
    assert inside("import solutions").startswith("No module named")
    assert inside("import autograder").startswith("No module named")


def test_what_is_hidden_is_hidden_also_where_it_lies_in_what_is_needed(bwrap: str, tmp_path: Path) -> None:
    """As with a project in /usr/lib: the folder that holds it is shown, and it is not."""
    import pytest as inside_site_packages

    site = Path(inside_site_packages.__file__).parent.parent
    look = f"import os; print(os.listdir({str(site / 'pytest')!r}))"
    shown, hidden = Sandbox(True, (PROJECT,)), Sandbox(True, (PROJECT, site / "pytest"))
    try:
        assert "__init__.py" in inside_of(shown)(look)
        assert inside_of(hidden)(look) == "[]"
    finally:
        shown.close()
        hidden.close()


def closed(path: Path) -> Path | None:
    """The outermost folder on the way to *path* that another user cannot go through; None if all are open."""
    return next((each for each in [*reversed(path.parents), path] if not each.stat().st_mode & 1), None)


def opened(path: Path) -> list[str]:
    """Arguments of bubblewrap that show *path* to everybody, although a folder above it is closed."""
    shut = closed(path)
    if shut is None or shut == path:
        return []
    folders = ["--perms", "0755", "--tmpfs", str(shut), "--perms", "0755", "--dir", str(path.parent)]
    return [*folders, "--ro-bind", str(path), str(path)]


BECOME = ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups"]
NOT_ROOT = ["bwrap", "--dev-bind", "/", "/", *opened(Path(sys.base_prefix)), "--cap-add", "ALL", *BECOME]


def test_all_of_this_holds_for_a_grader_who_is_not_root(bwrap: str) -> None:
    if os.getuid() != 0:
        return  # it has just been shown
    if shut := closed(PROJECT):
        pytest.skip(f"no other user can read {shut}: chmod o+x {shut}, to have this tried as one")
    command = [*NOT_ROOT, sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", __file__]
    env = {**os.environ, "HOME": "/tmp", "LOGNAME": "somebody", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=PROJECT, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


def processes(mark: str) -> Iterator[str]:
    """Command lines of processes that name *mark*."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                home = (entry / "cwd").readlink()
            except OSError:
                continue
            if mark in line or mark in str(home):
                yield line
