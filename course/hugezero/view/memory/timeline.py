"""The operations of a log as rows, by action and by who did them, with what student code printed."""

from __future__ import annotations

import re
from html import escape

from ...store import Done
from ..moments import Film
from ..pages import AROUND
from ..words import code, in_cell, short
from .actors import actors


def _cells(done: Done) -> tuple[str, str, str]:
    """Return an operation, what it returned, and what its cell holds after it."""
    result = "" if done.result is None else f" → {short(done.result)}"
    holds = "" if done.verb in ("new", "free") else in_cell(done.new)
    return code(done), result, holds


def _broken(code: str) -> str:
    """Return *code* as HTML that may be broken after a dot, a bracket or a comma where there is little room."""
    return "<wbr>".join(escape(piece) for piece in re.split(r"(?<=[.(,])(?=\S)", code))


def _prints(film: Film) -> dict[int, list[str]]:
    said: dict[int, list[str]] = {}
    for position, words in film.machine.prints:
        said.setdefault(max(position, film.first + 1), []).append(words.rstrip("\n"))
    return said


def _heads(film: Film) -> dict[int, list[str]]:
    """Return the actions that begin, by the operation that follows; before the first one stands what is going on."""
    heads: dict[int, list[str]] = {}
    for before, words in film.acts:
        if film.first < before < film.last:
            heads.setdefault(before + 1, []).append(words)
    going_on = film.act(film.first + 1)
    return heads | ({film.first + 1: [going_on]} if going_on else {})


def timeline_rows(film: Film) -> list[str]:
    """Return the operations shown as list items: below the action, with the prints that followed each."""
    said, heads, who = _prints(film), _heads(film), actors(film.log)
    rows = []
    for k, done in enumerate(film.log[film.first : film.last], film.first + 1):
        words, result, holds = _cells(done)
        head = "".join(f'<li class="act">{escape(act)}</li>' for act in heads.get(k, ()))
        first = bool(head) or k == film.first + 1 or who[k - 1] != who[k - 2]
        new = " new" if done.new != done.old else ""
        prints = "".join(f'<span class="said">printed: {escape(words)}</span>' for words in said.get(k, ()))
        rows.append(
            f'{head}<li data-n="{k}" class="{who[k - 1]}{" first" * first}"><span class="n">{k}</span>'
            f'<span class="who">{who[k - 1]}</span>'
            f'<span class="op mono">{_broken(words)}<span class="res">{_broken(result)}</span></span>'
            f'<span class="holds mono{new}">{escape(holds)}</span>{prints}</li>'
        )
    if film.bug is not None:
        where = film.bug.where.partition(": ")[2] or "here"
        rows.append(
            f'<li data-n="" class="bug"><span class="n">✗</span><span class="who"></span>'
            f'<span class="op mono">{escape(where)}</span><span class="holds">✗ {escape(film.bug.what)}</span></li>'
        )
    return rows


def text_rows(film: Film, at: int) -> str:
    """The operations around moment number *at*, in plain text."""
    said, heads, who = _prints(film), _heads(film), actors(film.log)
    lines: list[str] = []
    for k, done in enumerate(film.log[film.first : film.last], film.first + 1):
        if abs(k - film.first - at) > AROUND:
            continue
        words, result, holds = _cells(done)
        mark = ">" if k - film.first == at else " "
        lines += heads.get(k, ())
        lines.append(
            f"{mark}{k:>5}  {who[k - 1]:<8}  {words}{result}{f'   [{holds}]' if done.new != done.old else ''}"
        )
        lines += [f"{'':>15}printed: {words}" for words in said.get(k, ())]
    if film.bug is not None and at > film.last - film.first - AROUND:
        lines.append(f">    ✗  {film.bug}")
    return "\n".join(lines)
