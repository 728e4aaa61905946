"""What is in build/submitted/: who has handed in a lab, and its notebook wherever they have put it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import nbformat
from nbgrader.utils import parse_utc

from ..course.layout import Course
from .reading import LARGEST, NotANotebook, marks, parse

MEMBERS = 1000  # of a zip that are looked at
HIDDEN = (".", "__")  # how names of folders begin that hold copies: .ipynb_checkpoints, __MACOSX


@dataclass
class HandedIn:
    """One student's folder: what was said about it, and why it cannot be graded, if it cannot."""

    student: str
    notes: list[str] = field(default_factory=list)
    broken: str = ""


def path_in(course: Course, stem: str, student: str) -> Path:
    """Return where a student's notebook has to be."""
    return course.build / "submitted" / student / stem / f"{stem}.ipynb"


def handed_in(course: Course, stem: str) -> list[HandedIn]:
    """Return a row for each folder in submitted/, its notebook put where nbgrader looks for it."""
    folder = course.build / "submitted"
    if not folder.is_dir():
        return []
    rows = []
    for path in sorted(folder.iterdir()):
        row = HandedIn(path.name)
        if path.is_symlink() or not path.is_dir():
            row.broken = (
                f"{path.name} is no folder: submissions are {folder.name}/STUDENT/{stem}/{stem}.ipynb"
            )
        else:
            try:
                _find(course, stem, row)
            except OSError as wrong:
                row.broken = f"{path.name} cannot be read: {wrong.strerror or wrong}"
        rows.append(row)
    return rows


def _find(course: Course, stem: str, row: HandedIn) -> None:
    wanted = path_in(course, stem, row.student)
    if not wanted.is_file() and not wanted.is_symlink():
        top = course.build / "submitted" / row.student
        found = [(where, data) for where, data in _notebooks(top) if _is_of(course, stem, where, data)]
        if not found:
            row.broken = f"nothing of {stem} was handed in"
            return
        if len(found) > 1:
            names = ", ".join(str(where) for where, _ in found)
            row.broken = f"there is no {stem}/{stem}.ipynb, and more than one that could be it: {names}"
            return
        where, data = found[0]
        wanted.parent.mkdir(parents=True, exist_ok=True)
        wanted.write_bytes(data)
        row.notes.append(f"{where} was taken for {stem}/{stem}.ipynb")
    _timestamp(wanted.with_name("timestamp.txt"), row)


def _notebooks(top: Path) -> Iterator[tuple[PurePath, bytes]]:
    """Notebooks in a student's folder, at any depth and in zips; links are not followed."""
    for path in sorted(top.rglob("*")):
        where = path.relative_to(top)
        if path.is_symlink() or not path.is_file() or any(part.startswith(HIDDEN) for part in where.parts):
            continue
        if path.suffix == ".ipynb" and path.stat().st_size <= LARGEST:
            yield where, path.read_bytes()
        elif path.suffix == ".zip":
            yield from _zipped(path, where)


def _zipped(path: Path, where: PurePath) -> Iterator[tuple[PurePath, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist()[:MEMBERS]:
                name = PurePath(member.filename)
                copies = any(part.startswith(HIDDEN) for part in name.parts)
                if name.suffix == ".ipynb" and member.file_size <= LARGEST and not copies:
                    yield where / name, archive.read(member)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError):  # no zip, or one with a password
        return


def _is_of(course: Course, stem: str, where: PurePath, data: bytes) -> bool:
    """Is it the notebook of this lab, by its name or by the cells that it has?"""
    if where.stem in course.stems():
        return where.stem == stem
    try:
        return lab_of(course, parse(data, where.name).notebook) == stem
    except NotANotebook:
        return False


def lab_of(course: Course, notebook: nbformat.NotebookNode) -> str:
    """Return the lab that most of a notebook's cells are of; nothing if none is of any."""
    mine = _names(notebook)
    common = {stem: len(mine & _names(nbformat.read(course.notebook(stem), 4))) for stem in course.stems()}
    best = max(common, key=lambda stem: common[stem], default="")
    return best if common.get(best) else ""


def _names(notebook: nbformat.NotebookNode) -> set[str]:
    """Return names and ids of cells."""
    names = set()
    for cell in notebook.cells:
        names |= {marks(cell).get("grade_id"), cell.get("id")}
    return {name for name in names if isinstance(name, str)}


def _timestamp(path: Path, row: HandedIn) -> None:
    """Put aside a time of hand-in that nbgrader could not read: it would refuse the submission for it."""
    if not path.is_file() and not path.is_symlink():
        return
    try:
        if path.is_symlink():
            raise ValueError
        parse_utc(path.read_text("utf-8").strip())
    except (ValueError, OverflowError, OSError):
        try:
            path.rename(path.with_name("timestamp.unreadable"))
        except OSError as wrong:
            row.broken = f"timestamp.txt is not a date, and cannot be put aside: {wrong.strerror}"
            return
        row.notes.append("timestamp.txt is not a date, and was put aside: set the time by hand if it matters")
