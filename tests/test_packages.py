"""What is installed, and what is built."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture
def wanted(project: Path) -> Any:
    return tomllib.loads((project / "pyproject.toml").read_text())


@pytest.fixture
def pins(project: Path) -> dict[str, str]:
    lines = [line for line in (project / "constraints.txt").read_text().splitlines() if line[0] != "#"]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines), "a name, a version, no address"
    return {canonicalize_name(name): number for name, number in (line.split("==") for line in lines)}


LOWEST = {"python_version": "3.11", "python_full_version": "3.11.0"}
LINUX = {**LOWEST, "platform_system": "Linux", "sys_platform": "linux"}
MACOS = {**LOWEST, "platform_system": "Darwin", "sys_platform": "darwin"}


def brought(requirements: list[str], where: dict[str, str]) -> set[str]:
    """The packages that *requirements* bring with them: here, or *where* else as far as that is known here."""
    seen, more = set(), [(Requirement(text), "") for text in requirements]
    while more:
        asked, extra = more.pop()
        if asked.marker and not asked.marker.evaluate({**where, "extra": extra}):
            continue
        for each in {"", *asked.extras} - {each for name, each in seen if name == asked.name}:
            seen.add((asked.name, each))
            try:
                more += [(Requirement(text), each) for text in requires(asked.name) or []]
            except PackageNotFoundError:
                assert where, f"{asked.name} is not installed"
    return {canonicalize_name(name) for name, _ in seen} - {"setuptools"}  # Python's own, with pip


def test_what_is_needed_is_pinned_and_nothing_else(wanted: Any, pins: dict[str, str]) -> None:
    extras = wanted["project"]["optional-dependencies"].values()
    roots = sum(extras, wanted["project"]["dependencies"])
    here = {name: version(name) for name in brought(roots, where={})}
    assert here.items() <= pins.items()
    assert pins.keys() <= brought(roots, LINUX) | brought(roots, MACOS)


def test_a_build_uses_the_pinned_versions(wanted: Any, pins: dict[str, str]) -> None:
    build = wanted["build-system"]["requires"]
    assert build == [f"{name}=={pins[name]}" for name in sorted(each.split("==")[0] for each in build)]


def test_the_wheel_holds_hugezero_and_nothing_else(project: Path, tmp_path: Path) -> None:
    build = ["-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run([sys.executable, *build, "--wheel-dir", tmp_path, project], check=True)
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"hugezero"}
    assert "hugezero/jupyter/labconfig/page_config.json" in names


def test_the_pinned_pytest_runs_browser_tests_in_one_process(project: Path, tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(project / name, tmp_path / name)
    (tmp_path / "tests/test_four.py").write_text(
        "import os, pathlib, pytest\n"
        "@pytest.mark.browser\n"
        "@pytest.mark.parametrize('number', range(4))\n"
        "def test_in(number): pathlib.Path(os.environ['PYTEST_XDIST_WORKER'] + '.ran').touch()\n"
    )
    command = [sys.executable, "-m", "pytest", "-m", "", "--numprocesses", "2", "-p", "no:cacheprovider"]
    env = {**os.environ, "CHROMIUM": sys.executable}
    subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True)
    assert len(list(tmp_path.glob("*.ran"))) == 1
