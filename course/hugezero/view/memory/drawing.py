"""From a scene to SVG: where everything goes. Parts that belong together share a `data-k`.

What an operation changed is not in the drawing: the page turner outlines the parts with those keys,
so that all moments with the same map share one drawing.
"""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from ..shapes import arrow, hatch, label, rect
from .mappings import Row
from .owners import Owner
from .scene import Frame, Scene
from .text import summary

WIDTH = 820
WHO, RANGE, ENTRY, FRAME, END = 16, 158, 404, 596, 804  # left edges of the columns, and the right edge
WHO_W, RANGE_W, ENTRY_W = 130, 234, 112
ROW_H, STEP, TOP = 32, 38, 40


def drawing(scene: Scene) -> list[str]:
    """The parts of the SVG for *scene*, in order; equal parts of different moments are equal strings."""
    parts = [label(x, 22, word, "soft small") for x, word in _heads(scene)]
    y = float(TOP)
    middle: dict[str, list[float]] = {}  # frame: where its entries are
    edges: list[tuple[Row, float]] = []
    for owner in scene.owners:
        bottom = _owner(parts, owner, y, edges)
        y = bottom + 14
    for row, at in edges:
        middle.setdefault(row.frame, []).append(at)
    left = y - 14
    places, right = _places(scene.frames, middle)
    for frame in scene.frames:
        parts.append(_frame(frame, *places[frame.key]))
    for row, at in edges:
        top, height = places[row.frame]
        parts.append(_edge(row, at, top + height / 2))
    if not scene.owners:
        parts.append(label(WHO, TOP + 20, "No process yet", "soft"))
    height = int(max(left, right, TOP + 40)) + 12
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label={quoteattr(summary(scene))}>',
        *parts,
    ]


def _heads(scene: Scene) -> list[tuple[int, str]]:
    heads = list(zip((WHO, RANGE, ENTRY, FRAME), scene.heads, strict=True))
    return heads if scene.frames else heads[:3]


def _owner(parts: list[str], owner: Owner, top: float, edges: list[tuple[Row, float]]) -> float:
    """Draw one owner and its rows; gives where it ends."""
    y = top
    for area in owner.areas:
        parts.append(f"<g data-k={quoteattr(area.key)}>{label(RANGE, y + 12, area.label, 'soft small')}</g>")
        y += 18
        for row in area.rows:
            parts.append(_row(row, y))
            if row.frame:
                edges.append((row, y + ROW_H / 2))
            y += STEP
        y += 6
    for row in owner.rows:
        parts.append(_row(row, y))
        y += STEP
    bottom = max(y - (STEP - ROW_H if owner.rows else 6), top + 34 + 16 * len(owner.lines))
    lines = [label(WHO + 14, top + 22, *_fitting(owner.name))]
    lines += [label(WHO + 14, top + 40 + 16 * i, line, "soft small") for i, line in enumerate(owner.lines)]
    card = rect(WHO, top, WHO_W, bottom - top, "card")
    parts.append(f"<g data-k={quoteattr(owner.key)}>{card}{''.join(lines)}</g>")
    return bottom


def _fitting(name: str) -> tuple[str, str]:
    """A name that fits its card; the text form has it whole."""
    if len(name) <= 13:
        return name, "h"
    return (name if len(name) <= 18 else f"{name[:17]}…"), "h small"


def _row(row: Row, y: float) -> str:
    base = y + ROW_H / 2 + 4.5
    look = {"zero": "zero", "data": "data"}.get(row.look, "card" if row.entry else "free")
    entry = rect(ENTRY, y, ENTRY_W, ROW_H, look) + (
        hatch(ENTRY, y, ENTRY_W, ROW_H) if row.look == "zero" else ""
    )
    return (
        f"<g data-k={quoteattr(row.key)}>{rect(RANGE, y, RANGE_W, ROW_H, 'card where')}"
        f"{label(RANGE + 10, base, row.where, 'mono')}{label(RANGE + RANGE_W - 10, base, row.size, 'soft small', 'end')}"
        f"{arrow(RANGE + RANGE_W, y + ROW_H / 2, ENTRY - 1, y + ROW_H / 2, 'edge pass')}"
        f"{entry}{label(ENTRY + 10, base, row.entry or 'empty', 'mono' if row.entry else 'mono soft')}</g>"
    )


def _places(
    frames: list[Frame], middle: dict[str, list[float]]
) -> tuple[dict[str, tuple[float, float]], float]:
    """Top and height of each frame: beside what points at it, without overlap."""

    def wish(frame: Frame) -> float:
        at = middle.get(frame.key)
        return sum(at) / len(at) if at else float("inf")

    places: dict[str, tuple[float, float]] = {}
    y = float(TOP + 18)
    for frame in sorted(frames, key=lambda frame: (wish(frame), frame.folios[0].pfn)):
        height = 56.0 if frame.huge else 42.0
        top = max(y, wish(frame) - height / 2) if frame.key in middle else y
        places[frame.key] = top, height
        y = top + height + 12
    return places, y - 12


def _frame(frame: Frame, y: float, height: float) -> str:
    width = END - FRAME
    base = y + height / 2 - 3
    lines = hatch(FRAME, y, width, height) if frame.look == "zero" else ""
    soft = "small bad" if frame.look == "freed" else "soft small"
    return (
        f"<g data-k={quoteattr(frame.key)}>{rect(FRAME, y, width, height, frame.look)}{lines}"
        f"{label(FRAME + 12, base, frame.name, 'mono')}{label(FRAME + 12, base + 17, frame.words, soft)}"
        f"{label(END - 10, base, frame.held, 'small', 'end')}</g>"
    )


def _edge(row: Row, y1: float, y2: float) -> str:
    return f"<g data-k={quoteattr(row.key)}>{arrow(ENTRY + ENTRY_W, y1, FRAME - 3, y2, 'edge')}</g>"
