"""The moments of a log as pages that are drawn beforehand: what the widget turns, and what a saved notebook shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from .drawing import drawing
from .moments import Film, State
from .scene import Scene, scene
from .sentence import sentence
from .shapes import svg
from .steps import AROUND, text_rows, timeline_rows
from .text import as_text

KEYS = "← → step · Page Up, Page Down ten steps · Home, End"
LEGEND = "hatched: reads as zeroes · thick outline: changed by this operation"


@dataclass
class Pages:
    """Every moment shown: which drawing, what happened, what it changed; and the text of one of them."""

    parts: list[str] = field(default_factory=list)  # SVG, each string once
    pages: list[list[int]] = field(default_factory=list)  # a drawing is a list of parts
    moments: list[dict[str, Any]] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)  # of the timeline; row i is behind moment i
    at: int = 0  # number in *moments*
    note: str = ""
    text: str = ""  # the moment *at*
    name: str = "memory map"
    keys: str = KEYS
    legend: str = LEGEND
    asked: Callable[[dict[str, Any]], dict[str, Any]] | None = None  # answers where there is a kernel


def pages(film: Film, rows: bool = False) -> Pages:
    """All pages of *film*. With *rows* also its operations, one by one, for a timeline."""
    made = Pages(note=film.not_shown())
    numbers: dict[str, int] = {}
    known: dict[tuple[int, ...], int] = {}

    def draw(one: Scene) -> int:
        """The number of the page that shows *one*; equal ones share it."""
        parts = tuple(numbers.setdefault(part, len(numbers)) for part in drawing(one))
        return known.setdefault(parts, len(known))

    latest: Scene | None = None
    page = -1
    for k, done, state in film.states():
        if latest is None or done is None or done.new is not done.old:
            latest = scene(film, state)
            page = draw(latest)
        changed = latest.keys(done.cell) if done is not None and done.new != done.old else []
        made.moments.append(_moment(page, sentence(film, state, done), _where(film, k), changed))
        if k == film.at:
            made.at = len(made.moments) - 1
            made.text = _text(film, state, made.moments[-1])
    if film.bug is not None and latest is not None:
        words = f"✗ {film.bug.what}"
        body = film.bug.cell[0].body if film.bug.cell else None
        latest = scene(film, state, struck=body)
        page = draw(latest)
        struck = latest.keys((body, "state") if body else film.bug.cell) if film.bug.cell else []
        made.moments.append(_moment(page, words, f"stopped after operation {film.total}", struck, bug=True))
        if film.at == film.last:
            made.at += 1
            made.text = _text(film, state, made.moments[-1])
    made.parts, made.pages = list(numbers), [list(parts) for parts in known]
    if rows:
        made.rows = timeline_rows(film)
        made.text = f"{text_rows(film, made.at)}\n\n{made.text}"
    if made.note:
        made.text += f"\n\n{made.note}"
    return made


def _moment(page: int, title: str, where: str, changed: list[str], bug: bool = False) -> dict[str, Any]:
    return {"page": page, "title": title, "where": where, "changed": changed, "bug": bug}


def _where(film: Film, k: int) -> str:
    if not film.kept:
        return "no log"
    return f"operation {k:,} of {film.total:,}" if k else f"before the first of {film.total:,} operations"


def _text(film: Film, state: State, moment: dict[str, Any]) -> str:
    every = scene(film, state, fold=None)
    return f"{moment['title']}  ({moment['where']})\n\n{as_text(every, moment['changed'])}"


def still(made: Pages) -> str:
    """One moment as HTML that needs no script: for saved notebooks, feedback and other readers."""
    moment = made.moments[made.at]
    picture = svg(made.parts[i] for i in made.pages[moment["page"]])
    look = "struck" if moment["bug"] else "sel"
    for key in moment["changed"]:
        picture = picture.replace(f'<g data-k="{key}">', f'<g class="{look}" data-k="{key}">')
    low, high = max(0, made.at - 1 - AROUND), made.at + AROUND
    rows = made.rows[low:high]
    if made.rows and made.at:
        rows[made.at - 1 - low] = rows[made.at - 1 - low].replace("<li", '<li aria-current="step"', 1)
    style = Path(__file__).with_name("picture.css").read_text(encoding="utf-8")
    steps = f'<ol class="hz-rows">{"".join(rows)}</ol>' if rows else ""
    note = f'<p class="hz-soft">{escape(made.note)}</p>' if made.note else ""
    return (
        f'<div class="hz hz-{made.name.replace(" ", "-")}"><style>{style}</style>'
        f'<div class="hz-top"><p class="hz-title{" bad" if moment["bug"] else ""}">{escape(moment["title"])}</p>'
        f'<p class="hz-soft">{escape(moment["where"])}</p></div>'
        f"{steps}"
        f'<div class="hz-scroll" tabindex="0" role="group" aria-label="{made.name}">{picture}</div>'
        f'<div class="hz-foot"><span class="hz-soft">{escape(made.legend)}</span></div>'
        f"{note}</div>"
    )
