"""Commands that make what students and instructors get."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..course.layout import Course
from .common import Root, app, course_in, stop


@app.command()
def release(
    stems: Annotated[list[str] | None, typer.Argument(help="Labs; all of them, if none is given.")] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Only write the form that nbgrader releases back to course/.")
    ] = False,
    root: Root = None,
) -> None:
    """Release each lab through nbgrader into build/, and make the students' packages."""
    from ..course import given, package
    from ..course.answers import Drift
    from ..course.release import ReleaseFailed
    from ..course.release import release as release_one
    from ..prove import known_answers

    course = course_in(root)
    different = False
    try:
        given.write(course)
        for stem in stems or course.stems():
            done = release_one(course, stem, update)
            told = (
                "course/ was brought up to date"
                if done.updated
                else "as in course/"
                if done.same
                else "DIFFERS from course/"
            )
            made = [f"{stem}\t{done.points:g} points\t{told}"]
            if not update:
                known_answers.keep_stories(course, stem)
                made.append(str(package.package(course, stem).relative_to(course.root)))
            print(*made, sep="\t")
            different |= not done.same
    except (Drift, ReleaseFailed, package.Leak, RuntimeError, ValueError, FileNotFoundError) as wrong:
        stop(wrong)
    if different:
        stop(
            "what was released is not what is in course/. If the new form is right, release --update writes it; "
            "to see it first: diff course/LAB.ipynb build/release/LAB/LAB.ipynb"
        )


@app.command()
def cells(
    stem: Annotated[str, typer.Argument(help="The lab.")],
    root: Root = None,
) -> None:
    """Add to course/LAB.ipynb the cells of exercises that have checks and no cells yet, and bring points up to date."""
    from ..course.new_cells import add_cells

    course = Course(root.resolve()) if root else Course()
    try:
        added = add_cells(course, stem)
    except (ValueError, OSError) as wrong:
        stop(wrong)
    print(f"course/{stem}.ipynb: {', '.join(added) or 'nothing'} added")


@app.command()
def given(root: Root = None) -> None:
    """Bring build/given/ up to date: the kernels of earlier labs, that notebooks in course/ import."""
    from ..course import given as kernels

    try:
        kernels.write(course_in(root))
    except (ValueError, OSError) as wrong:
        stop(wrong)


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

    from ..course.answers import Drift, solved

    course = course_in(root)
    path = to or course.build / "solved" / f"{stem}.ipynb"
    try:
        made = solved(nbformat.read(course.notebook(stem), 4), course.solution(stem).read_text("utf-8"))
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(made, path)
    except (Drift, OSError) as wrong:
        stop(wrong)
    print(path)
