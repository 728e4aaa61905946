"""`python -m hugezero lab`: JupyterLab on the course, from the line you type to Ctrl-C."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest


def refused(*arguments: str, env: dict[str, str]) -> str:
    """What a command said that ended with an error, and without a traceback."""
    result = subprocess.run(lab_command(*arguments), env=env, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "Traceback" not in result.stdout + result.stderr
    return result.stderr.strip()


def lab_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "hugezero", *arguments]


def lab_environment(project: Path, **environment: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("PORT", "BROWSER")}
    return {**inherited, "PYTHONPATH": str(project / "course"), "BROWSER": "none", **environment}


@contextmanager
def running_lab(
    project: Path, folder: Path, **environment: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A JupyterLab that has printed its address, and all it printed so far."""
    with subprocess.Popen(
        lab_command("lab", str(folder)),
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
    said = refused("lab", str(notebooks), env=lab_environment(project, PORT=port))
    assert said.startswith(f"PORT={port} is not a port.")


def test_a_taken_port_gets_a_plain_line_with_a_free_one(
    project: Path, notebooks: Path, taken_port: int
) -> None:
    said = refused("lab", str(notebooks), env=lab_environment(project, PORT=str(taken_port)))
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
    assert refused("labs", env=lab_environment(project)).startswith("Usage")


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
