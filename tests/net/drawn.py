"""Pictures as frozen text: every one that a test draws as a line, some of them whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from hugezero.view.charts.figure import Chart
from hugezero.view.pages import Pages

from .frozen import digest


@contextmanager
def noted() -> Iterator[list[Any]]:
    """All pages and charts that are made inside."""
    made: list[Any] = []

    def noting(kind: Any) -> Any:
        before = kind.__init__

        def init(self: Any, *args: Any, **named: Any) -> None:
            before(self, *args, **named)
            made.append(self)

        return patch.object(kind, "__init__", init)

    with noting(Pages), noting(Chart):
        yield made


def line(made: Any) -> str:
    """The digest of a whole picture, all its pages and words, and its first words."""
    whole = {name: value for name, value in vars(made).items() if name not in ("asked", "png")}
    if not whole.get("source", True):  # only a schedule has code beside it
        del whole["source"]
    words = (
        made.alt if isinstance(made, Chart) else made.text or (made.moments or [{"title": ""}])[0]["title"]
    )
    return f"{digest(repr(sorted(whole.items())))[:16]} {words.splitlines()[0] if words else ''}"


def without_style(html: str) -> str:
    """*html* without its style sheet, which is long and the same in each."""
    return re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)


def whole(picture: Any) -> dict[str, str]:
    """A picture for a reader: its text, its HTML an element a line, and the moments that it can turn to."""
    bundle = picture._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    found = {
        "text": data["text/plain"],
        "html": re.sub(r">\s*<", ">\n<", without_style(data["text/html"])),
    }
    if hasattr(picture, "moments"):
        found["moments"] = "\n".join(f"{m['where']}: {m['title']}" for m in picture.moments)
        found["digest"] = digest(repr((picture.parts, picture.pages, picture.moments, picture.rows)))
    return found
