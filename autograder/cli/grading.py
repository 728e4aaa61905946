"""Commands that grade, and show what was graded."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import Root, app, course_in, say, stop, table, tame

if TYPE_CHECKING:
    from ..grading.results import SubmissionResult


@app.command()
def grade(
    stem: Annotated[str, typer.Argument(help="The lab.")],
    force: Annotated[bool, typer.Option("--force", help="Also what was graded before.")] = False,
    student: Annotated[
        list[str] | None, typer.Option("--student", help="Only this student; can be repeated.")
    ] = None,
    but: Annotated[
        list[str] | None, typer.Option("--but", help="All but this student; can be repeated.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, help="Processes at the same time; as many as CPUs, if not given."),
    ] = None,
    root: Root = None,
) -> None:
    """Grade every submission of a lab that is in build/submitted/; exit with 1 if one could not be graded."""
    from ..course.release import ReleaseFailed
    from ..grading import grade as grading
    from ..grading.workers import cpus
    from ..sandbox.sandbox import NoSandbox

    course = course_in(root)
    try:
        who = grading.chosen(course, stem, student or (), but or ())
        if not who:
            stop(f"nobody has handed in {stem}: submissions are build/submitted/STUDENT/{stem}/{stem}.ipynb")
        rows = table(grading.grade(course, stem, force, who, jobs or cpus()), len(who), f"grading {stem}")
    except (NoSandbox, ReleaseFailed, FileNotFoundError, ValueError) as wrong:
        stop(wrong)
    left = [each.student for each in rows if not each.cells]
    looks = sum(each.flagged for each in rows) - len(left)
    say(f"{len(rows) - len(left)} of {len(rows)} graded, {looks} of them for a person to look at")
    if left:
        stop(f"not graded: {', '.join(map(tame, left))}", 1)


@app.command()
def points(
    stem: Annotated[str, typer.Argument(help="The lab.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="The file to write; the terminal if not given.")
    ] = None,
    root: Root = None,
) -> None:
    """Write what was graded as CSV: a row for each check, with manual points and lateness."""
    from ..grading import points as table
    from ..grading.results import graded

    course = course_in(root)
    try:
        found = graded(course, stem)
        if to is None:
            table.write(course, found, sys.stdout)
            return
        with to.open("w", newline="", encoding="utf-8") as file:
            n = table.write(course, found, file)
    except ValueError as wrong:
        stop(wrong)
    except OSError as wrong:
        stop(f"{wrong.filename or to}: {wrong.strerror}")
    print(f"{n} rows in {to}")


@app.command()
def report(stem: Annotated[str, typer.Argument(help="The lab.")], root: Root = None) -> None:
    """Write one HTML page on how the class did: points, checks, known mistakes, what to look at."""
    from ..grading import class_report

    try:
        print(class_report.write(course_in(root), stem))
    except (ValueError, OSError) as wrong:
        stop(wrong)


@app.command()
def check(
    notebooks: Annotated[list[Path], typer.Argument(help="Notebooks, anywhere.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the ledgers as JSON.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Also write JUnit XML to this file.")] = None,
    root: Root = None,
) -> None:
    """Grade notebooks on the spot; exit with 0 only if each has full points."""
    from ..grading import grade as grading
    from ..grading.reading import NotANotebook
    from ..sandbox.bubblewrap import missing

    course = course_in(root)
    boxed = not missing()
    if not boxed:
        say(f"warning: {missing()}. The notebook runs as you, with all your rights: check only your own")
    if junit is not None and not junit.resolve().parent.is_dir():
        stop(f"{junit}: there is no folder {junit.resolve().parent}")
    found: list[SubmissionResult] = []
    for path in notebooks:
        try:
            each = grading.check(course, path, boxed)
        except (NotANotebook, OSError) as wrong:
            each = grading.unchecked(path, str(wrong) if path.exists() else f"{path}: there is no such file")
        found.append(each)
        if not as_json:
            _tell(each)
    if junit is not None:
        junit.write_text(grading.as_junit(found), encoding="utf-8")
    if as_json:
        print(json.dumps([each.as_json() for each in found], indent=1, ensure_ascii=False))
    broken = [each.notes[0] for each in found if not each.cells]
    if broken:
        stop("\nerror: ".join(broken))
    raise typer.Exit(0 if all(each.points == each.max for each in found) else 1)


def _tell(each: SubmissionResult) -> None:
    """Print one notebook's result as text."""
    from ..grading.ledger import report

    if each.cells:
        print(f"{each.file}: {each.points:g} of {each.max:g} points")
        for note in each.notes:
            print(f"  {note}")
    for name, row in each.cells.items():
        flag = f": {row.flag}" if row.flag else ""
        print(f"{name}{flag}")
        if row.cell and row.cell != row.flag:
            print(f"  Your answer: {row.cell}")
        print("  " + str(report(row)).replace("\n", "\n  "))
