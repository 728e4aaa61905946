"""`check("do_wp_page")` in a notebook: run the open checks of one function, and say how it went."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..machine import Kernel
from .checks import CHECKS, Result, lab_in, run_checks
from .function_under_test import subject
from .report import Report


class Exercise(NamedTuple):
    """What is known of an exercise besides its checks.

    *gained*: what a student has when it is done, in a sentence. *more*: points that only grading can
    give, and *untried*: what it tries for them that no open check does. *given*: of a repair, the fingerprint of the code that the notebook gives. *calls*: other
    functions of the kernel that it may call by their names. *in_kernel*: is it a function that a kernel
    calls, and no guess or program?
    """

    gained: str
    more: float = 0
    untried: str = ""
    given: str = ""
    calls: frozenset[str] = frozenset()
    in_kernel: bool = True


# By lab: what an exercise finds in a notebook in place of another one of its lab's.
INSTEAD: dict[str, dict[str, Callable[..., Any]]] = {}
ANYWAY: set[str] = (
    set()
)  # functions of the kernel that given code may call, whatever the exercise: reclaim does
_enter: Callable[[int | None], None] | None = None
EXERCISES: dict[tuple[str, str], Exercise] = {}  # by lab and name: labs may ask for a function once more


def exercise(
    name: str,
    gained: str,
    more: float = 0,
    untried: str = "",
    given: str = "",
    calls: str = "",
    in_kernel: bool = True,
) -> None:
    """Enter an exercise of the lab whose module calls this; see Exercise.

    Raises ValueError where *more* points are to be had, and nothing says by what.
    """
    if more and not untried:
        raise ValueError(
            f"{name}: {more:g} points come when it is graded; say in untried= what is tried then"
        )
    lab = lab_in(sys._getframe(1).f_globals["__name__"])
    EXERCISES[lab, name] = Exercise(gained, more, untried, given, frozenset(calls.split()), in_kernel)


def labs_with(name: str) -> list[str]:
    """The labs that have an exercise of this name."""
    return [lab for lab, other in EXERCISES if other == name]


def may_call(name: str, lab: str = "") -> frozenset[str]:
    """What the exercise *name* of *lab* may let the kernel run; without a lab, of all that have it."""
    found = [known.calls for (each, other), known in EXERCISES.items() if other == name and lab in ("", each)]
    return frozenset(ANYWAY).union(*found) - {name}


def lab_of(name: str, names: Mapping[str, Any]) -> str:
    """Return which lab's exercise *name* is meant in a notebook whose globals are *names*: its first cell says LAB = 3."""
    labs = labs_with(name)
    said = names.get("LAB")
    if f"lab{said}" in labs:
        return f"lab{said}"
    if len(labs) == 1:
        return labs[0]
    where = " and ".join(labs)
    raise ValueError(
        f"check({name!r}): {name} is an exercise of {where}, and LAB is {said!r} here: run the first cell of this notebook again"
    )


def fingerprint(source: str) -> str:
    """A short name for just this text of a function."""
    return hashlib.sha256(source.strip().encode()).hexdigest()[:12]


def _as_given(known: Exercise, thing: Any) -> bool:
    """Is this a repair that nobody has touched yet?"""
    try:
        return fingerprint(inspect.getsource(thing)) == known.given
    except (OSError, TypeError):  # it has no source, or is nothing that could have one
        return False


def enter_with(enter: Callable[[int | None], None]) -> None:
    """Let *enter* import the open checks of the labs up to one when that asks: this package knows no lab."""
    global _enter
    _enter = enter


def run_open(name: str, thing: Any, lab: str = "") -> list[Result]:
    """What the open checks of *name* say to *thing*: those of *lab*, or all there are."""
    checks = [each for each in CHECKS[name] if not each.hidden and lab in ("", each.lab)]
    calls = may_call(name, lab)
    others = {each: f for each, f in INSTEAD.get(lab, {}).items() if each in calls}
    function = subject(name, thing, calls, calls & {*others, *Kernel().functions})
    return run_checks(checks, Kernel({**others, name: function}))


class Points(float):
    """What a check was worth, when not all of it was passed: a number, shown as a sentence."""

    sentence: str

    def __new__(cls, points: float, sentence: str) -> Points:
        made = super().__new__(cls, points)
        made.sentence = sentence
        return made

    def _repr_html_(self) -> str:
        return f"<p>{self.sentence}</p>"


LAST: dict[tuple[str, str], list[Result]] = {}  # by lab and exercise: what its last check said


def check(name: str) -> Points | None:
    """Check the function *name* of this notebook: show how it went, and return the points so far.

    Returns nothing where all open checks are passed: for nbgrader, a cell that shows no number is right.
    Every other function of the kernel is the one that shares nothing, so that each exercise
    stands for itself.
    """
    if callable(name):
        raise TypeError(f'check wants a name in quotes: check("{getattr(name, "__name__", name)}")')
    theirs: dict[str, Any] = sys._getframe(1).f_globals
    if _enter is not None:
        _enter(here if isinstance(here := theirs.get("LAB"), int) else None)
    if not labs_with(name):
        known_names = dict.fromkeys(other for _, other in EXERCISES)
        raise ValueError(f"check({name!r}): there is no such exercise; there are {', '.join(known_names)}")
    lab = lab_of(name, theirs)
    known = EXERCISES[lab, name]
    results = LAST[lab, name] = run_open(name, theirs.get(name), lab)
    untouched = _as_given(known, theirs.get(name))
    report = Report(name, results, known.gained, more=known.more, untried=known.untried, untouched=untouched)
    passed = report.points == sum(result.max for result in results)
    report.show(score=passed)
    return None if passed else Points(report.points, report.score)
