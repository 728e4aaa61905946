"""What was frozen, and how it is compared or kept.

A file of `frozen/` holds sections, sorted: a line `== key`, and the text below it. While the net is
updated, a section that differs is kept instead of told, so that `git diff` shows what changed.
"""

from __future__ import annotations

import difflib
import fcntl
import os
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from autograder.grading.results import SubmissionResult
from autograder.judge.results import CellResult

HERE = Path(__file__).parent
FROZEN = HERE / "frozen"
UPDATING = "HUGEZERO_NET_UPDATE"  # set by `python -m tests.net --update`
SHOWN = 40  # lines of a difference
# What a clock or chance decides: which limit ended a loop, and at which operation code was seen to differ.
BY_CHANCE = [
    (
        r"(computed|waited) for \d+ s( without one operation on the machine)(: is there a [^?]*\?)?\.*",
        r"waited\2.",
    ),
    (r"(run again)(: \S+ where it did .*? before\.( Does it keep [^?]*\?)?| and shown the same\.)", r"\1."),
    (r"(Look: (.*?))\. \2$", r"\1"),  # told by the search, and once more by the test
]


def settled(text: str) -> str:
    """*text* without what chance decides, and without spaces at ends of lines."""
    for pattern, put in [*BY_CHANCE, (r"[ \t]+$", "")]:
        text = re.sub(pattern, put, text, flags=re.MULTILINE)
    return text.strip("\n")


def digest(data: str | bytes) -> str:
    """The sha256 of *data*."""
    return sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def sections(path: Path) -> dict[str, str]:
    """What a frozen file holds, by key."""
    parts = re.split(r"^== (.*)\n", path.read_text("utf-8"), flags=re.MULTILINE) if path.is_file() else []
    return {key: text.rstrip("\n") for key, text in zip(parts[1::2], parts[2::2], strict=True)}


def same(name: str, found: Mapping[str, str]) -> None:
    """Fail with the difference if a section of *found* is not as file *name* has it; keep it while updating."""
    __tracebackhide__ = True
    path = FROZEN / f"{name}.txt"
    found = {key: settled(text) for key, text in found.items()}
    if UPDATING in os.environ:
        _keep(path, found)
        return
    kept = sections(path)
    before, now = (_lines({key: some[key] for key in found if key in some}) for some in (kept, found))
    lines = list(difflib.unified_diff(before, now, "frozen", "found now", n=1, lineterm=""))
    said = [
        f"{name}.txt has it otherwise: read the difference; `python -m tests.net --update` keeps it",
        *lines,
    ]
    assert not lines, "\n".join(said[:SHOWN])


def _lines(found: Mapping[str, str]) -> list[str]:
    return [line for key in sorted(found) for line in [f"== {key}", *found[key].split("\n")]]


def _keep(path: Path, found: Mapping[str, str]) -> None:
    """Put *found* in its place; several processes may do so at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (HERE / "__main__.py").open() as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        path.write_text("\n".join(_lines({**sections(path), **found})) + "\n", encoding="utf-8")


def judged(student: str, rows: Mapping[str, CellResult]) -> str:
    """Rows of a ledger, a line a check: student, exercise, check, points, voice, flag."""
    lines = []
    for exercise, row in rows.items():
        told = " ".join(check.flag for check in row.checks)
        rest = "; ".join(part for part in row.flag.split("; ") if part not in told)
        for check in row.checks:
            points = f"{check.points:g}/{check.max:g}"
            lines.append(f"{student} {exercise} {check.name} {points} {check.voice}  {check.flag}")
        lines.append(f"{student} {exercise} = {row.points:g}/{row.max:g}   {rest}")
    return "\n".join(lines)


def submission(found: SubmissionResult) -> str:
    """The ledger of a submission: its rows, and a line a note."""
    notes = [f"note: {note}" for note in found.notes]
    return "\n".join([judged(found.student, found.cells), *notes])
