"""Where a lab's five places are, found by its stem, and what they hold."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from hugezero.check import checks
from hugezero.check.checks import lab_in

PROJECT = Path(__file__).resolve().parents[2]


def load(name: str, file: Path) -> ModuleType:
    """Return the module in *file*, imported once under *name*."""
    known = sys.modules.get(name)
    if known is not None and known.__file__ and Path(known.__file__).resolve() == file.resolve():
        return known
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise FileNotFoundError(f"{file}: no such module; a lab has one in each of its five places")
    for registered in checks.CHECKS.values():  # those of another course's module of that name
        registered[:] = [check for check in registered if check.run.__module__ != name]
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def functions(text: str) -> dict[str, ast.FunctionDef]:
    """Return the functions that *text* defines, by name."""
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


def source_of(text: str, name: str) -> str:
    """Return the lines of *text* that define function *name*, decorators left out."""
    node = functions(text)[name]
    return "\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno]) + "\n"


def _private(name: str) -> bool:
    """Return whether it is a function that only its own module calls. Linux begins names with two underscores that are not."""
    return name.startswith("_") and not name.startswith("__")


@dataclass(frozen=True)
class Course:
    """A course's folder: course/, solutions/, autograder/ and, not committed, build/."""

    root: Path = PROJECT

    @property
    def build(self) -> Path:
        return self.root / "build"

    def stems(self) -> list[str]:
        """Return the labs there are, in order."""
        return sorted(path.stem for path in (self.root / "course").glob("lab*.ipynb"))

    def solved(self) -> list[str]:
        """Return the labs that there is a reference of, in order; some may have no notebook yet."""
        return sorted(path.stem for path in (self.root / "solutions").glob("lab*.py"))

    def notebook(self, stem: str) -> Path:
        path = self.root / "course" / f"{stem}.ipynb"
        if not path.is_file():
            raise FileNotFoundError(
                f"there is no lab {stem!r}: the labs are {', '.join(self.stems()) or 'none'}"
            )
        return path

    def solution(self, stem: str) -> Path:
        return self.root / "solutions" / f"{stem}.py"

    def open_checks(self, stem: str) -> Path:
        return self.root / "course" / "hugezero" / "labs" / lab_in(stem) / "checks.py"

    def hidden_checks(self, stem: str) -> Path:
        return self.root / "autograder" / "labs" / lab_in(stem) / "hidden.py"

    def mutants(self, stem: str) -> Path:
        return self.root / "autograder" / "labs" / lab_in(stem) / "mutants.py"

    def reference(self, stem: str) -> dict[str, Callable[..., Any]]:
        """Return the functions of a lab's reference, and of the labs before; those that they import included."""
        found: dict[str, Any] = {}
        for each in self.solved():
            if each <= stem:
                found |= vars(load(f"solutions.{each}", self.solution(each)))
        return {name: f for name, f in found.items() if inspect.isfunction(f) and not _private(name)}

    def checks(self, stem: str) -> dict[str, list[checks.Check]]:
        """Return a lab's checks by exercise: the open ones, then the hidden ones."""
        load(f"hugezero.labs.{lab_in(stem)}.checks", self.open_checks(stem))
        if self.hidden_checks(stem).is_file():
            load(f"autograder.labs.{lab_in(stem)}.hidden", self.hidden_checks(stem))
        found: dict[str, list[checks.Check]] = {}
        for exercise, registered in checks.CHECKS.items():
            mine = [c for c in registered if c.lab == lab_in(stem)]
            if mine:
                found[exercise] = sorted(mine, key=lambda c: c.hidden)
        return found
