"""From the course to a classic nbgrader course folder in build/, through nbgrader's own generate step."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import hugezero
import nbformat
from nbformat import NotebookNode
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader

from .answers import compare
from .cells import exercise_of, is_graded
from .layout import PROJECT, Course

CONFIG = '''"""Made by `python -m autograder release`: nbgrader's settings for this folder."""
import os
import sys
import warnings

warnings.filterwarnings("ignore", module="nbgrader")  # what its database says to its authors
here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.normpath(os.path.join(here, path)) for path in ({project!r}, {package!r})]
programs = os.path.dirname(sys.executable)  # nbgrader starts alembic by its name
if programs not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = programs + os.pathsep + os.environ.get("PATH", os.defpath)

c = get_config()
c.CourseDirectory.course_id = "hugezero"
c.CourseDirectory.root = here
c.CourseDirectory.ignore = ["*"]  # of a submission only its notebook is copied: nbgrader follows links
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Autograde.exporter_class = "autograder.grading.reading.Reader"
c.Autograde.sanitize_preprocessors = ["autograder.grading.rebuild.Rebuild"]
c.Autograde.autograde_preprocessors = [
    "autograder.grading.execute.Judged",
    "autograder.grading.ledger.FromLedger",
    "autograder.grading.ledger.Tame",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "autograder.grading.ledger.Flag",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.Judged.root = os.path.dirname(here)
c.WidgetsDataTypeFilter.display_data_priority = [
    "text/html", "image/svg+xml", "image/png", "text/markdown", "text/latex", "text/plain",
]

own = os.path.join(here, "my_config.py")  # yours, with more lines like these: release never touches it
if os.path.exists(own):
    with open(own, encoding="utf-8") as file:
        exec(compile(file.read(), own, "exec"))
'''


class ReleaseFailed(RuntimeError):
    """nbgrader's generate step failed, or what it made is not the course."""


@dataclass
class Released:
    """One lab, released."""

    stem: str
    same: bool
    points: float
    updated: bool = False


def configure(course: Course) -> NbGraderAPI:
    """Write build/nbgrader_config.py; return nbgrader as configured by it."""
    course.build.mkdir(exist_ok=True)
    package = Path(hugezero.__path__[0]).parent
    config = course.build / "nbgrader_config.py"
    where = {
        name: os.path.relpath(path, course.build)
        for name, path in (("project", PROJECT), ("package", package))
    }
    text = CONFIG.format(**where)
    if not config.exists() or config.read_text("utf-8") != text:
        config.write_text(text, encoding="utf-8")
    return nbgrader(course)


def nbgrader(course: Course) -> NbGraderAPI:
    """Return nbgrader on build/, as its own command line would start it there."""
    path = course.build / "nbgrader_config.py"
    if not path.exists():
        raise ReleaseFailed(
            f"there is no {path.name} in {course.build.name}/ yet: run `python -m autograder release`"
        )
    config = PyFileConfigLoader(path.name, str(course.build)).load_config()
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def audit(course: Course, stem: str, notebook: NotebookNode) -> float:
    """Return the points of a lab; raise ReleaseFailed where a cell is not worth what its checks are."""
    checks, total, seen = course.checks(stem), 0.0, set()
    for cell in filter(is_graded, notebook.cells):
        name, points = exercise_of(cell), float(cell.metadata.nbgrader.points)
        worth = sum(check.points for check in checks.get(name, []))
        if points != worth:
            raise ReleaseFailed(
                f"{stem}: cell check_{name} is worth {points:g} points and its {len(checks.get(name, []))} checks "
                f"{worth:g}: make them the same"
            )
        if cell.source.strip() != f'check("{name}")':
            raise ReleaseFailed(f'{stem}: cell check_{name} should read check("{name}") and nothing else')
        total += points
        seen.add(name)
    for name in checks.keys() - seen:
        raise ReleaseFailed(f"{stem}: there are checks of {name}, and no graded cell called check_{name}")
    return total


def release(course: Course, stem: str, update: bool = False) -> Released:
    """Let nbgrader release a lab into build/; with *update* course/ gets the released bytes."""
    path = course.notebook(stem)
    given = path.read_bytes()
    notebook = nbformat.reads(given.decode("utf-8"), 4)
    points = audit(course, stem, notebook)
    source = course.build / "source" / stem / f"{stem}.ipynb"
    source.parent.mkdir(parents=True, exist_ok=True)
    compare(notebook, course.solution(stem).read_text("utf-8"))
    source.write_bytes(given)
    told = configure(course).generate_assignment(stem)
    if not told["success"]:
        raise ReleaseFailed(
            f"{stem}: nbgrader could not release it:\n{told.get('log') or ''}{told.get('error') or ''}"
        )
    made = (course.build / "release" / stem / f"{stem}.ipynb").read_bytes()
    if update and made != given:
        path.write_bytes(made)
    return Released(stem, made == given or update, points, update and made != given)


def clean(course: Course) -> None:
    """Forget everything that was released and graded."""
    shutil.rmtree(course.build, ignore_errors=True)
