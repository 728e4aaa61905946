"""Earlier labs in a later one: the kernel that a notebook starts from, and the student's own part in it."""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import io
import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..check.checks import lab_in
from ..check.notebook import EXERCISES, run_open
from ..explore.budget import line_budget
from ..machine import Kernel
from ..store import current, use
from . import open_checks

LINES = 200_000  # that one cell of an earlier notebook may run
LETTERS = 120  # of the reason why a function stays the course's

PROJECT = Path(__file__).resolve().parents[3]
if (PROJECT / "solutions").is_dir():  # this is the repository; a student's package brings the kernels along
    sys.path.insert(1, str(PROJECT / "build" / "given"))

OWN: dict[str, dict[str, Callable[..., Any]]] = {}  # by lab: the student's, those that were done in full
_at_work: set[str] = set()


def lab_said(names: Mapping[str, Any]) -> int:
    """Return which lab a notebook says it is, whose globals are *names*: its first cell says LAB = 3. 0 if none."""
    said = names.get("LAB")
    return said if isinstance(said, int) else 0


def kernel_of(lab: int) -> dict[str, Callable[..., Any]]:
    """Return what the course wrote for *lab*, by name, as later labs get it; nothing if it is not here."""
    own = f"given_lab{lab}"
    try:
        module = importlib.import_module(own)
    except ModuleNotFoundError as missing:
        if missing.name != own:
            raise
        return {}
    return {
        name: thing
        for name, thing in vars(module).items()
        if inspect.isfunction(thing)
        and (thing.__module__ == own or not re.fullmatch(r"given_lab\d+", thing.__module__))
    }


def kernel_before(lab: int) -> dict[str, tuple[str, Callable[..., Any]]]:
    """The kernel that *lab* starts from, by name: whose each function is, and the function.

    That of the labs before it, the newest first; below them the one that shares nothing.
    """
    found = {name: ("the one that shares nothing", f) for name, f in Kernel().functions.items()}
    for earlier in range(lab):
        found |= {name: (f"lab {earlier}'s", f) for name, f in kernel_of(earlier).items()}
        mine = OWN.get(f"lab{earlier}", {})
        found |= {name: (f"your own of lab {earlier}", f) for name, f in mine.items()}
    return found


def use_mine(name: str) -> None:
    """Go on with your own kernel of an earlier lab, as far as it passes there: use_mine("lab1_zero_page").

    The notebook of that name is looked for beside this one. Its code is run again, unseen, without
    the experiments; each of its functions that is done in full takes the place of the course's here.
    """
    into: dict[str, Any] = sys._getframe(1).f_globals
    stem = name.removesuffix(".ipynb")
    if stem in _at_work:  # a notebook that asks for itself
        return
    _at_work.add(stem)
    before, silence = current(), _Silence()
    try:
        with silence:
            said = _take_over(stem, into)
    finally:
        use(before)  # a cell may have booted a machine
        _at_work.discard(stem)
    print(said)


def _take_over(stem: str, into: dict[str, Any]) -> str:
    """Put what is done in the notebook *stem* into these globals; gives the sentence that tells."""
    beside = (Path(f"{stem}.ipynb"), Path("..", stem, f"{stem}.ipynb"))  # each zip has a folder of its own
    path = next((path for path in beside if path.is_file()), None)
    stays = "All functions stay the course's."
    if path is None:
        return f"There is no {stem}.ipynb in {Path.cwd()}: copy yours there, and run this cell again. {stays}"
    try:
        sources = _sources(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return f"{path} is no notebook that can be read ({type(error).__name__}): save it again. {stays}"
    here, lab = lab_said(into), lab_in(stem)
    open_checks(here)
    exercises = [name for each, name in EXERCISES if each == lab and int(lab.removeprefix("lab")) < here]
    if not exercises:
        return f"{path.name} is the notebook of no lab before {here} that has exercises. {stays}"
    namespace = _run(sources, stem)
    done: dict[str, Any] = {}
    whys: dict[str, str] = {}
    for name in exercises:
        thing = namespace.get(name)
        if not EXERCISES[lab, name].in_kernel:
            continue  # a guess, or a program: nothing that a kernel calls
        why = _why_not(name, thing, stem)
        if why:
            whys[name] = why
        else:
            done[name] = thing
    namespace.update((name, into[name]) for name in whys if name in into)  # for those of theirs that call it
    OWN[lab] = done
    newest = kernel_before(here)
    for name in list(done):
        if newest[name][1] is done[name]:
            into[name] = done[name]
        else:
            whys[name] = f"{newest[name][0]} is newer"
            del done[name]
    yours = f"yours are {_and(list(done))}" if done else "nothing is done in full"
    course = f"; the course's stay {_and([f'{name} ({why})' for name, why in whys.items()])}" if whys else ""
    return f"{path.name}: {yours}{course}."


def _sources(path: Path) -> list[str]:
    """The code cells of a notebook that are neither graded nor experiments."""
    found = []
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        meta = cell.get("metadata", {})
        marks = meta.get("nbgrader", {})
        graded = marks.get("grade") and not marks.get("solution")
        if cell["cell_type"] == "code" and not graded and "experiment" not in meta.get("tags", []):
            found.append("".join(cell["source"]))
    return found


def _run(sources: list[str], stem: str) -> dict[str, Any]:
    """What the cells define; one that raises, or has no end, is left at that point."""
    namespace: dict[str, Any] = {"__name__": stem}
    for source in sources:
        try:
            spread = ast.unparse(ast.parse(source))  # a loop in a single line is in that line for ever
            with line_budget(LINES, frozenset({f"<{stem}>"})):
                exec(compile(spread, f"<{stem}>", "exec"), namespace)
        except KeyboardInterrupt:
            raise
        except BaseException:  # SystemExit, a kernel bug, an endless loop: whatever a student's cell does
            continue
    return namespace


def _why_not(name: str, thing: Any, stem: str) -> str:
    """Why *thing* is not done in full; nothing if it is."""
    if thing is None or getattr(getattr(thing, "__code__", None), "co_filename", f"<{stem}>") != f"<{stem}>":
        return "its cell defines no such function"
    try:
        results = run_open(name, thing, lab_in(stem))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"it ends with {type(error).__name__}"
    failed = next((result for result in results if result.voice != "done"), None)
    if failed is None:
        return ""
    why = " ".join(f"{failed.voice}: {failed.why}".removesuffix(": ").split())
    return why if len(why) <= LETTERS else f"{why[: LETTERS - 1]}…"


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


class _Silence(contextlib.ExitStack):
    """Nothing that is printed or displayed inside is seen."""

    def __enter__(self) -> _Silence:
        try:
            from IPython.utils.capture import capture_output
        except ImportError:  # there is nothing that displays, then
            self.enter_context(contextlib.redirect_stdout(io.StringIO()))
            self.enter_context(contextlib.redirect_stderr(io.StringIO()))
        else:
            self.enter_context(capture_output())
        return super().__enter__()
