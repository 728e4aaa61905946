"""The kernel of a lab as later labs get it: given_lab1.py and so on, derived from solutions/ and kept nowhere else."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

from .layout import Course

FROM_LAB = re.compile(r"^from (?:solutions)?\.(lab\d+)_\w+ import ", re.MULTILINE)


def name_of(stem: str) -> str:
    """Return the name of the module in which later labs find the kernel of lab *stem*."""
    return f"given_{stem.partition('_')[0]}"


def given(course: Course, stem: str) -> str:
    """Return a lab's reference as later labs get it: its bodies, under a docstring that says what they are."""
    text = course.solution(stem).read_text("utf-8")
    title = stem.partition("_")[0]
    doc = f'"""The kernel after {title}, as the course wrote it; your own does as well, once it passes."""\n'
    first = ast.parse(text).body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    lines = text.splitlines(keepends=True)
    made = FROM_LAB.sub(
        r"from given_\1 import ", doc + "".join(lines[first.end_lineno if documented else 0 :])
    )
    for node in ast.walk(ast.parse(made)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            line = ast.unparse(node)
            if re.match(r"(from|import) (\.|solutions)", line):
                raise ValueError(
                    f"solutions/{stem}.py: students have nothing to {line!r} from; write `from .LAB import ...`"
                )
    return made


def givens(course: Course, stem: str) -> dict[str, str]:
    """Return the modules of the labs before *stem*, by file name."""
    earlier = [other for other in course.solved() if other < stem]
    return {f"{name_of(other)}.py": given(course, other) for other in earlier}


def write(course: Course) -> list[Path]:
    """Bring build/given/ up to date, for notebooks that are opened or run in course/; return the files.

    Several processes may do so at once. JupyterLab on course/ shows none of them, and hugezero finds them there.
    """
    folder, stems = course.build / "given", course.solved()
    folder.mkdir(parents=True, exist_ok=True)
    texts = {folder / f"{name_of(stem)}.py": given(course, stem).encode() for stem in stems}
    for path, text in texts.items():
        if not path.is_file() or path.read_bytes() != text:
            half = path.with_name(f"{path.name}.{os.getpid()}")
            half.write_bytes(text)
            half.replace(path)
    for path in set(folder.glob("given_lab*.py")) - set(texts):
        path.unlink(missing_ok=True)
    return sorted(texts)
