"""What all commands share: the program, the course they are about, and how they speak."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ..course.layout import Course

if TYPE_CHECKING:
    from ..grading.results import SubmissionResult

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="The commands. On a terminal they draw tables and a bar; elsewhere they print plain lines.",
)  # fmt: skip
Root = Annotated[
    Path | None, typer.Option(help="The course's folder; the one this program is in, if not given.")
]
out = Console(soft_wrap=True, highlight=False)


def course_in(root: Path | None) -> Course:
    course = Course(root.resolve()) if root else Course()
    if not course.stems():
        stop(f"there are no labs in {course.root / 'course'}: a lab is a notebook called lab*.ipynb")
    return course


def stop(why: object, status: int = 2) -> NoReturn:
    print(f"error: {why}", file=sys.stderr)
    raise typer.Exit(status)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _row(each: SubmissionResult) -> list[str]:
    """Return a result as a row: who, points, of how many, flagged, and why."""
    flags = [f"{name}: {row.flag}" for name, row in each.cells.items() if row.flag]
    why = tame("; ".join([*each.notes, *flags]))
    points = [f"{each.points:g}", f"{each.max:g}"]
    return [
        tame(each.student), *points, "yes" if each.flagged else "", why if len(why) <= 160 else f"{why[:159]}…"
    ]  # fmt: skip


def tame(text: str) -> str:
    """Return *text* on one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def table(found: Iterable[SubmissionResult], total: int, what: str) -> list[SubmissionResult]:
    """Print a table of results; where there is no terminal, a line as each comes in."""
    rows: list[SubmissionResult] = []
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        for each in found:
            rows.append(each)
            progress.advance(task)
            if not out.is_terminal:
                print("\t".join(_row(each)), flush=True)
    if out.is_terminal:
        table = Table("student", "points", "of", "flagged", "why")
        for each in rows:
            table.add_row(*_row(each))
        out.print(table)
    return rows
