"""The commands. On a terminal they draw tables and a bar; elsewhere they print plain lines."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn
from rich.table import Table

from .course.layout import Course

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
Root = Annotated[
    Path | None, typer.Option(help="The course's folder; the one this program is in, if not given.")
]
out = Console(soft_wrap=True, highlight=False)


def _course(root: Path | None) -> Course:
    course = Course(root.resolve()) if root else Course()
    if not course.stems():
        _stop(f"there are no labs in {course.root / 'course'}: a lab is a notebook called lab*.ipynb")
    return course


def _stop(why: object, status: int = 2) -> NoReturn:
    print(f"error: {why}", file=sys.stderr)
    raise typer.Exit(status)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _row(each: dict[str, Any]) -> list[str]:
    """A ledger as a row: who, points, of how many, flagged, and why."""
    from .grading.grade import flagged

    flags = [f"{name}: {row['flag']}" for name, row in each["cells"].items() if row["flag"]]
    why = _tame("; ".join([*each["notes"], *flags]))
    points = [f"{each['points']:g}", f"{each['max']:g}"]
    return [
        _tame(each["student"]), *points, "yes" if flagged(each) else "", why if len(why) <= 160 else f"{why[:159]}…"
    ]  # fmt: skip


def _tame(text: str) -> str:
    """*text* on one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def _table(found: Iterable[dict[str, Any]], total: int, what: str) -> list[dict[str, Any]]:
    """Print a table of ledgers; where there is no terminal, a line as each comes in."""
    rows: list[dict[str, Any]] = []
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


@app.command()
def release(
    stems: Annotated[list[str] | None, typer.Argument(help="Labs; all of them, if none is given.")] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write what was released back to course/.")
    ] = False,
    root: Root = None,
) -> None:
    """Release each lab through nbgrader into build/, and make the students' packages."""
    from .course import given, package
    from .course.answers import Drift
    from .course.release import ReleaseFailed
    from .course.release import release as release_one
    from .prove import known_answers

    course = _course(root)
    different = False
    try:
        given.write(course)
        for stem in stems or course.stems():
            done = release_one(course, stem, update)
            known_answers.keep_stories(course, stem)
            zipped = package.package(course, stem)
            told = (
                "course/ was brought up to date"
                if done.updated
                else "as in course/"
                if done.same
                else "DIFFERS from course/"
            )
            print(f"{stem}\t{done.points:g} points\t{told}\t{zipped.relative_to(course.root)}")
            different |= not done.same
    except (Drift, ReleaseFailed, package.Leak, RuntimeError, ValueError, FileNotFoundError) as wrong:
        _stop(wrong)
    if different:
        _stop(
            "what was released is not what is in course/. If the new form is right, release --update writes it; "
            "to see it first: diff course/LAB.ipynb build/release/LAB/LAB.ipynb"
        )


@app.command()
def cells(
    stem: Annotated[str, typer.Argument(help="The lab.")],
    root: Root = None,
) -> None:
    """Add to course/LAB.ipynb the cells of exercises that have checks and no cells yet, and bring points up to date."""
    from .course.new_cells import add_cells

    course = Course(root.resolve()) if root else Course()
    try:
        added = add_cells(course, stem)
    except (ValueError, OSError) as wrong:
        _stop(wrong)
    print(f"course/{stem}.ipynb: {', '.join(added) or 'nothing'} added")


@app.command()
def given(root: Root = None) -> None:
    """Bring build/given/ up to date: the kernels of earlier labs, that notebooks in course/ import."""
    from .course import given as kernels

    try:
        kernels.write(_course(root))
    except (ValueError, OSError) as wrong:
        _stop(wrong)


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
    root: Root = None,
) -> None:
    """Grade every submission of a lab that is in build/submitted/; ends with 1 if one could not be graded."""
    from .course.release import ReleaseFailed
    from .grading import grade as grading
    from .sandbox.sandbox import NoSandbox

    course = _course(root)
    try:
        who = grading.chosen(course, stem, student or (), but or ())
        if not who:
            _stop(f"nobody has handed in {stem}: submissions are build/submitted/STUDENT/{stem}/{stem}.ipynb")
        rows = _table(grading.grade(course, stem, force, who), len(who), f"grading {stem}")
    except (NoSandbox, ReleaseFailed, FileNotFoundError, ValueError) as wrong:
        _stop(wrong)
    left = [each["student"] for each in rows if grading.not_graded(each)]
    looks = sum(map(grading.flagged, rows)) - len(left)
    _say(f"{len(rows) - len(left)} of {len(rows)} graded, {looks} of them for a person to look at")
    if left:
        _stop(f"not graded: {', '.join(map(_tame, left))}", 1)


@app.command()
def points(
    stem: Annotated[str, typer.Argument(help="The lab.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="The file to write; the terminal if not given.")
    ] = None,
    root: Root = None,
) -> None:
    """Write what was graded as CSV: a row for each check, with manual points and lateness."""
    from .grading import points as table

    course = _course(root)
    if not list((course.build / "ledger").glob(f"*/{stem}.json")):
        _stop(f"nothing of {stem} has been graded: python -m autograder grade {stem}")
    if to is None:
        table.write(course, stem, sys.stdout)
        return
    try:
        with to.open("w", newline="", encoding="utf-8") as file:
            n = table.write(course, stem, file)
    except OSError as wrong:
        _stop(f"{to}: {wrong.strerror}")
    print(f"{n} rows in {to}")


@app.command()
def check(
    notebooks: Annotated[list[Path], typer.Argument(help="Notebooks, anywhere.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the ledgers as JSON.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Also write JUnit XML to this file.")] = None,
    root: Root = None,
) -> None:
    """Grade notebooks on the spot; ends with 0 only if each has full points."""
    from .grading import grade as grading
    from .grading.reading import NotANotebook
    from .sandbox.bubblewrap import missing

    course = _course(root)
    boxed = not missing()
    if not boxed:
        _say(f"warning: {missing()}. The notebook runs as you, with all your rights: check only your own")
    if junit is not None and not junit.resolve().parent.is_dir():
        _stop(f"{junit}: there is no folder {junit.resolve().parent}")
    found: list[dict[str, Any]] = []
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
        print(json.dumps(found, indent=1, ensure_ascii=False))
    broken = [each["notes"][0] for each in found if grading.not_graded(each)]
    if broken:
        _stop("\nerror: ".join(broken))
    raise typer.Exit(0 if all(each["points"] == each["max"] for each in found) else 1)


def _tell(each: dict[str, Any]) -> None:
    """Print one notebook's ledger as text."""
    from .grading.ledger import report

    if each["cells"]:
        print(f"{each['file']}: {each['points']:g} of {each['max']:g} points")
        for note in each["notes"]:
            print(f"  {note}")
    for name, row in each["cells"].items():
        flag = f": {row['flag']}" if row["flag"] else ""
        print(f"{name}{flag}")
        if row.get("cell") and row["cell"] != row["flag"]:
            print(f"  Your answer: {row['cell']}")
        print("  " + str(report(row)).replace("\n", "\n  "))


@app.command()
def verify(
    stems: Annotated[list[str] | None, typer.Argument(help="Labs; all of them, if none is given.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Also each answer through sandbox, judge and nbgrader: hours.")
    ] = False,
    some: Annotated[
        bool, typer.Option("--some", help="Also one mutant and one rewrite of each exercise in that way.")
    ] = False,
    update_counterexamples: Annotated[
        bool,
        typer.Option(
            "--update-counterexamples", help="Keep how each mutant is told to a student, as it is now."
        ),
    ] = False,
    root: Root = None,
) -> None:
    """Prove that release gives back the course, and that the checks catch every mutant and no right answer."""
    from .course.release import ReleaseFailed
    from .prove import verify as proving

    course = _course(root)
    wrong = 0
    for stem in stems or course.stems():
        try:
            proofs = [proving.verify(course, stem, _say, update_counterexamples)]
        except (ValueError, ReleaseFailed) as broken:  # Drift, or a mutant whose text is gone
            _stop(broken)
        print("\n".join(proving.matrix(proofs[0])))
        if full or some:
            proofs.append(proving.verify_judged(course, stem, _say, some=not full))
        said = [line for proof in proofs for line in proof.wrong]
        survivors = sum(line.startswith("mutant") for line in said)
        print(
            f"{stem}: {proofs[0].mutants} mutants, {survivors} not caught as they should be; "
            f"{proofs[0].equivalents} equivalents; {len(said)} things wrong"
        )
        for line in said:
            print(f"  WRONG {line}")
        wrong += len(said)
    raise typer.Exit(1 if wrong else 0)


@app.command()
def programs(root: Root = None) -> None:
    """Print what the generated programs of each lab do: of 100 programs, how many do what shows mistakes."""
    from .labs import measured

    columns = ["programs", *measured.DOES, "distinct", "failing"]
    table = Table("lab", *columns)
    lines = ["\t".join(["lab", *columns])]
    for suite in measured.suites(_course(root)):
        share = measured.shares(suite.programs())
        cells = [suite.name, str(suite.count), *(f"{100 * share[name]:.0f}" for name in columns[1:])]
        table.add_row(*cells)
        lines.append("\t".join(cells))
    if out.is_terminal:
        out.print(table)
    else:
        print("\n".join(lines))
    print(
        f"in %; failing: of all actions; {', '.join(f'{name}: {what}' for name, what in measured.DOES.items())}"
    )


@app.command()
def conform(
    stems: Annotated[list[str] | None, typer.Argument(help="Labs; all of them, if none is given.")] = None,
    generated: Annotated[
        int, typer.Option(help="So many generated programs beside those of the labs.")
    ] = 300,
    seed: Annotated[str, typer.Option(help="Another seed makes other programs.")] = "0",
    change_settings: Annotated[
        bool, typer.Option("--change-settings", help="Switch huge zeroes off and on where a program does so.")
    ] = False,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", help="Do as if this could not be seen here; can be repeated."),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(help="Write down in this file what Linux shows to the examples."),
    ] = None,
    root: Root = None,
) -> None:
    """Compare the Linux that this runs on with lab 4's reference; ends with 1 at a difference without a known cause."""
    from hugezero.scenario.live import Unavailable

    from .labs import scenarios
    from .labs.lab4.programs import PROGRAMS
    from .labs.shrinking import fail_with_the_smallest
    from .prove import conform as conforming

    course = _course(root)
    labs = stems or course.stems()
    if record is not None and not record.resolve().parent.is_dir():
        _stop(f"{record}: there is no folder {record.resolve().parent}")
    try:
        for stem in labs:
            course.notebook(stem)
        with conforming.kernel(change_settings, without or ()) as kernel:
            print(kernel.told, flush=True)
            more = scenarios.generated(PROGRAMS.reference, seed, generated)
            todo = [*scenarios.written(course, labs), *scenarios.programs(course, labs), *more]
            comparing = conforming.Conform(kernel, PROGRAMS.reference, fail_with_the_smallest)
            with _Rate(len(todo), "asking") as rate:
                tally = comparing.all(todo, rate.tell)
            if record:
                conforming.record(kernel, record)
    except (Unavailable, ValueError, OSError) as wrong:
        _stop(wrong)
    except KeyboardInterrupt:
        _stop("interrupted: settings are put back, and no process is left", 130)
    print("\n".join(tally.lines()))
    raise typer.Exit(1 if tally.unlike else 0)


class _Rate:
    """How far something is, and how fast: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, total: int, what: str) -> None:
        columns = (*Progress.get_default_columns(), TextColumn("{task.fields[rate]}"))
        self.progress = Progress(*columns, console=out, transient=True, disable=not out.is_terminal)
        self.task = self.progress.add_task(what, total=total, rate="")
        self.total, self.done, self.began = total, 0, time.monotonic()

    def tell(self) -> None:
        """One more is done."""
        self.done += 1
        rate = f"{self.done / (time.monotonic() - self.began):.1f} a second"
        self.progress.update(self.task, advance=1, rate=rate)
        if not out.is_terminal and self.done % 50 == 0:
            _say(f"{self.done} of {self.total}, {rate}")

    def __enter__(self) -> _Rate:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()


@app.command()
def figures(
    stem: Annotated[str, typer.Argument(help="The lab.")] = "lab4_mm_flag",
    whole: Annotated[
        bool, typer.Option("--whole", help="The experiment at full size, not a sixteenth of it.")
    ] = False,
    root: Root = None,
) -> None:
    """Print what the reference kernels predict beside what was published, and write the charts of it."""
    from .prove import figures as counting

    course = _course(root)
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(f"replaying {stem}", total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        try:
            told, files = counting.figures(course, stem, 1 if whole else 16, tell)
        except (counting.NoFigures, FileNotFoundError) as wrong:
            _stop(wrong)
    print(told, end="\n\n")
    for file in files:
        print(file.relative_to(course.root))


@app.command()
def solve(
    stem: Annotated[str, typer.Argument(help="The lab.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="The file to write; build/solved/LAB.ipynb if not given.")
    ] = None,
    root: Root = None,
) -> None:
    """Write a lab's notebook with the reference's answers in it, to teach from. Students must not get it."""
    import nbformat

    from .course.answers import Drift, solved

    course = _course(root)
    path = to or course.build / "solved" / f"{stem}.ipynb"
    try:
        made = solved(nbformat.read(course.notebook(stem), 4), course.solution(stem).read_text("utf-8"))
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(made, path)
    except (Drift, OSError) as wrong:
        _stop(wrong)
    print(path)


@app.command()
def demo(
    stem: Annotated[str | None, typer.Argument(help="The lab; the last one there is, if not given.")] = None,
    root: Root = None,
) -> None:
    """Release a lab, hand in examples from perfect to hostile, grade them, print the table."""
    from .course.answers import Drift
    from .course.release import ReleaseFailed
    from .course.release import release as release_one
    from .grading import grade as grading
    from .prove import demo as showing
    from .prove import known_answers, submissions
    from .sandbox.sandbox import NoSandbox

    real = _course(root)
    stem = stem or real.stems()[-1]
    course = showing.stage(real)
    print(f"{stem}: releasing", flush=True)
    try:
        release_one(course, stem)
    except (Drift, ReleaseFailed) as broken:
        _stop(broken)
    known_answers.keep_stories(course, stem)
    made = showing.examples(course, stem)
    for student, notebook in made.items():
        submissions.submit(course, student, stem, notebook)
    try:
        _table(grading.grade(course, stem), len(made), f"grading {stem}")
    except NoSandbox as wrong:
        _stop(wrong)
    finally:
        shutil.rmtree(course.root / "build" / "submitted", ignore_errors=True)
