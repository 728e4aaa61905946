"""`make lab` and `make test`, as a newcomer meets them."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import nbformat
import pytest

Run = subprocess.CompletedProcess[str]
Make = Callable[..., Run]


def plain(result: Run) -> str:
    """What a command that failed said, without what make adds to it."""
    assert result.returncode != 0
    assert "Traceback" not in result.stdout + result.stderr
    return "\n".join(line for line in result.stderr.splitlines() if not line.startswith("make"))


def pinned(project: Path) -> dict[str, str]:
    lines = (project / "constraints.txt").read_text().splitlines()
    packages = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in packages), "a name, a version, no address"
    pairs = (line.split("==") for line in packages)
    return {re.sub("[-_.]+", "-", name).lower(): version for name, version in pairs}


@pytest.fixture
def newcomer(project: Path, tmp_path: Path) -> Make:
    """Runs make in a fresh copy, on a machine whose Pythons are the ones the test puts there."""
    if shutil.which("make") is None:
        pytest.skip("There is no make here. Install it (Debian: apt install make)")
    copy = tmp_path / "fresh copy"
    copy.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "LICENSE"):
        shutil.copy(project / name, copy)
    shutil.copytree(project / "course/hugezero/jupyter", copy / "course/hugezero/jupyter")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "make", "sed", "awk", "grep", "head", "tail", "rm"):
        (programs / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is missing"))

    def make(*arguments: str, pythons: dict[str, str], **environment: str) -> Run:
        for name, script in pythons.items():
            (programs / name).write_text(f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(0o755)
        env = {"PATH": str(programs), "HOME": str(tmp_path), "LC_ALL": "C", **environment}
        return subprocess.run(
            ["make", *arguments], cwd=copy, env=env, capture_output=True, text=True, check=False
        )

    return make


def test_make_alone_lists_every_target(newcomer: Make, project: Path) -> None:
    listed = newcomer(pythons={}).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (project / "Makefile").read_text(), re.MULTILINE)
    assert phony
    for target in phony[1].split():
        assert re.search(rf"^  make {target} +\w", listed, re.MULTILINE), target


def test_an_old_python_is_named_and_a_way_out_is_given(newcomer: Make) -> None:
    said = plain(newcomer("lab", pythons={"python3": "echo 3.9"}))
    assert "needs Python 3.11 or newer. python3 is 3.9." in said
    assert "PYTHON=" in said
    assert len(said.splitlines()) == 1


def test_no_python_at_all_gets_a_plain_line(newcomer: Make) -> None:
    said = plain(newcomer("test", pythons={"python3.13": "echo 'shim: not found' >&2; exit 127"}))
    assert "There is no python3 here." in said


def test_a_newer_python_beside_an_old_one_is_found_and_a_missing_venv_module_told(newcomer: Make) -> None:
    without_venv = 'case "$2" in *ensurepip*) exit 1;; *) echo 3.12;; esac'
    said = plain(newcomer("lab", pythons={"python3": "echo 3.9", "python3.12": without_venv}))
    assert said.startswith("python3.12 cannot make a .venv")
    assert "apt install python3.12-venv" in said


def test_the_python_that_is_named_is_the_only_one_tried(newcomer: Make) -> None:
    said = plain(newcomer("lab", "PYTHON=mine", pythons={"mine": "echo 3.10", "python3": "echo 3.12"}))
    assert "mine is 3.10." in said


def test_without_a_network_you_may_run_it_again_and_a_half_made_venv_is_made_anew(newcomer: Make) -> None:
    nowhere = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "0",
    }
    for _ in range(2):
        result = newcomer("lab", f"PYTHON={sys.executable}", pythons={}, **nowhere)
        assert "Making .venv" in result.stdout
        said = plain(result)
        assert "cannot be reached" in said
        assert "run make again" in said
        assert len(said.splitlines()) == 1


def test_the_readme_has_the_plain_command_behind_each_step(project: Path) -> None:
    makefile = (project / "Makefile").read_text()
    readme = (project / "README.md").read_text()
    commands = re.findall(r"^(?:\.venv/bin/)?python3? -m (.*)$", readme, re.MULTILINE)
    spelled_out = makefile.replace("$(INSTALL)", re.search("^INSTALL = (.*)$", makefile, re.M)[1])  # type: ignore[index]
    for command in ("venv .venv", "pip install", "ipykernel install", "hugezero lab", "pytest"):
        [whole] = [c for c in commands if c.startswith(command)]
        assert f"-m {whole}" in spelled_out


def test_every_installed_package_is_pinned(project: Path) -> None:
    pins = pinned(project)
    installed = {re.sub("[-_.]+", "-", d.name).lower(): d.version for d in distributions()}
    for ours in ("hugezero", "pip", "setuptools"):
        installed.pop(ours, None)
    assert installed.items() <= pins.items()


def test_a_build_uses_the_pinned_versions(project: Path) -> None:
    pins = pinned(project)
    build = tomllib.loads((project / "pyproject.toml").read_text())["build-system"]["requires"]
    assert build == [f"{name}=={pins[name]}" for name in sorted(r.split("==")[0] for r in build)]


def test_the_wheel_holds_hugezero_and_nothing_else(project: Path, tmp_path: Path) -> None:
    build = ["-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run([sys.executable, *build, "--wheel-dir", tmp_path, project], check=True)
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"hugezero"}
    assert "hugezero/jupyter/labconfig/page_config.json" in names


# --- python -m hugezero lab ---


def lab_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "hugezero", "lab", *arguments]


def lab_environment(project: Path, **environment: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("PORT", "BROWSER")}
    return {**inherited, "PYTHONPATH": str(project / "course"), "BROWSER": "none", **environment}


@contextmanager
def running_lab(
    project: Path, folder: Path, **environment: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A JupyterLab that has printed its address, and all it printed so far."""
    with subprocess.Popen(
        lab_command(str(folder)),
        env=lab_environment(project, **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        assert server.stdout
        printed = ""
        while "Ctrl+C" not in printed and (line := server.stdout.readline()):
            printed += line
        try:
            yield server, printed
        finally:
            server.kill()


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    for name in ("lab0_machine.ipynb", "lab1_zero_page.ipynb"):
        nbformat.write(nbformat.v4.new_notebook(), tmp_path / name)
    return tmp_path


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest.mark.parametrize("port", ["eight", "70000", "-1"])
def test_a_port_that_is_none_gets_a_plain_line(project: Path, notebooks: Path, port: str) -> None:
    env = lab_environment(project, PORT=port)
    said = plain(
        subprocess.run(lab_command(str(notebooks)), env=env, capture_output=True, text=True, check=False)
    )
    assert said.startswith(f"PORT={port} is not a port.")


def test_a_taken_port_gets_a_plain_line_with_a_free_one(
    project: Path, notebooks: Path, taken_port: int
) -> None:
    env = lab_environment(project, PORT=str(taken_port))
    said = plain(
        subprocess.run(lab_command(str(notebooks)), env=env, capture_output=True, text=True, check=False)
    )
    assert re.fullmatch(rf"Port {taken_port} cannot be used: .* PORT=\d+", said)


def test_if_you_named_no_port_the_next_free_one_is_taken_and_told(project: Path, notebooks: Path) -> None:
    try:
        other = socket.create_server(("127.0.0.1", 8888))
    except OSError:  # somebody on this machine has it already: as good
        other = socket.socket()
    with other, running_lab(project, notebooks) as (_, printed):
        address = re.search(r"http://127\.0\.0\.1:(\d+)/", printed)
        assert address
        assert int(address[1]) > 8888
        assert f"Port 8888 is taken, so this is port {address[1]}." in printed


def test_the_word_lab_may_be_left_out() -> None:
    """As README and the syllabus tell those who were given a zip."""
    from hugezero import __main__ as starter

    started: list[Path] = []
    before, starter.lab = starter.lab, started.append  # type: ignore[assignment]
    try:
        starter.main([])
        starter.main(["lab"])
    finally:
        starter.lab = before
    assert started == [starter.course_folder()] * 2


def test_an_unknown_word_gets_the_usage_line(project: Path) -> None:
    command = [sys.executable, "-m", "hugezero", "labs"]
    env = lab_environment(project)
    assert plain(subprocess.run(command, env=env, capture_output=True, text=True, check=False)).startswith(
        "Usage"
    )


def ask(address: str, data: bytes | None = None) -> Any:
    with urllib.request.urlopen(urllib.request.Request(address, data=data)) as answer:
        return answer.read().decode()


def test_jupyterlab_answers_at_the_printed_address_and_stops_at_one_ctrl_c(
    project: Path, notebooks: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = sorted(notebooks.rglob("*"))
    runtime = tmp_path_factory.mktemp("runtime")
    with running_lab(project, notebooks, PORT="0", JUPYTER_RUNTIME_DIR=str(runtime)) as (server, printed):
        address = re.search(r"http://127\.0\.0\.1:\d+/lab/tree/lab0_machine\.ipynb\?token=\w+", printed)
        assert address, printed
        root, token = address[0].split("/lab/")[0], address[0].split("token=")[1]

        page = None
        while page is None and server.poll() is None:
            try:
                page = ask(address[0])
            except urllib.error.URLError:  # it is not up yet
                continue
        assert page
        config = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
        assert "@jupyter/nbgrader" in str(config["disabledExtensions"])

        notification = f"{root}/lab/api/settings/@jupyterlab/apputils-extension:notification?token={token}"
        defaults = json.loads(ask(notification))["schema"]["properties"]
        assert defaults["fetchNews"]["default"] == "false"

        with pytest.raises(urllib.error.HTTPError, match="403"):
            ask(f"{root}/api/contents")
        assert "python3" in json.loads(ask(f"{root}/api/kernelspecs?token={token}"))["kernelspecs"]
        ask(f"{root}/api/contents/lab0_machine.ipynb/checkpoints?token={token}", data=b"")

        ask(f"{root}/api/kernels?token={token}", data=b'{"name": "python3"}')
        assert list(runtime.glob("kernel-*"))

        server.send_signal(signal.SIGINT)
        assert server.wait() == 0
    assert not list(runtime.glob("kernel-*")), "its kernels are stopped with it"
    assert sorted(notebooks.rglob("*")) == before


# --- what a missing program does to a test run ---


@pytest.mark.parametrize(
    ("marker", "way_out"), [("browser", "apt install chromium"), ("sandboxed", "apt install bubblewrap")]
)
@pytest.mark.parametrize("ci", ["true", ""])
def test_a_missing_program_skips_by_name_and_fails_with_ci(
    project: Path, tmp_path: Path, marker: str, way_out: str, ci: str
) -> None:
    shutil.copy(project / "pyproject.toml", tmp_path)
    (tmp_path / "tests").mkdir()
    shutil.copy(project / "tests/conftest.py", tmp_path / "tests")
    (tmp_path / "tests/test_one.py").write_text(
        f"import pytest\n@pytest.mark.{marker}\ndef test_that_needs_it(): pass\ndef test_that_does_not(): pass\n"
    )
    env = {"PATH": str(tmp_path), "CI": ci}
    command = [sys.executable, "-m", "pytest", "--numprocesses", "0", "-p", "no:cacheprovider"]
    result = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert way_out in result.stdout
    if ci:
        assert result.returncode == 1
        assert "1 passed, 1 error" in result.stdout
    else:
        assert result.returncode == 0
        assert "1 passed, 1 skipped" in result.stdout
        assert "SKIPPED tests/test_one.py::test_that_needs_it" in result.stdout


def test_browser_tests_share_one_worker(project: Path, tmp_path: Path) -> None:
    shutil.copy(project / "pyproject.toml", tmp_path)
    (tmp_path / "tests").mkdir()
    shutil.copy(project / "tests/conftest.py", tmp_path / "tests")
    (tmp_path / "tests/test_four.py").write_text(
        "import os, pathlib, pytest\n"
        "@pytest.mark.browser\n"
        "@pytest.mark.parametrize('number', range(4))\n"
        "def test_in(number): pathlib.Path(os.environ['PYTEST_XDIST_WORKER'] + '.ran').touch()\n"
    )
    command = [sys.executable, "-m", "pytest", "--numprocesses", "2", "-p", "no:cacheprovider"]
    subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "CHROMIUM": sys.executable}, check=True, capture_output=True
    )
    assert len(list(tmp_path.glob("*.ran"))) == 1
