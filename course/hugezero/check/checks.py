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
from .failures import CodeRaised as CodeRaised
from .failures import Failed as Failed
from .failures import Inconclusive as Inconclusive
from .failures import NotStarted as NotStarted
from .function_under_test import FunctionUnderTest
from .student_line import UNWRITTEN

Run = Callable[[Any], object]  # what it returns, if anything, is told beside its title
VOICES = ("not started", "not yet", "almost", "inconclusive", "done", "not run")


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

    def result(self, voice: str = "not run", why: str = "", flag: str = "") -> Result:
        """Return a result of this check that is worth nothing."""
        return Result(self.name, self.title, self.points, voice=voice, why=why, hidden=self.hidden, flag=flag)


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
    flag: str = ""  # why a person should look at it

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
    """Run *check*, and then the function under test again: that it differs says more than what it came to."""
    functions = getattr(kernel, "functions", {}).values()
    under_test = [function for function in functions if isinstance(function, FunctionUnderTest)]
    for function in under_test:
        function.begin_check()
    try:
        said = check.run(kernel)
    except (CodeRaised, Failed, KernelBug):
        for function in under_test:
            function.asked_again()
        raise
    for function in under_test:
        function.asked_again()
    return said


def run_one(check: Check, kernel: Any) -> Result:
    """Run one check; whatever the code under test does becomes a Result."""
    result, printed = check.result(), FirstLines()
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


def run_checks(
    checks: Iterable[Check], kernel: Any, run: Callable[[Check, Any], Result] = run_one
) -> list[Result]:
    """Run *checks* in order, each by *run*; one whose needs have failed is not run and says which."""
    results: list[Result] = []
    done: set[Check] = set()
    for each in checks:
        missing = next((need for need in each.needs if need not in done), None)
        if missing is not None:
            why = f"first: {missing.title}"
            results.append(each.result("not run", why))
            continue
        result = run(each, kernel)
        results.append(result)
        if result.voice == "done":
            done.add(each)
    return results
