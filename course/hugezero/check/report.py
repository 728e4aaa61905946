"""What a student reads: the results of one exercise as HTML and as text."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .checks import Result

MARKS = {"done": "✓", "not run": "·", "not started": "·", "not yet": "✗", "almost": "≈", "inconclusive": "?"}
INK = {
    "done": "var(--jp-success-color0, #1b5e20)",
    "not yet": "var(--jp-error-color0, #b3261e)",
    "almost": "var(--jp-warn-color0, #8a4500)",
    "inconclusive": "var(--jp-error-color0, #b3261e)",
}
SOFT = "var(--jp-ui-font-color1, #57606a)"
_draw: Callable[[Any], Any] | None = None


def draw_with(draw: Callable[[Any], Any]) -> None:
    """Let *draw* make the picture of a Counterexample: that needs widgets, and checks do without."""
    global _draw
    _draw = draw


def drawing(found: Any) -> Any:
    """The picture of a Counterexample, or None where there is nobody to draw it."""
    return None if _draw is None else _draw(found)


def voice_of(results: Sequence[Result]) -> str:
    """One voice for the whole exercise: that of the first check that was not passed."""
    return next((r.voice for r in results if r.voice not in ("done", "not run")), "done")


def capital(why: str) -> str:
    """*why* with a capital, unless it begins with a name of code."""
    first = why.partition(" ")[0]
    return why if "_" in first or "." in first else why[:1].upper() + why[1:]


def headline(
    name: str, results: Sequence[Result], gained: str = "", untouched: bool = False
) -> tuple[str, str]:
    """The voice, and the sentence that goes with it."""
    voice = voice_of(results)
    left = next((r for r in results if r.voice == "not started"), None)
    if left is not None and any(r.voice == "done" for r in results):
        return "Not yet.", f"Part of {name} is written. What is left: {left.title}"
    if voice == "not started":
        return "Not started.", f"Write {name} above, run its cell, then run this one again."
    if voice == "done":
        return "Done.", gained
    first = next(r for r in results if r.voice == voice)
    lead = "Right alone, wrong under this schedule: " if voice == "almost" else ""
    why = capital(lead + first.why)
    if untouched:
        return "Not started.", f"This is {name} as it was given, and this is what its bug does: {first.why}"
    return voice.capitalize() + ".", why


@dataclass(frozen=True)
class Report:
    """The results of one exercise, for a notebook cell, a terminal, or nbgrader's feedback."""

    name: str
    results: Sequence[Result]
    gained: str = ""
    story: str = ""  # of a known mistake that fails in just this way
    more: float = 0  # points that only grading can give
    untried: str = ""  # and what it tries for them
    untouched: bool = False  # is it a repair as it was given?
    drawn: bool = False  # do pictures of the schedules follow?
    scored: bool = True  # does the HTML end with the points?

    @property
    def points(self) -> float:
        return sum(r.points for r in self.results)

    @property
    def score(self) -> str:
        """The points in a sentence."""
        here = f"{self.points:g} of {sum(r.max for r in self.results):g} points"
        if not self.more:
            return here
        are = "is" if self.more == 1 else "are"
        return f"{here} here; {self.more:g} more {are} decided when it is graded, which also tries {self.untried}"

    def show(self, score: bool = True) -> None:
        """Display it: rich where that is possible, as text elsewhere; rich without its *score* if something else shows that."""
        try:
            from IPython.core.getipython import get_ipython
            from IPython.display import display
        except ImportError:
            print(self)
            return
        if get_ipython() is None:
            print(self)
            return
        display(replace(self, drawn=_draw is not None, scored=score))
        for r in self.results:
            if _draw is not None and r.picture is not None:
                display(_draw(r.picture))

    def __str__(self) -> str:
        voice, sentence = headline(self.name, self.results, self.gained, self.untouched)
        lines = [f"{voice} {sentence}".strip()]
        if self.story:
            lines.append(f"  A known story: {self.story}")
        if voice != "Not started." or self.untouched:
            for r in self.results:
                lines.append(f"  {MARKS[r.voice]} {r.title} ({r.points:g}/{r.max:g})")
                lines += [f"      {text}" for text in self._beside(r, sentence)]
                if r.hint:
                    lines.append(f"      hint: {r.hint}")
                lines += [f"      printed: {text}" for text in self._printed(r)]
                lines += [f"      {row}" for row in self._rows(r)]
        lines.append(f"  {self.score}")
        return "\n".join(lines)

    def _printed(self, r: Result) -> list[str]:
        """What was printed, under the checks that were not passed; if all were, under the first that has some."""
        done = all(each.voice == "done" for each in self.results)
        first = next((each for each in self.results if each.printed), None)
        return r.printed if (r is first if done else r.voice != "done") else []

    def _rows(self, r: Result) -> list[str]:
        """The schedule in words, unless it is drawn."""
        return [] if self.drawn and r.picture is not None else r.schedule

    @staticmethod
    def _beside(r: Result, sentence: str) -> list[str]:
        """What is told below a title, and not above all of them."""
        return [text for text in (r.why, r.note) if text and text.lower() not in sentence.lower()]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self.html()}

    def html(self) -> str:
        """The report as a block of HTML that needs no style sheet and no script."""
        voice, sentence = headline(self.name, self.results, self.gained, self.untouched)
        key = voice.rstrip(".").lower()
        parts = [
            f'<div role="status" class="hugezero-report" style="border-left:3px solid {INK.get(key, SOFT)};'
            'padding:.2em .9em;line-height:1.5">'
            f'<p style="margin:.3em 0"><strong style="color:{INK.get(key, SOFT)}">{voice}</strong> '
            f"{html.escape(sentence)}</p>"
        ]
        if self.story:
            parts.append(f'<p style="margin:.3em 0"><em>{html.escape(self.story)}</em></p>')
        parts += [self._hint(r) for r in self.results if r.hint]
        if key != "not started" or self.untouched:
            rows = "".join(f'<li style="list-style:none">{self._row(r, sentence)}</li>' for r in self.results)
            parts.append(f'<ul style="margin:.4em 0;padding:0">{rows}</ul>')
        if self.scored:
            parts.append(f'<p style="margin:.3em 0;color:{SOFT}">{self.score}</p>')
        parts.append("</div>")
        return "".join(parts)

    @staticmethod
    def _hint(r: Result) -> str:
        return (
            f'<details style="margin:.3em 0"><summary style="cursor:pointer;display:list-item">a hint</summary>'
            f'<p style="margin:.3em 1.2em">{html.escape(r.hint)}</p></details>'
        )

    def _row(self, r: Result, sentence: str) -> str:
        why = "".join(f"<br>&emsp;&emsp;{html.escape(text)}" for text in self._beside(r, sentence))
        why += "".join(
            f"<br>&emsp;&emsp;printed: <code>{html.escape(text)}</code>" for text in self._printed(r)
        )
        schedule = "\n".join(self._rows(r))
        rows = f"<pre>{html.escape(schedule)}</pre>" if schedule else ""
        return (
            f'<span aria-hidden="true">{MARKS[r.voice]}</span> <span style="color:{SOFT}">{r.voice}:</span> '
            f"{html.escape(r.title)} ({r.points:g}/{r.max:g}){why}{rows}"
        )
