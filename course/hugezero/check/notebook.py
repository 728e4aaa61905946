"""`check("do_wp_page")` in a notebook: run the open checks of one function, and say how it went."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import pkgutil
import sys
from typing import Any

from ..machine import Kernel
from .checks import CHECKS, Result, run_checks
from .render import Report
from .subject import subject

PARAMETERS: dict[str, tuple[str, ...]] = {}  # of each exercise, as its first line has them
GAINED: dict[str, str] = {}  # what a student has when it is done, in a sentence
MORE: dict[str, float] = {}  # points that only grading can give
GIVEN: dict[str, str] = {}  # of a repair: the fingerprint of the code that the notebook gives


def exercise(name: str, parameters: str, gained: str, more: float = 0, given: str = "") -> None:
    """Enter an exercise: the parameters of its function, the sentence that follows 'Done.', the hidden points.

    *given*, for a repair, is the fingerprint of the code as it is given.
    """
    PARAMETERS[name] = tuple(parameters.split())
    GAINED[name] = gained
    MORE[name] = more
    GIVEN[name] = given


def fingerprint(source: str) -> str:
    """A short name for just this text of a function."""
    return hashlib.sha256(source.strip().encode()).hexdigest()[:12]


def _as_given(name: str, thing: Any) -> bool:
    """Is this a repair that nobody has touched yet?"""
    try:
        return fingerprint(inspect.getsource(thing)) == GIVEN[name]
    except (OSError, TypeError):  # it has no source, or is nothing that could have one
        return False


def open_checks() -> None:
    """Import every lab's open checks, so that they are entered."""
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("lab"):
            importlib.import_module(f"{__package__}.{module.name}")


def run_open(name: str, thing: Any, lab: str = "") -> list[Result]:
    """What the open checks of *name* say to *thing*: those of *lab*, or all there are."""
    checks = [each for each in CHECKS[name] if not each.hidden and lab in ("", each.lab)]
    return run_checks(checks, Kernel({name: subject(name, thing, PARAMETERS[name])}))


def check(name: str) -> float:
    """Check the function *name* of this notebook; gives the points it has earned here.

    Every other function of the kernel is the one that shares nothing, so that each exercise
    stands for itself.
    """
    open_checks()
    if name not in PARAMETERS:
        raise ValueError(f"check({name!r}): there is no such exercise; there are {', '.join(PARAMETERS)}")
    theirs: dict[str, Any] = sys._getframe(1).f_globals
    results = run_open(name, theirs.get(name))
    untouched = _as_given(name, theirs.get(name))
    report = Report(name, results, GAINED[name], more=MORE[name], untouched=untouched)
    report.show()
    return float(report.points)
