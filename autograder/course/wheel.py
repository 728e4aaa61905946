"""The package that a lab's students install: the machine, this lab and those before it, and their kernels."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hugezero.check.checks import lab_in

from .given import givens
from .layout import PROJECT, Course

PACKAGE = PROJECT / "course" / "hugezero"
LABS = PACKAGE / "labs"


def wheel(course: Course, stem: str) -> Path:
    """Build the wheel of lab *stem* anew, in build/wheel/.

    Its version ends in the lab's name, so that pip puts one lab's wheel in the place of another's.
    """
    folder = course.build / "wheel" / stem
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        _lay_out(course, stem, Path(name))
        env = {**os.environ, "SOURCE_DATE_EPOCH": "315532800"}  # the same bytes every time
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        done = subprocess.run(command, cwd=name, env=env, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the wheel could not be built:\n{done.stdout}{done.stderr}")
    return next(folder.glob("*.whl"))


def _lay_out(course: Course, stem: str, to: Path) -> None:
    """Write a project into *to* that is this one, without what comes after lab *stem*."""
    kernels = givens(course, stem)
    settings = (PROJECT / "pyproject.toml").read_text("utf-8")
    settings = re.sub(r'^(version = "[\d.]+)"', rf'\1+{lab_in(stem)}"', settings, flags=re.MULTILINE)
    beside = "".join(f'"{name}" = "{name}"\n' for name in kernels)
    to.joinpath("pyproject.toml").write_text(
        f"{settings}\n[tool.hatch.build.targets.wheel.force-include]\n{beside}", "utf-8"
    )
    shutil.copy(PROJECT / "LICENSE", to)
    for name, text in kernels.items():
        to.joinpath(name).write_text(text, "utf-8")
    kept = members(stem)
    for path in PACKAGE.rglob("*"):
        if path in kept or (path.is_file() and path.suffix not in (".py", ".pyc")):
            copy = to / path.relative_to(PROJECT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)


def members(stem: str) -> set[Path]:
    """Return the modules that lab *stem* may see: of those that labs share, only what labs up to it import."""
    last = int(lab_in(stem).removeprefix("lab"))
    own = [path for path in LABS.glob("lab*/*.py") if int(path.parent.name.removeprefix("lab")) <= last]
    kept = {path for path in PACKAGE.rglob("*.py") if LABS not in path.parents} | {LABS / "__init__.py", *own}
    todo = list(kept)
    while todo:
        more = _shared_by(todo.pop()) - kept
        kept |= more
        todo += more
    return kept


def _shared_by(module: Path) -> set[Path]:
    """Return the modules in labs/ itself that *module* imports."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = module.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            found |= {base.with_suffix(".py"), *(base / f"{alias.name}.py" for alias in node.names)}
    return {path for path in found if path.parent == LABS and path.is_file()}
