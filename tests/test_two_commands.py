"""`make lab` and `make test`, as a newcomer meets them, and what the system must have for them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

NO_VENV = 'case "$2" in *ensurepip*) exit 1;; *) echo 3.12;; esac'
NO_NETWORK = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9", "PIP_RETRIES": "0"}
EQUIPPED = {"python3": "", "cc": "", "fc-list": "echo DejaVu", "chromium": "", "id": "echo 0"}
APT = f"""#!{sys.executable}
import os, pathlib, sys
here = pathlib.Path(__file__).parent
with open(here / "asked", "a") as asked:
    print(*sys.argv[4:], file=asked)
if os.environ.get("LACKS") in sys.argv:
    sys.exit("E: Unable to locate package " + os.environ["LACKS"])
for package, program in dict(bubblewrap="bwrap", spin="spin").items():
    if package in sys.argv:
        (here / program).touch(0o755)
"""


@pytest.fixture
def machine(project: Path, tmp_path: Path) -> Any:
    """Runs a command in a fresh copy, on a machine that has the programs that the test puts there."""
    copy, programs = tmp_path / "fresh copy", tmp_path / "bin"
    programs.mkdir()
    shutil.copytree(project / ".ci", copy / ".ci")
    shutil.copytree(project / "course/hugezero/jupyter", copy / "course/hugezero/jupyter")
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "LICENSE"):
        shutil.copy(project / name, copy)
    for name in ("sh", "make", "sed", "awk", "grep", "head", "tail", "rm"):
        (programs / name).symlink_to(shutil.which(name) or pytest.skip(f"There is no {name} here"))

    def run(*command: str, has: dict[str, str], **environment: str) -> subprocess.CompletedProcess[str]:
        for name, script in has.items():
            (programs / name).write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(0o755)
        env = {"PATH": str(programs), "HOME": str(tmp_path), "LC_ALL": "C", **environment}
        return subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize(
    ("pythons", "says"),
    [
        ({"python3": "echo 3.9"}, "needs Python 3.11 or newer. python3 is 3.9. .*PYTHON="),
        ({}, "needs Python 3.11 or newer. There is no python3 here."),
        ({"python3": "echo 3.9", "python3.12": NO_VENV}, "^python3.12 cannot .*apt install python3.12-venv"),
        ({"python3": f'exec "{sys.executable}" "$@"'}, "cannot be reached. .*run make again"),
    ],
    ids=["an old Python", "no Python", "no venv module", "no network"],
)
def test_a_newcomer_gets_one_line_with_the_way_out_each_time(machine: Any, pythons: Any, says: str) -> None:
    for _ in range(2):  # what was left half made does not count
        result = machine("make", "lab", has=pythons, **NO_NETWORK)
        assert result.returncode != 0 and "Traceback" not in result.stdout + result.stderr
        [said] = [line for line in result.stderr.splitlines() if not line.startswith("make")]
        assert re.search(says, said)


def test_the_readme_has_the_plain_command_behind_each_step(project: Path) -> None:
    makefile, readme = (project / "Makefile").read_text(), (project / "README.md").read_text()
    commands = re.findall(r"^(?:\.venv/bin/)?python3? -m (.*)$", readme, re.MULTILINE)
    spelled_out = makefile.replace("$(INSTALL)", re.search("^INSTALL = (.*)$", makefile, re.M)[1])  # type: ignore[index]
    for command in ("venv .venv", "pip install", "ipykernel install", "hugezero lab", "pytest"):
        [whole] = [c for c in commands if c.startswith(command)]
        assert f"-m {whole}" in spelled_out


def test_test_and_demo_ask_first_what_the_system_lacks_and_lab_needs_nothing_but_python(machine: Any) -> None:
    for target, asks in {"lab": [], "test": [".ci/system"], "demo": [".ci/system"]}.items():
        steps = machine("make", "-n", target, has={}).stdout.splitlines()
        assert [step for step in steps if ".ci/" in step] == asks == steps[: len(asks)]


def test_root_installs_what_is_missing_and_says_so_once(machine: Any, tmp_path: Path) -> None:
    first, second = (machine(".ci/system", has={**EQUIPPED, "apt-get": APT}) for _ in range(2))
    assert first.stdout == "Installing what is missing here: apt install bubblewrap spin\n"
    asked = ["update", "install --yes --no-install-recommends bubblewrap spin"]
    assert (tmp_path / "bin/asked").read_text().splitlines() == asked
    assert (first.returncode, first.stderr) == (0, "")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("has", "says"),
    [
        ({"id": "echo 1000", "apt-get": APT}, "as root: apt install bubblewrap spin"),
        ({}, "as root: apt install bubblewrap spin"),
        ({"apt-get": APT}, "Could not be installed: spin.*\nE: Unable to locate package spin"),
    ],
    ids=["not root", "no apt", "a package cannot be had"],
)
def test_what_stays_missing_is_named_and_with_ci_an_error(machine: Any, has: Any, says: str) -> None:
    here, in_ci = (machine(".ci/system", has=EQUIPPED | has, LACKS="spin", CI=ci) for ci in ("", "true"))
    assert (here.returncode, in_ci.returncode) == (0, 1)
    assert re.search(says, here.stderr) and "skipped" in here.stderr and "skipped" not in in_ci.stderr


@pytest.mark.parametrize(("marker", "package"), [("browser", "chromium"), ("sandboxed", "bubblewrap")])
@pytest.mark.parametrize("ci", ["true", ""])
def test_a_test_without_its_program_is_skipped_by_name_and_fails_with_ci(
    project: Path, tmp_path: Path, marker: str, package: str, ci: str
) -> None:
    (tmp_path / "tests").mkdir()
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(project / name, tmp_path / name)
    (tmp_path / "tests/test_one.py").write_text(
        f"import pytest\n@pytest.mark.{marker}\ndef test_needs_it(): pass\ndef test_does_not(): pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-m", "", "--numprocesses", "0", "-p", "no:cacheprovider"]
    env = {"PATH": str(tmp_path), "CI": ci}
    said = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False).stdout
    assert f"apt install {package}" in said and ("1 passed, 1 error" if ci else "1 passed, 1 skipped") in said
    assert f"{'ERROR' if ci else 'SKIPPED'} tests/test_one.py::test_needs_it" in said
