"""The moments of a log as pages: the memory map, and with it the timeline."""

from __future__ import annotations

from typing import Any

from ..moments import Film, State
from ..pages import Pages
from .drawing import drawing
from .scene import Scene, scene
from .sentence import sentence
from .text import as_text
from .timeline import text_rows, timeline_rows


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
