"""CONTRIBUTING's walk, done as it is written: in a copy of the project, a lab is added, and an exercise to it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COPIED = ("course", "solutions", "autograder", "pyproject.toml", "LICENSE")
BLOCK = re.compile(r"^([^\n]+)\n\n```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEM = "lab7_references"
BETWEEN = "=== "
COMMANDS = f"""
import sys
from typer.testing import CliRunner
from autograder.cli import app
for line in sys.argv[1:]:
    done = CliRunner().invoke(app, line.split())
    print("{BETWEEN}", done.exit_code, "\\n", done.output, sep="")
"""  # one process, because each would import nbgrader


def blocks(text: str, heading: str) -> list[tuple[str, str]]:
    """The code blocks below *heading*: the file that each goes into, or nothing for commands, and its text."""
    part = re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]
    found = []
    for said, kind, code in BLOCK.findall(part):
        names = re.findall(r"`([\w/]+\.py)`", said)
        assert len(names[:1]) == (kind == "python"), f"which file is this for? {said}"
        found.append((names[0] if kind == "python" else "", code))
    return found


class Copy:
    """A copy of the project, to walk in."""

    def __init__(self, project: Path, root: Path) -> None:
        self.root = root
        for name in COPIED:
            if (project / name).is_dir():
                shutil.copytree(project / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(project / name, root / name)
        self.untouched = self.files()

    def files(self) -> dict[str, bytes]:
        folders = [path for name in COPIED for path in [self.root / name, *(self.root / name).rglob("*")]]
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in folders
            if path.is_file() and path.suffix != ".pyc"
        }

    def do(self, steps: list[tuple[str, str]]) -> None:
        """Put each block where it belongs, and run the commands; what a comment says must be told."""
        lines = []
        for name, code in steps:
            if name:
                (self.root / name).parent.mkdir(exist_ok=True)
                with (self.root / name).open("a") as file:
                    file.write(code)
            else:
                lines += [line.partition("  # ") for line in code.splitlines()]
        env = {**os.environ, "PYTHONPATH": f"{self.root / 'course'}{os.pathsep}{self.root}"}
        words = [command.removeprefix("python -m autograder ") for command, _, _ in lines]
        run = subprocess.run(
            [sys.executable, "-c", COMMANDS, *words], cwd=self.root, env=env, capture_output=True, text=True
        )
        said = [told.partition("\n") for told in run.stdout.split(BETWEEN)[1:]]
        assert len(said) == len(lines) > 0, run.stderr
        for (command, _, told), (code, _, output) in zip(lines, said, strict=True):
            # `check` ends with 1 where there are points to be had still
            assert (int(code), told in output) == (told.startswith("0 of"), True), f"{command}\n{output}"


@pytest.mark.long
@pytest.mark.sandboxed
@pytest.mark.xdist_group("adding")
def test_contributing_leads_to_a_new_lab_and_a_new_exercise(project: Path, tmp_path: Path) -> None:
    text = (project / "CONTRIBUTING.md").read_text("utf-8")
    copy = Copy(project, tmp_path)
    copy.do(blocks(text, "To add a lab"))
    lab = copy.files()
    assert lab.items() >= copy.untouched.items(), "nothing else is touched"
    assert lab.keys() - copy.untouched.keys() == {
        f"solutions/{STEM}.py",
        f"course/{STEM}.ipynb",
        "course/hugezero/labs/lab7/checks.py",
        *(f"autograder/labs/lab7/{name}" for name in ("hidden.py", "mutants.py", "counterexamples.txt")),
    }
    copy.do(blocks(text, "To add an exercise"))
    more = copy.files()
    assert more.keys() == lab.keys()
    assert {name for name in more if more[name] != lab[name]} == {
        f"solutions/{STEM}.py",
        f"course/{STEM}.ipynb",
        "course/hugezero/labs/lab7/checks.py",
        *(f"autograder/labs/lab7/{name}" for name in ("mutants.py", "counterexamples.txt")),
    }
