"""A class at a glance: one HTML page about everything of a lab that has been graded."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from ..course.layout import Course
from .results import SubmissionResult, graded

BARS = 10  # of the distribution of points
MISTAKES = 12  # known mistakes that are listed, the most common first


@dataclass
class OfCheck:
    """How the class did at one check. *points*: what each submission got, as a share of its most."""

    title: str
    hidden: bool
    most: float
    points: list[float] = field(default_factory=list)

    @property
    def passed(self) -> float:
        """Return the share of submissions that got all of its points."""
        return sum(share == 1 for share in self.points) / len(self.points)


@dataclass
class OfLab:
    """What a page says about one lab."""

    stem: str
    points: list[float]
    most: float
    bars: list[tuple[str, int]]
    checks: dict[str, list[OfCheck]]
    mistakes: list[tuple[str, str, int]]  # exercise, story, how many
    looks: list[tuple[str, list[str]]]  # student, why a person should look

    @property
    def median(self) -> float:
        """Return the median of the points."""
        return statistics.median(self.points)

    @property
    def hardest(self) -> tuple[str, OfCheck]:
        """Return the check that the fewest have passed, and its exercise; the first one of several."""
        all_of_them = [(name, check) for name, checks in self.checks.items() for check in checks]
        return min(all_of_them, key=lambda each: each[1].passed)


def of_lab(stem: str, found: dict[str, SubmissionResult]) -> OfLab:
    """Return the figures of a lab of which at least one submission was graded."""
    most = max(each.max for each in found.values())
    points = [each.points for each in found.values()]
    checks: dict[str, dict[str, OfCheck]] = defaultdict(dict)
    mistakes: Counter[tuple[str, str]] = Counter()
    looks = []
    for student, each in found.items():
        why = list(each.notes)
        for name, row in each.cells.items():
            if row.story:
                mistakes[name, row.story] += 1
            why += [f"{name}: {row.flag}"] * bool(row.flag)
            for check in row.checks:
                seen = checks[name].setdefault(check.name, OfCheck(check.title, check.hidden, check.max))
                seen.points.append(check.points / check.max if check.max else 1.0)
        if why:
            looks.append((student, why))
    return OfLab(
        stem, points, most, distribution(points, most),
        {name: list(each.values()) for name, each in checks.items()},
        [(*key, n) for key, n in mistakes.most_common(MISTAKES)], looks,
    )  # fmt: skip


def distribution(points: Iterable[float], most: float) -> list[tuple[str, int]]:
    """Return how many submissions have points within each range, the lowest first.

    >>> distribution([0, 1.5, 20], 20)[:2]
    [('0 to 2', 2), ('2 to 4', 0)]

    The first number of a range belongs to it, and full points belong to the last one.
    """
    width = most / BARS or 1.0
    found = Counter(min(math.floor(each / width), BARS - 1) for each in points)
    return [(f"{n * width:g} to {(n + 1) * width:g}", found[n]) for n in range(BARS)]


def write(course: Course, stem: str) -> Path:
    """Write build/report/STEM.html, which needs no other file and no network; return its path.

    Raises ValueError where nothing of the lab has been graded.
    """
    pages = Environment(
        loader=PackageLoader("autograder.grading"), autoescape=select_autoescape(), trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    pages.filters["plain"] = lambda text: "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
    page = pages.get_template("class_report.html").render(lab=of_lab(stem, graded(course, stem)))
    path = course.build / "report" / f"{stem}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, "utf-8", errors="replace")
    return path
