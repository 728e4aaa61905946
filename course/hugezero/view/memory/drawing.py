"""From a scene to SVG: where everything goes. Parts that belong together share a `data-k`.

What an operation changed is not in the drawing: the page turner outlines the parts with those keys,
so that all moments with the same map share one drawing.
"""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from ..shapes import arrow, hatch, label, number, rect
from .mappings import Row
from .owners import Owner
from .scene import Frame, Scene
from .text import summary

WIDTH = 704
WHO, RANGE, ENTRY, FRAME, END = 12, 140, 322, 484, 692  # left edges of the columns, and the right edge
WHO_W, RANGE_W, ENTRY_W = 116, 168, 108
ROW_H, GAP, TOP = 28, 5, 38
DIGIT, LETTER = 7.3, 5.7  # about as wide is one in the monospaced face, and in small text
APART = 8  # from one arrow to the next where they start
STRIP_H = 18


def drawing(scene: Scene) -> list[str]:
    """The parts of the SVG for *scene*, in order; equal parts of different moments are equal strings."""
    parts = [label(x, 20, word, "soft small") for x, word in _heads(scene)]
    y = float(TOP)
    edges: list[tuple[Row, float]] = []  # each arrow: its row, and where it starts
    for owner in scene.owners:
        y = _owner(parts, owner, y, edges) + 12
    starts: dict[str, list[float]] = {}  # frame: where its arrows start
    for row, at in edges:
        starts.setdefault(row.frame, []).append(at)
    places, right = _places(scene.frames, starts)
    for frame in scene.frames:
        parts.append(_frame(frame, *places[frame.key]))
    ends = {key: iter(_ends(*places[key], len(many))) for key, many in starts.items()}
    for row, at in edges:
        parts.append(_edge(row, at, next(ends[row.frame])))
    if not scene.owners:
        parts.append(label(WHO, TOP + 20, "No process", "soft"))
    height = int(max(y - 12, right, TOP + 40)) + 10
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label={quoteattr(summary(scene))}>',
        *parts,
    ]


def _heads(scene: Scene) -> list[tuple[int, str]]:
    heads = list(zip((WHO, RANGE, ENTRY, FRAME), scene.heads, strict=True))
    return heads if scene.frames else heads[:3]


def _owner(parts: list[str], owner: Owner, top: float, edges: list[tuple[Row, float]]) -> float:
    """Draw one owner and its rows; returns where it ends."""
    y = top
    if owner.sectors:
        parts.append(_strip(owner, y))
        y += STRIP_H + GAP + 2
    for area in owner.areas:
        parts.append(f"<g data-k={quoteattr(area.key)}>{label(RANGE, y + 11, area.label, 'soft small')}</g>")
        y += 16
        for row in area.rows:
            parts.append(_row(row, y))
            edges += [(row, at) for at in _starts(row, y)]
            y += _height(row) + GAP
        y += 4
    for row in owner.rows:
        parts.append(_row(row, y))
        y += ROW_H + GAP
    lines = [*owner.lines, owner.flag] if owner.flag else owner.lines
    bottom = max(y - GAP - (0 if owner.rows else 4), top + 30 + 15 * len(lines))
    words = [label(WHO + 12, top + 20, *_fitting(owner.name))]
    words += [label(WHO + 12, top + 37 + 15 * i, line, "soft small") for i, line in enumerate(owner.lines)]
    if owner.flag:
        at = top + 37 + 15 * len(owner.lines)
        words.append(_flag(WHO + 13, at))
        words.append(label(WHO + 25, at, owner.flag, "small h"))
    card = rect(WHO, top, WHO_W, bottom - top, "card")
    parts.append(f"<g data-k={quoteattr(owner.key)}>{card}{''.join(words)}</g>")
    return bottom


def _flag(x: float, y: float) -> str:
    return f'<path d="M{number(x)} {number(y + 1)}v-10h8l-2 3 2 3h-8" class="flag"/>'


def _strip(owner: Owner, y: float) -> str:
    """Draw all sectors of a disk side by side, as long as they are many; the shortest can still be seen."""
    whole = sum(n for n, _ in owner.sectors)
    least, room = 6.0, END - RANGE
    widths = [max(least, room * n / whole) for n, _ in owner.sectors]
    scale = room / sum(widths)
    x, boxes = float(RANGE), []
    for width, (_, look) in zip(widths, owner.sectors, strict=True):
        boxes.append(rect(x, y, width * scale, STRIP_H, f"{look} where"))
        if look == "zero":
            boxes.append(hatch(x, y, width * scale, STRIP_H))
        x += width * scale
    return f"<g data-k={quoteattr(owner.key)}>{''.join(boxes)}</g>"


def _fitting(name: str) -> tuple[str, str]:
    """A name that fits its card; the text form has it whole."""
    if len(name) <= 12:
        return name, "h"
    return (name if len(name) <= 15 else f"{name[:14]}…"), "h small"


def _height(row: Row) -> float:
    return max(ROW_H, APART * row.arrows + 4)


def _starts(row: Row, y: float) -> list[float]:
    """Return where the arrows of a row that is drawn at *y* begin."""
    return _ends(y, _height(row), row.arrows)


def _row(row: Row, y: float) -> str:
    height = _height(row)
    base = y + height / 2 + 4.5
    look = row.look or ("card" if row.entry else "free")
    entry = rect(ENTRY, y, ENTRY_W, height, look) + (
        hatch(ENTRY, y, ENTRY_W, height) if row.look == "zero" else ""
    )
    return (
        f"<g data-k={quoteattr(row.key)}>{rect(RANGE, y, RANGE_W, height, 'card where')}"
        f"{label(RANGE + 8, base, place(row), 'mono')}{label(RANGE + RANGE_W - 8, base, row.size, 'soft small', 'end')}"
        f"{arrow(RANGE + RANGE_W, y + height / 2, ENTRY - 1, y + height / 2, 'edge pass')}"
        f"{entry}{label(ENTRY + 9, base, row.entry or 'empty', 'mono' if row.entry else 'mono soft')}</g>"
    )


def place(row: Row) -> str:
    """Return where a row is, or where it begins if there is no room for more: its size stands beside it."""
    room = RANGE_W - 24 - LETTER * len(row.size)
    return row.where if DIGIT * len(row.where) <= room else row.where.partition("–")[0]


def _places(
    frames: list[Frame], starts: dict[str, list[float]]
) -> tuple[dict[str, tuple[float, float]], float]:
    """Top and height of each frame: beside what points at it, without overlap."""

    def wish(frame: Frame) -> float:
        at = starts.get(frame.key)
        return sum(at) / len(at) if at else float("inf")

    places: dict[str, tuple[float, float]] = {}
    y = float(TOP + 16)
    for frame in sorted(frames, key=lambda frame: (wish(frame), frame.folios[0].pfn)):
        height = 54.0 if frame.huge or frame.holders else 40.0
        top = max(y, wish(frame) - height / 2) if frame.key in starts else y
        places[frame.key] = top, height
        y = top + height + 10
    return places, y - 10


def _frame(frame: Frame, y: float, height: float) -> str:
    width = END - FRAME
    lines = [(frame.words, "small bad" if frame.look == "freed" else "soft small")]
    if frame.holders:
        lines.append((_cut(frame.holders, width - 20), "small"))
    base = y + height / 2 + 5 - 8 * len(lines)
    return (
        f"<g data-k={quoteattr(frame.key)}>{rect(FRAME, y, width, height, frame.look)}"
        f"{hatch(FRAME, y, width, height) if frame.look == 'zero' else ''}"
        f"{label(FRAME + 10, base, frame.name, 'mono')}"
        f"{''.join(label(FRAME + 10, base + 16 * i, *line) for i, line in enumerate(lines, 1))}"
        f"{label(END - 10, base, frame.held, 'small', 'end')}</g>"
    )


def _cut(words: str, room: float) -> str:
    most = int(room / LETTER)
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _ends(top: float, height: float, arrows: int) -> list[float]:
    """Return the heights of *arrows* that start or end at a box, around its middle."""
    apart = min(APART, height / (arrows + 1))
    return [top + height / 2 + apart * (n - (arrows - 1) / 2) for n in range(arrows)]


def _edge(row: Row, y1: float, y2: float) -> str:
    return f"<g data-k={quoteattr(row.key)}>{arrow(ENTRY + ENTRY_W, y1, FRAME - 3, y2, 'edge')}</g>"
