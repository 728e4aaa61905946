"""What drawings are made of: text, boxes, arrows, as SVG."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape


def svg(parts: Iterable[str]) -> str:
    """A drawing from its parts; the first one opens it."""
    return f"{''.join(parts)}</svg>"


def arrow(x1: float, y1: float, x2: float, y2: float, look: str) -> str:
    """A line, bent where it has to be, with a head."""
    bend = (x1 + x2) / 2
    curve = (
        f"H{number(x2 - 6)}"
        if y1 == y2
        else f"C{number(bend)} {number(y1)} {number(bend)} {number(y2)} {number(x2 - 6)} {number(y2)}"
    )
    head = f"M{number(x2)} {number(y2)}l-8-4v8z"
    return f'<path d="M{number(x1)} {number(y1)}{curve}" class="{look}"/><path d="{head}" class="head"/>'


def hatch(x: float, y: float, width: float, height: float) -> str:
    """Lines at 45 degrees inside a rectangle: plain lines, for a pattern needs an id that is alone on its page."""
    x, y, width, height = x + 1.5, y + 1.5, width - 3, height - 3
    lines = []
    at = 6.0
    while at < width + height - 4:
        a, b = min(at, width), max(0.0, at - width)  # where it leaves the top or the right side
        c, d = max(0.0, at - height), min(at, height)  # where it meets the bottom or the left side
        lines.append(f"M{number(x + a)} {number(y + b)}L{number(x + c)} {number(y + d)}")
        at += 10
    return f'<path d="{"".join(lines)}" class="hatch"/>'


def rect(x: float, y: float, width: float, height: float, look: str) -> str:
    """A box with round corners."""
    return f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" rx="6" class="{look}"/>'


def label(x: float, y: float, words: str, look: str, anchor: str = "start") -> str:
    """A line of text that starts at *x*, or ends there, or has its middle there."""
    end = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return (
        f'<text x="{number(x)}" y="{number(y)}" class="{look}"{end}>{escape(words)}</text>' if words else ""
    )


def number(value: float) -> str:
    """A length as short as it can be written."""
    return f"{value:.1f}".removesuffix(".0")
