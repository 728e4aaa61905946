"""`progress()` in a notebook: all exercises of a lab at a glance."""

from __future__ import annotations

import html
from collections.abc import Sequence

from .checks import CHECKS, Result
from .notebook import EXERCISES, LAST
from .report import INK, MARKS, voice_of


class Overview:
    """A line for each exercise of a lab: how its last check went, its points here, and those that grading decides."""

    def __init__(self, lab: str) -> None:
        self.lab = lab
        self.rows = [self._row(name) for each, name in EXERCISES if each == lab]

    def _row(self, name: str) -> tuple[str, str, float, float, float]:
        open_checks = [check for check in CHECKS[name] if check.lab == self.lab and not check.hidden]
        results: Sequence[Result] = LAST.get((self.lab, name), ())
        voice = voice_of(results) if results else "not checked yet"
        points = sum(result.points for result in results)
        return name, voice, points, sum(c.points for c in open_checks), EXERCISES[self.lab, name].more

    @property
    def _total(self) -> str:
        points, most, more = (sum(row[n] for row in self.rows) for n in (2, 3, 4))  # type: ignore[misc]
        return f"{points:g} of {most:g} points here; grading decides {more:g} more"

    def __repr__(self) -> str:
        width = max(len(row[0]) for row in self.rows)
        lines = [
            f"{MARKS.get(voice, ' ')} {name:{width}}  {points:g}/{most:g}{f' + {more:g} when graded' if more else '':20} {voice}"
            for name, voice, points, most, more in self.rows
        ]
        return "\n".join([*lines, self._total])

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col" style="text-align:left">{text}</th>'
            for text in ("exercise", "last check", "points", "when graded")
        )
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left;font-weight:normal"><code>{html.escape(name)}</code></th>'
            f'<td style="text-align:left;color:{INK.get(voice, "inherit")}"><span aria-hidden="true">'
            f"{MARKS.get(voice, '')}</span> {voice}</td>"
            f'<td style="text-align:left">{points:g} of {most:g}</td>'
            f'<td style="text-align:left">{f"{more:g} more" if more else ""}</td></tr>'
            for name, voice, points, most, more in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p>{self._total}</p>"
