"""The drawing of cache lines and CPUs: two sockets, a bar of time for each CPU, and a strip for each line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from ...cost.cacheline import Caches, Holders
from ..shapes import hatch, label, number, rect

WIDTH, TOP, STEP, ROW_H, BAR_H = 704, 40, 42, 36, 8
CARD_W, BOX_W = 310, 286
EDGES = (12, WIDTH - 12 - CARD_W)  # left edges of the sockets
STRIP, STRIP_W, STRIP_H = 104, 452, 22  # where strips begin, their length and height
HOW = {"M": "modified", "E": "alone", "S": "shared"}


class Strip(NamedTuple):
    """Who has a line, a letter a CPU, and how often one that did not have it has fetched it."""

    name: str
    has: Sequence[str]
    fetched: int

    def after(self, held: Holders) -> Strip:
        """Return the same when *held* says who has it."""
        state, who = held
        has = [state if cpu in who else "" for cpu in range(len(self.has))]
        come = sum(bool(now) and not before for now, before in zip(has, self.has, strict=True))
        return Strip(self.name, has, self.fetched + come)

    @property
    def words(self) -> str:
        """Say how many CPUs have it, and how often it moved."""
        n = sum(map(bool, self.has))
        how = next((HOW[state] for state in self.has if state), "nobody's")
        return f"{n} CPU{'s' * (n != 1)} · {how} · fetched {self.fetched} ×"


def drawing(
    caches: Caches,
    title: str,
    states: Mapping[int, str],
    spent: Mapping[int, tuple[float, float, float]],
    until: float,
    way: tuple[int | None, int],
    strips: Sequence[Strip],
) -> list[str]:
    """Return the parts of one page: sockets, CPUs whose time goes on to *until*, the way of the line, the strips."""
    rows = -(-caches.cpus // caches.costs.sockets)
    bottom = TOP + rows * STEP + 14
    height = bottom + len(strips) * (STRIP_H + 8) + 8
    said = "; ".join(f"CPU {each} {state}" for each, state in states.items())
    lines = "; ".join(f"{strip.name}: {strip.words}" for strip in strips)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label={quoteattr(f"{title}. {said}. {lines}.")}>'
    ]
    for socket, left in enumerate(EDGES):
        parts.append(rect(left, TOP - 12, CARD_W, rows * STEP + 16, "card"))
        parts.append(label(left, 20, f"socket {socket}", "soft small"))
    places = {each: (EDGES[caches.socket(each)], TOP + STEP * (each // 2)) for each in states}
    for each, state in states.items():
        parts.append(_cpu(each, state, *places[each]))
        parts.append(_time(spent[each], until, *places[each]))
    before, now = way
    if before is not None and before != now:
        parts.append(_way(places[before], places[now]))
    for n, strip in enumerate(strips):
        parts.append(_strip(strip, bottom + n * (STRIP_H + 8)))
    return parts


def _cpu(cpu: int, state: str, left: float, y: float) -> str:
    has = state.startswith("has")
    waits = state.startswith("waits")
    words = "small" if has or waits else "soft small"
    box = rect(left + 12, y, BOX_W, ROW_H, "data" if has else "card" if waits else "free")
    return (
        f'<g data-k="cpu{cpu}">{box}{label(left + 22, y + 15, f"CPU {cpu}", "mono")}'
        f"{label(left + BOX_W + 2, y + 15, state, words, 'end')}</g>"
    )


def _time(spent: tuple[float, float, float], until: float, left: float, y: float) -> str:
    """Draw a CPU's time so far: work, waiting, at the line, one after the other."""
    x, y = left + 22, y + 22
    parts = []
    for part, look in zip(spent, ("work", "waits", "line"), strict=True):
        width = (BOX_W - 20) * part / until
        if width >= 0.5:
            parts.append(
                f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{BAR_H}" class="time {look} where"/>'
            )
            if look == "waits" and width > 4:
                parts.append(hatch(x, y, width, BAR_H))
        x += width
    return f"<g>{''.join(parts)}</g>"


def _strip(strip: Strip, y: float) -> str:
    """Draw a box for each CPU: a letter where it has the line."""
    width = STRIP_W / len(strip.has)
    boxes = []
    for cpu, state in enumerate(strip.has):
        x = STRIP + cpu * width
        boxes.append(rect(x + 1, y, width - 2, STRIP_H, f"{'data' if state else 'free'} where"))
        if width >= 30 and state:
            boxes.append(label(x + width / 2, y + 15, f"{state} · {cpu}", "small", "middle"))
    name = label(12, y + 15, strip.name, "mono")
    return f"<g>{name}{''.join(boxes)}{label(WIDTH - 12, y + 15, _brief(strip), 'small', 'end')}</g>"


def _brief(strip: Strip) -> str:
    return f"fetched {strip.fetched} ×"


def _way(start: tuple[float, float], end: tuple[float, float]) -> str:
    """An arrow from one CPU to another, through the room between the sockets."""
    (left1, y1), (left2, y2) = start, end
    x1, x2 = _inner(left1), _inner(left2)
    y1, y2 = y1 + ROW_H / 2, y2 + ROW_H / 2
    middle = WIDTH / 2
    side = -1 if left2 == EDGES[0] else 1  # the head points into the box
    tip, back = x2 + 2 * -side, x2 - 8 * side
    curve = f"M{number(x1)} {number(y1)}C{number(middle)} {number(y1)} {number(middle)} {number(y2)} {number(back)} {number(y2)}"
    head = f"M{number(tip)} {number(y2)}l{-8 * side}-4v8z"
    return f'<g data-k="way"><path d="{curve}" class="edge"/><path d="{head}" class="head"/></g>'


def _inner(left: float) -> float:
    """The edge of a box that faces the other socket."""
    return left + 12 + BOX_W if left == EDGES[0] else left + 12
