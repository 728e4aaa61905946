"""The code beside a schedule: each function that its CPUs run, with the line where each of them is."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from types import CodeType

MOST = 60  # lines of a function that are shown


@dataclass
class Source:
    """Functions in order of appearance; each is shown once, however many CPUs run it."""

    lines: dict[CodeType, list[str]] = field(default_factory=dict)

    def add(self, places: Sequence[tuple[CodeType, int] | None]) -> None:
        """Let the functions of *places* be among those that are shown."""
        for place in places:
            if place is not None and place[0] not in self.lines and (lines := source_of(place[0])):
                self.lines[place[0]] = lines

    def key(self, place: tuple[CodeType, int] | None) -> str:
        """The name of a line in the panel; empty if it is not there."""
        if place is None or place[0] not in self.lines:
            return ""
        code, line = place
        there = line - code.co_firstlineno < len(self.lines[code])
        return f"l{list(self.lines).index(code)}-{line}" if there else ""

    def html(self) -> str:
        """All functions as lists of lines; empty if there is none."""
        return "".join(
            f'<div class="hz-code" data-name="{escape(code.co_name)}">'
            + "".join(
                f'<p data-l="l{i}-{n}"><span class="at"></span><span class="n">{n}</span><code>{escape(line) or " "}</code></p>'
                for n, line in enumerate(lines, code.co_firstlineno)
            )
            + "</div>"
            for i, (code, lines) in enumerate(self.lines.items())
        )


def source_of(code: CodeType) -> list[str]:
    """The lines of a function; none if nobody has kept them."""
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 :]
    if not lines:
        return []
    try:
        block = inspect.getblock(lines)
    except (SyntaxError, IndentationError):
        return []
    return [line.rstrip("\n") for line in block][:MOST]
