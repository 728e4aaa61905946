"""One page about a class: its figures are those of the ledgers, and nothing in it is the students' to decide."""

from __future__ import annotations

import doctest
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hugezero.check.checks import Result
from typer.testing import CliRunner

from autograder.cli import app
from autograder.grading import class_report
from autograder.grading.results import SubmissionResult
from autograder.judge.results import CellResult
from tests.autograder import toy
from tests.autograder.batch import Graded

VOID = {"meta", "rect", "line", "br"}


class Page(HTMLParser):
    """What is in a page: its tags, its links, its text; AssertionError where a tag is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attributes]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)


@pytest.mark.sandboxed
def test_the_page_of_hostile_submissions_is_ours_alone(graded: Graded) -> None:
    course = graded.course
    done = CliRunner().invoke(app, ["report", toy.STEM, "--root", str(course.root)])
    assert done.exit_code == 0, done.output
    path = Path(done.output.strip())
    text = path.read_text("utf-8")
    page = Page(text)
    allowed = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "dl", "div", "dt", "dd", "code",
               "svg", "rect", "line", "text", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "a", "ul", "li"}  # fmt: skip
    assert page.tags <= allowed
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
    assert all((path.parent / value).is_file() for name, value in page.attributes if name == "href")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)

    ledgers = [json.loads(file.read_text("utf-8")) for file in (course.build / "ledger").glob("*/*.json")]
    said = " ".join(" ".join(page.words).split())
    assert f"graded {len(ledgers)} " in said
    looks = [each for each in ledgers if each["notes"] or any(row["flag"] for row in each["cells"].values())]
    assert f"to look at {len(looks)} " in said
    assert sum(name == "href" for name, _ in page.attributes) == len(looks)


def test_where_nothing_was_graded_there_is_no_page(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["report", toy.STEM, "--root", str(toy.make(tmp_path))])
    assert done.exit_code == 2
    assert f"nothing of {toy.STEM} has been graded: python -m autograder grade {toy.STEM}" in done.output


@pytest.mark.parametrize("points", [[0.0], [9.0], [0.0, 4.5, 9.0, 9.0], [0.9 * n for n in range(11)]])
def test_everybody_is_in_one_bar(points: list[float]) -> None:
    bars = class_report.distribution(points, 9.0)
    assert sum(n for _, n in bars) == len(points)
    assert bars[-1][1] >= points.count(9.0)


def test_a_lab_of_no_points_has_a_page_as_well() -> None:
    cell = CellResult("f", "lab9", 0.0, 0.0, "", "", [Result("c", "It is so.", max=0.0)])
    lab = class_report.of_lab("lab9_toy", {"ada": SubmissionResult("ada", "lab9_toy", [], {"f": cell})})
    assert (lab.median, lab.hardest[1].passed, sum(n for _, n in lab.bars)) == (0.0, 1.0, 1)


def test_the_examples_of_its_docstrings_are_true() -> None:
    assert doctest.testmod(class_report).failed == 0
