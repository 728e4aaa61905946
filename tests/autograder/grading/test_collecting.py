"""Archives of learning management systems, collected by nbgrader with the patterns that the README gives."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.course.layout import PROJECT, Course
from tests.autograder import toy
from tests.autograder.batch import run

BLOCK = re.search(r"```python\n(# Canvas.*?)```", (PROJECT / "README.md").read_text("utf-8"), re.DOTALL)
assert BLOCK
PATTERNS = dict(re.findall(r"# (\w+): .*\n(c\..*)", BLOCK[1]))
NAMES = {  # what an archive holds, and the student that it must be found for
    "Canvas": {
        f"lovelaceada_LATE_4711_90210_{toy.STEM}-1.ipynb": "lovelaceada",
        f"turingalan_4712_90211_{toy.STEM}.ipynb": "turingalan",
    },
    "Moodle": {
        f"Ada Lovelace_4711_assignsubmission_file_/{toy.STEM}.ipynb": "Ada Lovelace",
        f"Alan Turing_4712_assignsubmission_file_{toy.STEM}.ipynb": "Alan Turing",
    },
    "ILIAS": {
        f"Lovelace_Ada_ada_4711/{toy.STEM}.ipynb": "ada",
        f"Turing_Alan_alan_4712/{toy.STEM}.ipynb": "alan",
    },
}


@pytest.mark.parametrize("system", NAMES)
def test_the_archive_of_a_system_is_collected(
    toy_course: Course, perfect: Any, tmp_path: Path, system: str
) -> None:
    assert PATTERNS.keys() == NAMES.keys()
    course = Course(tmp_path)
    archive = course.build / "downloaded" / toy.STEM / "archive"
    archive.mkdir(parents=True)
    for name in ("source", "release"):
        (course.build / name).symlink_to(toy_course.build / name)
    for name in ("nbgrader_config.py", "gradebook.db"):
        shutil.copy(toy_course.build / name, course.build / name)
    (course.build / "my_config.py").write_text(PATTERNS[system] + "\n", "utf-8")
    text = nbformat.writes(perfect, 4)
    with zipfile.ZipFile(archive / "submissions.zip", "w") as made:
        for name in NAMES[system]:
            made.writestr(name, text)
    done = run(course, "nbgrader", "zip_collect", toy.STEM)
    assert done.returncode == 0, done.stderr
    for student in NAMES[system].values():
        path = course.build / "submitted" / student / toy.STEM / f"{toy.STEM}.ipynb"
        assert path.read_text("utf-8") == text, done.stderr
