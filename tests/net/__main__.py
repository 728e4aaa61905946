"""Compare what is frozen, or freeze it anew: `python -m tests.net [--update] [TESTS]`.

Without TESTS all of it, the long form as well. With TESTS (files, or what else pytest takes) only theirs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from .frozen import FROZEN, HERE, UPDATING

HOOKED = (
    "net", "view", "check/test_bad_habits.py", "explore/test_bad_habits.py", "autograder/judge/test_bad_habits.py",
    "autograder/grading/test_bad_input.py", "test_every_stage_runs.py",
)  # fmt: skip


def main(words: list[str]) -> int:
    """Run the tests that look at frozen files."""
    tests = [word for word in words if word != "--update"]
    env = dict(os.environ)
    if "--update" in words:
        env[UPDATING] = "yes"
        if not tests:
            shutil.rmtree(FROZEN, ignore_errors=True)  # what no test tells any more goes
    tests = tests or [str(HERE.parent / name) for name in HOOKED]
    return subprocess.call(
        [sys.executable, "-m", "pytest", "-m", "", *tests], cwd=HERE.parent.parent, env=env
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
