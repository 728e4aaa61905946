"""The reference keeps every point when hidden checks generate five times as many programs as in grading."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course.layout import Course

# In a process of its own: the number is read when the checks are loaded.
TRY = """
import sys
from autograder.course.layout import Course
from autograder.prove.known_answers import reference_answers, try_one
course, stem = Course(), sys.argv[1]
for answer in reference_answers(course, stem):
    for result in try_one(course, stem, answer).results:
        if result.points != result.max:
            print(f"{answer.name} of {answer.exercise}: {result.name}: {result.why}")
"""


@pytest.mark.full
@pytest.mark.parametrize("stem", Course().stems())
def test_the_reference_keeps_its_points_with_more_examples(project: Path, stem: str) -> None:
    paths = os.pathsep.join([str(project), str(project / "course")])
    env = {**os.environ, "HUGEZERO_EXAMPLES": "400", "PYTHONPATH": paths}
    said = subprocess.run(
        [sys.executable, "-c", TRY, stem], env=env, capture_output=True, text=True, check=True
    )
    assert said.stdout == ""
