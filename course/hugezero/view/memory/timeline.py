"""The operations of a log as rows, with what student code printed beside the operation it followed."""

from __future__ import annotations

from html import escape

from ...store import Done
from ..moments import Film
from ..pages import AROUND
from ..words import code, in_cell, short


def _cells(done: Done) -> tuple[str, str, str]:
    """An operation, what it gave, and what its cell holds behind it."""
    result = "" if done.result is None else f" → {short(done.result)}"
    holds = "" if done.verb in ("new", "free") else in_cell(done.new)
    return code(done), result, holds


def _prints(film: Film) -> dict[int, list[str]]:
    said: dict[int, list[str]] = {}
    for position, words in film.machine.prints:
        said.setdefault(max(position, film.first + 1), []).append(words.rstrip("\n"))
    return said


def timeline_rows(film: Film) -> list[str]:
    """The operations shown as list items, with the prints beside the operation they followed."""
    said = _prints(film)
    rows = []
    for k, done in enumerate(film.log[film.first : film.last], film.first + 1):
        words, result, holds = _cells(done)
        new = " new" if done.new != done.old else ""
        prints = "".join(f'<span class="said">printed: {escape(words)}</span>' for words in said.get(k, ()))
        rows.append(
            f'<li><span class="n">{k}</span><span class="cpu">CPU {done.cpu}</span>'
            f'<span class="op hz-code">{escape(words)}<span class="res">{escape(result)}</span></span>'
            f'<span class="holds hz-code{new}">{escape(holds)}</span>{prints}</li>'
        )
    if film.bug is not None:
        where = film.bug.where.partition(": ")[2] or "here"
        rows.append(
            f'<li class="bug"><span class="n">✗</span><span class="cpu"></span>'
            f'<span class="op hz-code">{escape(where)}</span><span class="holds">✗ {escape(film.bug.what)}</span></li>'
        )
    return rows


def text_rows(film: Film, at: int) -> str:
    """The operations around moment number *at*, in plain text."""
    said = _prints(film)
    lines = []
    for k, done in enumerate(film.log[film.first : film.last], film.first + 1):
        if abs(k - film.first - at) > AROUND:
            continue
        words, result, holds = _cells(done)
        mark = ">" if k - film.first == at else " "
        lines.append(
            f"{mark}{k:>5}  CPU {done.cpu}  {words}{result}{f'   [{holds}]' if done.new != done.old else ''}"
        )
        lines += [f"{'':>15}printed: {words}" for words in said.get(k, ())]
    if film.bug is not None and at > film.last - film.first - AROUND:
        lines.append(f">    ✗  {film.bug}")
    return "\n".join(lines)
