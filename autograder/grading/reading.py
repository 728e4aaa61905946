"""Reads what was handed in, whatever it is: a notebook, and what was odd about its file."""

from __future__ import annotations

import codecs
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode

LARGEST = 20 << 20  # bytes of a notebook
CONFLICT = re.compile(r"^(?:<{7}|>{7}) .*$", re.MULTILINE)  # what git leaves where it could not merge
MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class NotANotebook(ValueError):
    """What was handed in cannot be read; the text says why and what to do."""


class Opened(NamedTuple):
    """A notebook that was read, and a sentence about each thing that is odd about its file."""

    notebook: NotebookNode
    notes: list[str]


def read(path: str | Path) -> Opened:
    """Return the notebook in *path*; raise NotANotebook if it is none."""
    path = Path(path)
    if path.is_symlink() or not path.is_file():
        raise NotANotebook(f"{path.name} is a link or a folder, not a file: hand in the notebook itself")
    size = path.stat().st_size
    if size > LARGEST:
        raise NotANotebook(
            f"{path.name} has {size >> 20} MiB, and at most {LARGEST >> 20} are read: clear its outputs and save it again"
        )
    return parse(path.read_bytes(), path.name)


def parse(data: bytes, name: str) -> Opened:
    """Return the notebook that the bytes of the file *name* are; raise NotANotebook if they are none."""
    text, notes = _decoded(data, name)
    try:
        found = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
        cells = found["cells"] if found.get("nbformat", 0) >= 4 else None
    except Exception as wrong:
        if mark := CONFLICT.search(text):
            line = text.count("\n", 0, mark.start()) + 1
            raise NotANotebook(
                f"{name}: line {line} is a mark of a merge that git could not do ({mark[0][:20]}): resolve it, and save the notebook again"
            ) from None
        raise NotANotebook(f"{name} is not a notebook ({type(wrong).__name__}): {str(wrong)[:200]}") from None
    if found.get("nbformat") != 4 or not isinstance(cells, list):
        raise NotANotebook(
            f"{name} is a notebook of version {found.get('nbformat')}, not 4: open it in JupyterLab and save it again"
        )
    if not all(isinstance(cell, dict) for cell in cells):
        raise NotANotebook(f"{name} has a cell that is no cell: open it in JupyterLab and save it again")
    if _repaired(cells):
        notes.append(f"{name} holds halves of characters (lone surrogates): each is a ? now")
    return Opened(found, notes)


def marks(cell: Any) -> dict[str, Any]:
    """Return nbgrader's marks of a cell, whatever stands in their place."""
    found = cell.get("metadata")
    found = found.get("nbgrader") if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _decoded(data: bytes, name: str) -> tuple[str, list[str]]:
    if data.startswith(MARKS):
        return data.decode("utf-16", "replace"), [f"{name} is UTF-16, and was read as that: save it as UTF-8"]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return data.decode("latin-1"), [f"{name} is not UTF-8, and was read as Latin-1: save it as UTF-8"]


def _repaired(value: Any) -> bool:
    """Put a ? in the place of each lone surrogate, at any depth; was there one?"""
    places = (
        list(value.items())
        if isinstance(value, dict)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    found = False
    for key, inner in places:
        if isinstance(inner, str):
            whole = inner.encode("utf-8", "replace").decode()
            if whole != inner:
                value[key], found = whole, True
        else:
            found |= _repaired(inner)
    return found


class Reader(NotebookExporter):
    """Reads whatever was handed in; what is no notebook becomes an empty one, with the reason."""

    def from_filename(self, filename: str, resources: Any = None, **kwargs: Any) -> Any:
        broken, opened = "", Opened(nbformat.v4.new_notebook(), [])
        try:
            opened = read(filename)
        except NotANotebook as wrong:
            broken = str(wrong)
        except OSError as wrong:
            broken = f"{os.path.basename(filename)} cannot be read: {wrong.strerror}"
        resources = {**(resources or {}), "hugezero_broken": broken, "hugezero_notes": opened.notes}
        resources["metadata"] = {"name": Path(filename).stem, "path": os.path.dirname(filename)}
        return self.from_notebook_node(opened.notebook, resources=resources, **kwargs)  # type: ignore[no-untyped-call]
