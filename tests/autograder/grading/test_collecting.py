"""What learning management systems hand out is collected by nbgrader, with the settings of README."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from autograder.course.layout import PROJECT, Course
from autograder.course.release import configure
from autograder.grading.handed_in import handed_in
from tests.autograder import batch, toy

NAMES = {
    "Canvas": {"doejane": "doejane_LATE_1234_56789_{}-2.ipynb", "roe": "roe_1235_56790_{}.ipynb"},
    "Moodle": {"4711": "Jane Doe_4711_assignsubmission_file/{}.ipynb", "12": "Ann-Mary O'Neil Roe_12_assignsubmission_file_/{}.ipynb"},
    "ILIAS": {"jdoe": "Doe_Jane_jdoe_4711/20261125120000_{}.ipynb", "roe": "Roe_Ann_Mary_roe_12/20261124090807_{}.ipynb"},
}  # fmt: skip


def setting_for(system: str) -> str:
    """The setting of README for *system*, whose comment has an example of a file's name."""
    text = (PROJECT / "README.md").read_text("utf-8")
    found = re.search(rf"^# {system}: (.+?\.ipynb).*\n((?:(?!#|```).*\n)+)", text, re.MULTILINE)
    assert found
    first = next(iter(NAMES[system].values()))
    assert found[1] == first.format("lab1_zero_page")
    return found[2]


@pytest.mark.parametrize("system", NAMES)
def test_an_archive_is_collected(system: str, tmp_path: Path) -> None:
    course = Course(toy.make(tmp_path / "course"))
    configure(course)
    (course.build / "my_config.py").write_text(setting_for(system), "utf-8")
    archive = course.build / "downloaded" / toy.STEM / "archive" / "submissions.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as zipped:
        for student, name in NAMES[system].items():
            zipped.writestr(name.format(toy.STEM), f"of {student}")
    done = batch.run(course, "nbgrader", "zip_collect", toy.STEM)
    assert done.returncode == 0, done.stderr
    rows = {row.student: row for row in handed_in(course, toy.STEM)}
    assert set(rows) == set(NAMES[system]), done.stderr
    for student in rows:
        folder = course.build / "submitted" / student / toy.STEM
        assert (folder / f"{toy.STEM}.ipynb").read_text("utf-8") == f"of {student}"
        assert (folder / "timestamp.txt").exists() == (system == "ILIAS")
