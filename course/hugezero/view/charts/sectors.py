"""All sectors of a disk as a strip: zeroes, old data, and what should not be there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from ..pages import Pages
from ..shapes import hatch, label, rect
from ..widget import Still

WIDTH, LEFT, TOP, STRIP_H, HEIGHT = 704, 12, 8, 30, 66
LEAST = 16.0  # length of the shortest range: a leak of one sector can be seen
APART = 48  # from one number to the next
LOOKS = {"zeroes": "zero", "old data": "old"}
LEGEND = "hatched: zeroes · plain: old data · red, with a cross: what neither was there nor was asked for"


class Range(NamedTuple):
    """*many* sectors from number *first*, which hold the same kind of thing."""

    first: int
    many: int
    what: str


def sectors(ranges: Sequence[Range], title: str, text: str) -> Still:
    """Return a picture of a disk that consists of *ranges*; *text* says the same in lines."""
    wrong = any(each.what not in LOOKS for each in ranges)
    whole = sum(each.many for each in ranges)
    return Still(
        Pages(
            parts=_strip(ranges, whole, text),
            pages=[list(range(len(ranges) + 2))],
            moments=[
                {
                    "page": 0,
                    "title": title,
                    "where": f"{whole:,} sectors of 512 bytes",
                    "changed": [],
                    "bug": wrong,
                }
            ],
            name="disk",
            legend=LEGEND,
            text=text,
            note=text,
        )
    )


def _strip(ranges: Sequence[Range], whole: int, text: str) -> list[str]:
    room = WIDTH - 2 * LEFT
    widths = [max(LEAST, room * each.many / whole) for each in ranges]
    scale = room / sum(widths)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label={quoteattr("A disk. " + "; ".join(text.splitlines()))}>'
    ]
    starts, x = [], float(LEFT)
    for each, width in zip(ranges, widths, strict=True):
        parts.append(_range(each, x, width * scale))
        starts.append((x, each))
        x += width * scale
    return [*parts, _numbers(starts)]


def _numbers(starts: Sequence[tuple[float, Range]]) -> str:
    """Write the number of the first sector below each range where there is room: what has leaked comes first."""
    placed: list[float] = []
    labels = []
    for x, each in sorted(starts, key=lambda start: start[1].what in LOOKS):
        if all(abs(x - other) >= APART for other in placed):
            placed.append(x)
            labels.append(label(x, TOP + STRIP_H + 16, f"{each.first:,}", "soft small"))
    return "".join(labels)


def _range(each: Range, x: float, width: float) -> str:
    look = LOOKS.get(each.what, "leaked")
    lines = hatch(x, TOP, width, STRIP_H) if look == "zero" else ""
    words = "✗" if look == "leaked" else each.what
    fits = width > 7 * len(words)
    inside = label(x + width / 2, TOP + 19, words, "small bad" if look == "leaked" else "small", "middle")
    return f"<g>{rect(x, TOP, width, STRIP_H, look)}{lines}{inside if fits else ''}</g>"
