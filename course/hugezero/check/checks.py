"""What a check is, and how a list of them is run on one kernel."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ..mm.fault import OutOfMemory, SegmentationFault
from ..store import KernelBug, RunsOn
from .student_line import UNWRITTEN

Run = Callable[[Any], object]  # what it returns, if anything, is told beside its title
VOICES = ("not started", "not yet", "almost", "inconclusive", "done", "not run")


class Failed(Exception):
    """What was seen is not what was promised.

    *schedule*: who did what, where it takes several CPUs to see it; *alone* if one was enough.
    *picture* is what a notebook can draw of that: see Report.
    """

    def __init__(
        self,
        why: str,
        hint: str = "",
        schedule: tuple[str, ...] = (),
        picture: Any = None,
        alone: bool = False,
    ) -> None:
        super().__init__(why)
        self.why, self.hint, self.schedule, self.picture = why, hint, schedule, picture
        self.voice = "almost" if schedule and not alone else "not yet"


class Inconclusive(Failed):
    """The check came to no end within its budget: no points, and a person should look."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why, hint)
        self.voice = "inconclusive"


class NotStarted(Exception):
    """The function under test is still the stub."""


class CodeRaised(Exception):
    """The code under test ended with an exception of its own."""

    def __init__(self, function: str, kind: str, text: str) -> None:
        super().__init__(f"{function} raised {kind}: {text}" if text else f"{function} raised {kind}")
        self.function, self.kind, self.text = function, kind, text

    @property
    def unwritten(self) -> bool:
        """Is the function itself still a stub, and not a helper of it?"""
        return self.kind == "NotImplementedError" and not self.text.endswith(UNWRITTEN)


def expect(ok: object, why: str, hint: str = "") -> None:
    """Fail the check with *why* (what was seen, what was expected) unless *ok*."""
    if not ok:
        raise Failed(why, hint)


def expect_equal(what: str, got: object, want: object, hint: str = "") -> None:
    """Fail the check unless *got* equals *want*; *what* it was is said with both, as code: '2' is not 2."""
    expect(got == want, f"{what} is {got!r}; it should be {want!r}", hint)


def lab_in(name: str) -> str:
    """lab1, of a module of its folder (hugezero.labs.lab1.checks) or its notebook (lab1_zero_page); nothing if none."""
    found = re.search(r"(?:^|\.)(lab\d+)(?=[._]|$)", name)
    return found[1] if found else ""


@dataclass(frozen=True)
class Check:
    """A promise about one function: its title is the docstring of *run*."""

    exercise: str
    points: float
    run: Run
    needs: tuple[Check, ...] = ()

    @property
    def name(self) -> str:
        return self.run.__name__

    @property
    def title(self) -> str:
        return " ".join((self.run.__doc__ or self.name).split())

    @property
    def lab(self) -> str:
        """The lab that it is of, as lab1; nothing if it is of none."""
        return lab_in(self.run.__module__)

    @property
    def hidden(self) -> bool:
        """Is it one that students do not get?"""
        return not self.run.__module__.startswith("hugezero.")


@dataclass
class Result:
    """What one check said."""

    name: str
    title: str
    max: float
    points: float = 0.0
    voice: str = "not run"
    why: str = ""
    hint: str = ""
    schedule: list[str] = field(default_factory=list)
    hidden: bool = False
    note: str = ""  # what a check that was passed has to tell

    def __post_init__(self) -> None:
        self.picture: Any = None  # no fields: these stay in the process that made them
        self.printed: list[str] = []  # what the code under test has printed first


class FirstLines(io.TextIOBase):
    """Keeps the first lines that are printed into it: a check runs a function many times."""

    def __init__(self, most: int = 8, letters: int = 200) -> None:
        self.most, self.letters, self.text = most, letters, ""

    def write(self, text: str) -> int:
        if self.text.count("\n") < self.most:
            self.text += text[: self.most * self.letters]
        return len(text)

    @property
    def lines(self) -> list[str]:
        """Return those lines, each cut where it gets long."""
        found = self.text.splitlines()
        more = ["…"] if len(found) >= self.most else []
        return [line[: self.letters] for line in found[: self.most]] + more


CHECKS: dict[str, list[Check]] = {}  # by exercise, in the order in which they are run


def check(exercise: str, points: float, needs: Check | Iterable[Check] = ()) -> Callable[[Run], Check]:
    """Make a function of a kernel a check of *exercise*, worth *points*.

    It is not run where one of the checks that it *needs* has failed.
    """

    def register(run: Run) -> Check:
        made = Check(exercise, points, run, (needs,) if isinstance(needs, Check) else tuple(needs))
        CHECKS.setdefault(exercise, []).append(made)
        return made

    return register


def _run(check: Check, kernel: Any) -> object:
    """Run *check*, and ask the function under test again: that it differs says more than what it came to."""
    again = [getattr(function, "asked_again", None) for function in getattr(kernel, "functions", {}).values()]
    try:
        said = check.run(kernel)
    except (CodeRaised, Failed, KernelBug):
        for ask in filter(None, again):
            ask()
        raise
    for ask in filter(None, again):
        ask()
    return said


def run_one(check: Check, kernel: Any) -> Result:
    """Run one check; whatever the code under test does becomes a Result."""
    result, printed = Result(check.name, check.title, check.points, hidden=check.hidden), FirstLines()
    try:
        with contextlib.redirect_stdout(printed):
            said = _run(check, kernel)
    except NotStarted:
        result.voice = "not started"
    except KernelBug as bug:
        result.voice, result.why = "not yet", f"kernel bug: {bug}"
    except RunsOn as end:
        result.voice, result.why = "inconclusive", f"this came to no end: {end}"
    except (OutOfMemory, SegmentationFault) as ended:
        result.voice, result.why = "not yet", f"the program was ended, and should have gone on: {ended}"
    except Failed as failed:
        result.voice, result.why, result.hint = failed.voice, failed.why, failed.hint
        result.schedule, result.picture = list(failed.schedule), failed.picture
    except CodeRaised as raised:
        if raised.unwritten:
            result.voice = "not started"
        elif raised.text.endswith(UNWRITTEN):
            result.voice, result.why = "not yet", raised.text
        else:
            result.voice, result.why = "not yet", str(raised)
            if "'NoneType' object" in raised.text:
                result.hint = "something was None there: alloc_folio() gives None when there is no memory"
    except Exception as wrong:  # what the student's function gave could not be worked with
        result.voice = "inconclusive"
        result.why = f"this check could make nothing of what it got ({type(wrong).__name__}: {wrong})"
    else:
        result.voice, result.points = "done", check.points
        result.note = "" if said is None else str(said)
    result.printed = printed.lines
    return result


def run_checks(checks: Iterable[Check], kernel: Any) -> list[Result]:
    """Run *checks* in order; one whose needs have failed is not run and says which."""
    results: list[Result] = []
    done: set[Check] = set()
    for each in checks:
        missing = next((need for need in each.needs if need not in done), None)
        if missing is not None:
            why = f"first: {missing.title}"
            results.append(Result(each.name, each.title, each.points, why=why, hidden=each.hidden))
            continue
        result = run_one(each, kernel)
        results.append(result)
        if result.voice == "done":
            done.add(each)
    return results
