"""What a student gets for a lab: the notebook and the wheel; and nothing else."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import zipfile
from pathlib import Path

import nbformat
from hugezero.mm import memory

from .answers import is_repair
from .given import givens
from .layout import Course, functions, source_of
from .wheel import wheel

SHORTEST = 12  # characters of a line that tells something
FEW, LONG = 3, 25  # of that few lines, only long ones tell
WHEN = (1980, 1, 1, 0, 0, 0)  # the same bytes every time


class Leak(RuntimeError):
    """An answer or a hidden check is in what students would get."""


def package(course: Course, stem: str) -> Path:
    """Write build/student/<stem>.zip; raise Leak if it would give anything away."""
    built = wheel(course, stem)
    files = {
        f"{stem}/{stem}.ipynb": course.notebook(stem).read_bytes(),
        f"{stem}/{built.name}": built.read_bytes(),
    }
    path = course.build / "student" / f"{stem}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, WHEN), data, zipfile.ZIP_DEFLATED)
    found = leaks(course, stem, path)
    if found:
        path.unlink()
        raise Leak(
            f"{path.name} was not written, it would give away:\n" + "\n".join(f"  {line}" for line in found)
        )
    return path


def _texts(data: bytes, where: str) -> dict[str, str]:
    """Return every file of a zip, of the zips in it too."""
    found: dict[str, str] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            inside = archive.read(name)
            if zipfile.is_zipfile(io.BytesIO(inside)):
                found |= _texts(inside, f"{where}/{name}")
            else:
                found[f"{where}/{name}"] = inside.decode("utf-8", "replace")
    return found


def _code(text: str) -> list[str]:
    """Return the code of a notebook, a cell each; of a module, as it is."""
    if not text.lstrip().startswith("{"):
        return [text]
    try:
        cells = json.loads(text).get("cells", [])
    except ValueError:
        return [text]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _lines(text: str) -> set[str]:
    """Return the lines of a module or notebook, without comments at their ends."""
    return {line.partition("  #")[0].strip() for code in _code(text) for line in code.splitlines()}


def _bodies(text: str) -> set[tuple[str, str]]:
    """Return the functions of a module or notebook: name, and what they do."""
    found: set[tuple[str, str]] = set()
    for code in _code(text):
        with contextlib.suppress(SyntaxError, ValueError):
            for name, node in functions(code).items():
                does = node.body[1 if ast.get_docstring(node) else 0 :]
                found.add((name, "".join(map(ast.dump, does))))
    return found


def answers(course: Course, stem: str) -> dict[str, set[str]]:
    """Return the lines that tell how, for each function that a student of *stem* has still to write, a lab each.

    Those are the lines that the kernel before has not, which students are given, nor the text
    of a repair: they tell where the bug is. So of a function that an earlier lab asked for
    as well, only what is new tells.
    """
    planted = _lines(Path(memory.__file__).read_text("utf-8"))
    for text in givens(course, stem).values():
        planted |= _lines(text)
    found: dict[str, set[str]] = {}
    for other in course.stems():  # in order: what a lab asks for, a later one may give as a repair
        for cell in filter(is_repair, nbformat.read(course.notebook(other), 4).cells):
            planted |= _lines(cell.source)
        if other >= stem and course.solution(other).is_file():
            text = course.solution(other).read_text("utf-8")
            for name, node in functions(text).items():
                body = text.splitlines()[node.body[0].lineno - 1 : node.end_lineno]
                doc = _lines(ast.get_docstring(node) or "")
                lines = {
                    line for line in _lines("\n".join(body)) if len(line) >= SHORTEST and '"""' not in line
                }
                telling = lines - planted - doc
                if len(telling) < FEW:  # short ones are in any program
                    telling = {line for line in telling if len(line) >= LONG}
                found[f"{name} of {other}"] = telling
    return found


def hidden(course: Course) -> dict[str, str]:
    """Return what must be nowhere in a package, and what it is: names and texts of the grader's modules."""
    found: dict[str, str] = {}
    for path in sorted((course.root / "autograder").rglob("*.py")):
        inside = path.relative_to(course.root / "autograder").with_suffix("").parts
        name = ".".join(part for part in ("autograder", *inside) if part != "__init__")
        if name != "autograder":
            found[name] = "a module of the grader"
        if inside[0] == "labs" and path.name != "mutants.py":
            text = path.read_text("utf-8")
            for name, node in functions(text).items():
                found[source_of(text, name)] = f"hidden check {name}"
                if node.decorator_list:
                    found[f"def {name}("] = f"the name of hidden check {name}"
                    found[ast.get_docstring(node) or name] = f"the title of hidden check {name}"
    return found


def leaks(course: Course, stem: str, path: Path) -> list[str]:
    """Return what a package gives away, a line each: hidden texts, and most of the telling lines of an answer."""
    found = []
    texts, secret, telling_of = _texts(path.read_bytes(), path.stem), hidden(course), answers(course, stem)
    bodies = {s: _bodies(course.solution(s).read_text("utf-8")) for s in course.stems()}
    whole = set().union(*(bodies[s] for s in bodies if s >= stem))
    whole -= set().union(*(bodies[s] for s in bodies if s < stem))
    for where, text in texts.items():
        lines = _lines(text)
        found += [f"{where}: all of {name}" for name, _ in _bodies(text) & whole]
        found += [f"{where}: {what}" for part, what in secret.items() if part in text]
        for name, telling in telling_of.items():
            shared = telling & lines
            if shared and len(shared) > len(telling) / 2:
                found.append(f"{where}: {len(shared)} of {len(telling)} lines of {name}, as {min(shared)!r}")
    return found
