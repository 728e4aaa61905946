"""How each known mistake is told to a student, kept as text, so that somebody reads it.

A file for each lab that has one, beside its mutants: what verify finds must be what is kept.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from textwrap import indent

from hugezero.check.checks import Result

from ..course.layout import Course
from .known_answers import Verdict

UPDATE = "python -m autograder verify {stem} --update-counterexamples"
SHOWN = 40  # lines of a difference


def kept(course: Course, stem: str) -> Path:
    """Where those of a lab are."""
    return course.mutants(stem).with_name("counterexamples.txt")


def in_text(stem: str, verdicts: Iterable[Verdict]) -> str:
    """What the check that is meant for it says to each mutant, and its story."""
    head = (
        f"How the known mistakes of {stem} are told to a student.\nWritten by `{UPDATE.format(stem=stem)}`.\n"
    )
    return "\n".join([head, *map(_block, verdicts)])


def _block(verdict: Verdict) -> str:
    mutant, result = verdict.mutant, _caught(verdict)
    lines = [f"== {mutant.exercise}: {mutant.name}"]
    if result is None:
        return "\n".join([*lines, "nothing was found", ""])
    lines += [f"check: {result.title}", f"{result.voice}: {result.why}"]
    lines += [f"hint:  {result.hint}"] * bool(result.hint)
    lines += [f"story: {mutant.story}"] * bool(mutant.story)
    return "\n".join(lines) + "\n" + indent("\n".join(result.schedule) + "\n" * bool(result.schedule), "  ")


def _caught(verdict: Verdict) -> Result | None:
    failed = [result for result in verdict.results if result.voice not in ("done", "not run")]
    return next((r for r in failed if r.name == verdict.mutant.caught_by), failed[0] if failed else None)


def update(course: Course, stem: str, verdicts: Iterable[Verdict]) -> None:
    """Keep what was found now."""
    path = kept(course, stem)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(in_text(stem, verdicts), "utf-8")


def difference(course: Course, stem: str, verdicts: Iterable[Verdict]) -> str:
    """How what was found differs from what is kept; nothing if it does not, or if the lab keeps none.

    With another number of generated examples another one may be the smallest that shows a mistake.
    """
    path = kept(course, stem)
    if not path.is_file() or "HUGEZERO_EXAMPLES" in os.environ:
        return ""
    lines = list(
        difflib.unified_diff(
            path.read_text("utf-8").splitlines(),
            in_text(stem, verdicts).splitlines(),
            "kept",
            "found now",
            n=1,
            lineterm="",
        )
    )
    if not lines:
        return ""
    more = [f"… and {len(lines) - SHOWN} lines more"] if len(lines) > SHOWN else []
    return "\n".join(
        [
            f"counterexamples are not as in {path.relative_to(course.root)}: read the difference, and `{UPDATE.format(stem=stem)}` keeps it",
            *lines[:SHOWN],
            *more,
        ]
    )
