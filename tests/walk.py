"""Print how large the house is, and how much of it `check("get_huge_zero_folio")` walks through.

python -m tests.walk
"""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
PARTS = {"code": ("course/hugezero", "autograder", "solutions"), "tests": ("tests",)}
DATA = ("mutants.py",)


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def sizes() -> None:
    """Print files and lines of each part, and the largest module."""
    for part, folders in PARTS.items():
        files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
        data = [path for path in files if path.name in DATA]
        rest = [path for path in files if path not in data]
        largest = max(rest, key=lines)
        print(
            f"{part}: {len(rest)} modules, {sum(map(lines, rest)):,} lines; largest {largest.relative_to(ROOT)}, {lines(largest)}"
        )
        if data:
            print(f"mutants as data: {len(data)} modules, {sum(map(lines, data)):,} lines")


def walk() -> None:
    """Print which modules and functions of the package one check crosses, drawing left out."""
    sys.path[:0] = [str(ROOT / "course"), str(ROOT)]
    from hugezero import notebook

    from autograder.course.layout import Course

    names = {**vars(notebook), **Course().reference("lab3_shrinker"), "LAB": 3, "__name__": "a notebook"}
    names["check"] = notebook.check
    crossed: set[tuple[str, str]] = set()

    def look(frame: FrameType, event: str, arg: object) -> None:
        module = str(frame.f_globals.get("__name__", ""))
        if event == "call" and module.startswith("hugezero."):
            crossed.add(
                (
                    module,
                    frame.f_code.co_qualname
                    if hasattr(frame.f_code, "co_qualname")
                    else frame.f_code.co_name,
                )
            )

    with contextlib.redirect_stdout(io.StringIO()):
        sys.setprofile(look)
        try:
            exec('check("get_huge_zero_folio")', names)
        finally:
            sys.setprofile(None)
    modules = sorted({module for module, _ in crossed})
    machine = [m for m in modules if m.split(".")[1] in ("store", "hw", "mm", "block", "machine")]
    print(f'check("get_huge_zero_folio"): {len(modules)} modules and {len(crossed)} functions crossed, '
          f"{len(machine)} of the modules are the machine")  # fmt: skip
    print("  " + ", ".join(module.removeprefix("hugezero.") for module in modules))


if __name__ == "__main__":
    sizes()
    walk()
