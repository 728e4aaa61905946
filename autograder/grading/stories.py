"""The story of a known mistake, for an answer that fails in just the same way."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hugezero.check.checks import Result

from ..course.layout import Course


def fingerprint(exercise: str, results: Iterable[Result]) -> str:
    """How an answer to *exercise* failed: which checks, and what they said."""
    failed = [[result.name, result.why] for result in results if result.voice not in ("done", "not run")]
    return json.dumps([exercise, failed])


def stories(course: Course, stem: str) -> dict[str, str]:
    """What to tell an answer that fails just as a mutant does, by fingerprint; as the last release found it."""
    kept = course.build / "stories" / f"{stem}.json"
    return json.loads(kept.read_text("utf-8"))["stories"] if kept.is_file() else {}
