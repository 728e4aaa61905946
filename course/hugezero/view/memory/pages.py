"""The moments of a log as pages: the memory map, and with it the timeline."""

from __future__ import annotations

from typing import Any

from ..moments import Film
from ..pages import Pages
from .drawing import drawing
from .scene import Scene, scene
from .sentence import sentence
from .text import as_text
from .timeline import text_rows, timeline_rows

MOST_WORDS = 44  # letters of an action beside the number of an operation
KEYS = "← → next change · Shift: next operation · Page Up, Page Down: action · Esc leaves"
KEYS_WITHOUT_ACTIONS = "← → next change · Shift: next operation · Page Up, Page Down: ten · Esc leaves"


def pages(film: Film, rows: bool = False) -> Pages:
    """All pages of *film*. With *rows* also its operations, one by one, for a timeline."""
    made = Pages(note=film.not_shown())
    numbers: dict[str, int] = {}
    known: dict[tuple[int, ...], int] = {}

    def draw(one: Scene) -> int:
        """The number of the page that shows *one*; equal ones share it."""
        parts = tuple(numbers.setdefault(part, len(numbers)) for part in drawing(one))
        return known.setdefault(parts, len(known))

    opens = None if film.at is None else film.at - film.first
    latest: Scene | None = None
    page = -1
    for k, done, state in film.states():
        before = page
        if latest is None or done is None or done.new is not done.old:
            latest = scene(film, state)
            page = draw(latest)
        changed = latest.keys(done.cell) if done is not None and done.new != done.old else []
        made.moments.append(_moment(page, sentence(film, state, done), _where(film, k), changed))
        made.moments[-1]["stop"] = page != before
        if opens is None and any(owner.areas or owner.rows for owner in latest.owners):
            opens = k - film.first
    if film.bug is not None and latest is not None:
        words = f"✗ {film.bug.what}"
        body = film.bug.cell[0].body if film.bug.cell else None
        latest = scene(film, state, struck=body)
        page = draw(latest)
        struck = latest.keys((body, "state") if body else film.bug.cell) if film.bug.cell else []
        made.moments.append(_moment(page, words, f"stopped after operation {film.total}", struck, bug=True))
        opens = len(made.moments) - 1 if film.at == film.last else opens
    made.parts, made.pages = list(numbers), [list(parts) for parts in known]
    closing = _closing(film, made.moments)
    made.acts = list(closing.values())
    made.keys = KEYS if made.acts else KEYS_WITHOUT_ACTIONS
    made.at = closing.get(film.at, opens or 0) if film.through else opens or 0
    made.text = _text(film, made)
    if rows:
        made.name, made.rows = "timeline", timeline_rows(film)
        made.text = f"{text_rows(film, made.at)}\n\n{made.text}"
    if made.note:
        made.text += f"\n\n{made.note}"
    return made


def _closing(film: Film, moments: list[dict[str, Any]]) -> dict[int | None, int]:
    """Return, by the end of each action shown, the moment of its last change of the drawing, or the end without one."""
    found: dict[int | None, int] = {}
    for (start, _), end in zip(film.acts, film.ends(), strict=True):
        if start < end and film.first < end <= film.last:
            mine = range(end - film.first, max(start - film.first, 0), -1)
            found[end] = next((n for n in mine if moments[n]["stop"]), mine[0])
    return found


def _moment(page: int, title: str, where: str, changed: list[str], bug: bool = False) -> dict[str, Any]:
    return {"page": page, "title": title, "where": where, "changed": changed, "bug": bug}


def _where(film: Film, k: int) -> str:
    if not film.kept:
        return "no log"
    if not k:
        return f"before the first of {film.total:,} operations"
    act = film.act(k)
    within = f" · {act if len(act) <= MOST_WORDS else act[: MOST_WORDS - 1] + '…'}" if act else ""
    return f"operation {k:,} of {film.total:,}{within}"


def _text(film: Film, made: Pages) -> str:
    """Return the moment at which *made* opens, in words."""
    moment = made.moments[made.at]
    at = min(film.first + made.at, film.last)
    every = next(scene(film, state, fold=None) for k, _, state in film.states() if k == at)
    return f"{moment['title']}  ({moment['where']})\n\n{as_text(every, moment['changed'])}"
