"""Pages that are drawn beforehand: what the widget turns, and what a saved notebook shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from .shapes import svg

HERE = Path(__file__).parent
STYLES = ("picture.css", "schedule.css")
AROUND = 6  # operations before and after the current one in a picture that cannot be turned


KEYS = "← → step · Page Up, Page Down: ten · Esc leaves"
LEGEND = "hatched: reads as zeroes · thick outline: changed by this operation"


@dataclass
class Pages:
    """Every moment shown: which drawing, what happened, what it changed; and the text of one of them."""

    parts: list[str] = field(default_factory=list)  # SVG, each string once
    pages: list[list[int]] = field(default_factory=list)  # a drawing is a list of parts
    moments: list[dict[str, Any]] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)  # of the timeline; row i leads to moment i + 1
    acts: list[int] = field(default_factory=list)  # moments at which an action was through
    at: int = 0  # number in *moments*
    note: str = ""
    text: str = ""  # the moment *at*
    source: str = ""  # code that stands beside it, as HTML
    name: str = "memory map"
    keys: str = KEYS
    legend: str = LEGEND
    asked: Callable[[dict[str, Any]], dict[str, Any]] | None = None  # answers where there is a kernel


def styles() -> str:
    """The style sheet of all pictures."""
    return "".join((HERE / name).read_text(encoding="utf-8") for name in STYLES)


def still(made: Pages) -> str:
    """One moment as HTML that needs no script: for saved notebooks, feedback and other readers."""
    moment = made.moments[made.at]
    parts = [made.parts[i] for i in made.pages[moment["page"]]]
    picture = svg(parts) if parts[0].startswith("<svg") else "".join(parts)
    look = "struck" if moment["bug"] else "sel"
    for key in moment["changed"]:
        picture = picture.replace(f'<g data-k="{key}">', f'<g class="{look}" data-k="{key}">')
        picture = picture.replace(f'hz-row" data-k="{key}"', f'hz-row {look}" data-k="{key}"')
    low, high = max(0, made.at - 1 - AROUND), made.at + AROUND
    rows = made.rows[low:high]
    if made.rows and made.at:
        rows[made.at - 1 - low] = rows[made.at - 1 - low].replace(
            "<li data-n", '<li aria-current="step" data-n', 1
        )
    style = styles()
    steps = f'<ol class="hz-rows">{"".join(rows)}</ol>' if rows else ""
    note = f'<p class="hz-soft hz-note-below">{escape(made.note)}</p>' if made.note else ""
    return (
        f'<div class="hz hz-{made.name.replace(" ", "-")}"><style>{style}</style>'
        f'<div class="hz-top"><p class="hz-title{" bad" if moment["bug"] else ""}">{escape(moment["title"])}</p>'
        f'<p class="hz-soft">{escape(moment["where"])}</p></div>'
        f"{steps}"
        f'<div class="hz-scroll" tabindex="0" role="group" aria-label="{made.name}">{picture}</div>'
        f'<div class="hz-foot"><span class="hz-soft">{escape(made.legend)}</span></div>'
        f"{note}</div>"
    )
