"""A result is one thing from the check to the gradebook: what is kept as JSON is read back as what it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hugezero.check.checks import Result

from autograder.grading.results import SubmissionResult
from autograder.judge.results import CellResult

CHECKS = [
    Result("takes_one", "One is taken.", 2, 1.5, "almost", "why", "a hint", ["CPU 0", "CPU 1"], True, "a note", "look"),
    Result("takes_none", "None is taken.", 1),
]  # fmt: skip
CELL = CellResult("take", "lab9", 1.5, 3, "look", "a story", CHECKS, "NameError")
MADE = SubmissionResult("ada", "lab9_toy", ["late"], {"take": CELL}, "ada.ipynb")


def test_a_result_is_read_back_as_what_was_written(tmp_path: Path) -> None:
    MADE.write(tmp_path / "of" / "ada.json")
    assert SubmissionResult.read(tmp_path / "of" / "ada.json") == MADE


def test_json_has_the_words_that_others_read() -> None:
    found = json.loads(json.dumps(MADE.as_json()))
    assert list(found) == ["student", "lab", "points", "max", "notes", "cells", "file"]
    assert list(found["cells"]["take"]) == [
        "exercise", "lab", "points", "max", "flag", "story", "checks", "cell",
    ]  # fmt: skip
    assert list(found["cells"]["take"]["checks"][0]) == [
        "name", "title", "max", "points", "voice", "why", "hint", "schedule", "hidden", "note", "flag",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "{", "{}", "[]", '{"student": 1, "lab": 2, "notes": [], "cells": {"f": {}}}']
)
def test_a_file_that_is_no_ledger_is_an_error_of_its_value(tmp_path: Path, text: str) -> None:
    (tmp_path / "ada.json").write_text(text)
    with pytest.raises(ValueError, match=r"Expecting|is no ledger"):
        SubmissionResult.read(tmp_path / "ada.json")
