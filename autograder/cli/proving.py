"""Commands that prove the course: its checks, its figures, its pipeline, and Linux itself."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TextColumn
from rich.table import Table

from .common import Root, app, course_in, out, say, stop, table


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
    from ..course.release import ReleaseFailed
    from ..prove import verify as proving

    course = course_in(root)
    wrong = 0
    for stem in stems or course.stems():
        try:
            proofs = [proving.verify(course, stem, say, update_counterexamples)]
        except (ValueError, ReleaseFailed) as broken:  # Drift, or a mutant whose text is gone
            stop(broken)
        print("\n".join(proving.matrix(proofs[0])))
        if full or some:
            proofs.append(proving.verify_judged(course, stem, say, some=not full))
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
    from ..labs import measured

    columns = ["programs", *measured.DOES, "distinct", "failing"]
    table = Table("lab", *columns)
    lines = ["\t".join(["lab", *columns])]
    for suite in measured.suites(course_in(root)):
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
            say(f"{self.done} of {self.total}, {rate}")

    def __enter__(self) -> _Rate:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()


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

    from ..labs import scenarios
    from ..labs.lab4.programs import PROGRAMS
    from ..labs.shrinking import fail_with_the_smallest
    from ..prove import conform as conforming

    course = course_in(root)
    labs = stems or course.stems()
    if record is not None and not record.resolve().parent.is_dir():
        stop(f"{record}: there is no folder {record.resolve().parent}")
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
        stop(wrong)
    except KeyboardInterrupt:
        stop("interrupted: settings are put back, and no process is left", 130)
    print("\n".join(tally.lines()))
    raise typer.Exit(1 if tally.unlike else 0)


@app.command()
def figures(
    stem: Annotated[str, typer.Argument(help="The lab.")] = "lab4_mm_flag",
    whole: Annotated[
        bool, typer.Option("--whole", help="The experiment at full size, not a sixteenth of it.")
    ] = False,
    root: Root = None,
) -> None:
    """Print what the reference kernels predict beside what was published, and write the charts of it."""
    from ..prove import figures as counting

    course = course_in(root)
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(f"replaying {stem}", total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        try:
            told, files = counting.figures(course, stem, 1 if whole else 16, tell)
        except (counting.NoFigures, FileNotFoundError) as wrong:
            stop(wrong)
    print(told, end="\n\n")
    for file in files:
        print(file.relative_to(course.root))


@app.command()
def demo(
    stem: Annotated[str | None, typer.Argument(help="The lab; the last one there is, if not given.")] = None,
    root: Root = None,
) -> None:
    """Release a lab, hand in examples from perfect to hostile, grade them, print the table."""
    from ..course.answers import Drift
    from ..course.release import ReleaseFailed
    from ..course.release import release as release_one
    from ..grading import grade as grading
    from ..prove import demo as showing
    from ..prove import known_answers, submissions
    from ..sandbox.sandbox import NoSandbox

    real = course_in(root)
    stem = stem or real.stems()[-1]
    course = showing.stage(real)
    print(f"{stem}: releasing", flush=True)
    try:
        release_one(course, stem)
    except (Drift, ReleaseFailed) as broken:
        stop(broken)
    known_answers.keep_stories(course, stem)
    made = showing.examples(course, stem)
    for student, notebook in made.items():
        submissions.submit(course, student, stem, notebook)
    try:
        table(grading.grade(course, stem), len(made), f"grading {stem}")
    except NoSandbox as wrong:
        stop(wrong)
    finally:
        shutil.rmtree(course.root / "build" / "submitted", ignore_errors=True)
