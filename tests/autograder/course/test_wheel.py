"""Each lab's wheel holds that lab and those before it, and nothing that tells of a later one."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import nbformat
import pytest
from hugezero.check.checks import lab_in

from autograder.course.layout import Course, functions
from autograder.course.wheel import wheel

COURSE = Course()
STEMS = COURSE.stems()
pytestmark = pytest.mark.xdist_group("wheels")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of each lab."""
    root = tmp_path_factory.mktemp("wheels")
    for name in ("course", "solutions", "autograder"):
        (root / name).symlink_to(COURSE.root / name, target_is_directory=True)
    return {stem: wheel(Course(root), stem) for stem in STEMS}


def exercises(stems: list[str]) -> set[str]:
    return {name for stem in stems for name in COURSE.checks(stem)}


def sentences(text: str) -> set[str]:
    """What a module's texts say: promises, messages, hints."""
    strings = {
        n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }
    return {string for string in strings if len(string) >= 20 and " " in string}


@cache
def said_by(stem: str) -> set[str]:
    """The sentences of a lab's open checks."""
    parts = COURSE.open_checks(stem).parent.glob("check*.py")
    return set().union(*(sentences(part.read_text("utf-8")) for part in parts))


def tells(texts: dict[str, str], stem: str) -> list[str]:
    """What these modules, by name, tell of the labs after *stem*: a line each."""
    before = [other for other in STEMS if other <= stem]
    after = [other for other in STEMS if other > stem]
    own = r"hugezero/labs/(lab\d+)/|given_(lab\d+)\.py"
    last = int(lab_in(stem)[3:])
    found = []
    for name, text in texts.items():
        whose = re.match(own, name)
        number = int((whose[1] or whose[2])[3:]) if whose else -1
        if number > last or (number == last and name.startswith("given")):
            found.append(f"{name}: of a later lab")
        if whose or name.startswith("hugezero/labs/"):  # elsewhere it is the kernel that all begin with
            stand_ins = functions(text).keys() & (exercises(after) - exercises(before))
            found += [f"{name}: a stand-in for {function}" for function in stand_ins]
        hints = set().union(*map(said_by, after)) - set().union(*map(said_by, before))
        found += [f"{name}: {hint!r}" for hint in sentences(text) & hints]
    return found


def modules(path: Path) -> dict[str, str]:
    archive = zipfile.ZipFile(path)
    return {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".py")}


@pytest.mark.parametrize("stem", STEMS)
def test_a_wheel_tells_nothing_of_later_labs(wheels: dict[str, Path], stem: str) -> None:
    texts = modules(wheels[stem])
    assert f"hugezero/labs/{lab_in(stem)}/checks.py" in texts
    assert {name for name in texts if name.startswith("given")} == {
        f"given_{lab_in(other)}.py" for other in COURSE.solved() if other < stem
    }
    assert tells(texts, stem) == []


def test_what_tells_of_a_later_lab_is_found(wheels: dict[str, Path]) -> None:
    last = modules(wheels[STEMS[-1]])
    for stem in STEMS[:-1]:
        told = "\n".join(tells(last, stem))
        assert f"given_{lab_in(stem)}.py: of a later lab" in told
    told = "\n".join(tells(last, STEMS[2]))
    assert "hugezero/labs/locked_kernel.py: a stand-in for get_huge_zero_folio" in told
    assert "hugezero/labs/lab3/checks.py: of a later lab" in told
    moved = {"hugezero/labs/fixtures.py": last["hugezero/labs/lab3/check_counting.py"]}
    assert [line for line in tells(moved, STEMS[2]) if "a stand-in" not in line]
    assert tells(moved, STEMS[3]) == []


def test_pip_puts_one_labs_wheel_in_the_place_of_anothers(wheels: dict[str, Path]) -> None:
    versions = []
    for stem, path in wheels.items():
        archive = zipfile.ZipFile(path)
        (about,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        versions += re.findall(r"^Version: (.*)$", archive.read(about).decode(), re.MULTILINE)
        assert versions[-1].endswith(f"+{lab_in(stem)}")
    assert len(set(versions)) == len(STEMS)


@pytest.mark.parametrize("stem", STEMS)
def test_installed_by_itself_it_runs_the_labs_first_cell(
    wheels: dict[str, Path], stem: str, tmp_path: Path
) -> None:
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run([*install, "--target", tmp_path / "site", wheels[stem]], check=True)
    cells = nbformat.read(COURSE.notebook(stem), 4).cells
    first = next(cell.source for cell in cells if cell.cell_type == "code")
    tell = "import hugezero.labs; print(hugezero.__file__, hugezero.labs.installed(), check.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", f"{first}\n{tell}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
    )
    here = tmp_path / "site" / "hugezero" / "__init__.py"
    assert done.stdout == f"{here} {list(range(STEMS.index(stem) + 1))} check\n", done.stderr
