"""A cache line on its way between CPUs: who has it, who waits for it, visit by visit."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import quoteattr

from ...cost.cacheline import Caches, Replay
from ..pages import Pages
from ..shapes import label, number, rect
from ..widget import shown

WIDTH, TOP, STEP, ROW_H = 820, 40, 40, 32
CARD_W, BOX_W = 340, 312
EDGES = (16, WIDTH - 16 - CARD_W)  # left edges of the sockets
LEGEND = "coloured: has the line · thick outline: gets it now · arrow: where it came from"
ORDER = ("next", "2nd", "3rd")


def travel(found: Replay, line: str = "refcount", most: int = 200) -> Any:
    """The visits to *line* that *found* (a replay that kept them) holds, at most *most*: one page each.

    Raises ValueError where there are none.
    """
    return shown(travelling(found, line, most))


def travelling(found: Replay, line: str, most: int) -> Pages:
    """The pages of that picture."""
    kept = zip(found.served_at, found.came_at, strict=True)
    every = [(came, *served) for served, came in kept if served[3] == line]
    if not every:
        raise ValueError(
            f"nobody was seen at the line {line!r}: is it written to at all, and was the replay run with keep=True?"
        )
    made = Pages(name="cache line", legend=LEGEND)
    caches = Caches(found.cpus)
    numbers: dict[str, int] = {}
    holder: int | None = None
    for n, (_, begin, end, cpu, _) in enumerate(every[:most]):
        waits = [(later_came, later) for later_came, _, _, later, _ in every[n + 1 :] if later_came <= begin]
        queue = [later for _, later in sorted(waits)]
        states = {
            each: "has the line, modified"
            if each == cpu
            else f"waits, {_place(queue.index(each))}"
            if each in queue
            else "works by itself"
            for each in range(found.cpus)
        }
        title = _title(caches, cpu, holder, end - begin, len(queue))
        parts = _drawing(caches, states, holder, cpu, line, title)
        made.pages.append([numbers.setdefault(part, len(numbers)) for part in parts])
        made.moments.append(
            {
                "page": n,
                "title": title,
                "where": f"visit {n + 1} of {min(most, len(every)):,}, after {begin / 1e3:.1f} µs",
                "changed": [f"cpu{cpu}"],
                "bug": False,
            }
        )
        if n == 0:
            made.text = f"{title}  ({made.moments[0]['where']})\n\n" + "\n".join(
                f"CPU {each}, socket {caches.socket(each)}: {state}" for each, state in states.items()
            )
        holder = cpu
    made.parts = list(numbers)
    return made


def _place(n: int) -> str:
    return ORDER[n] if n < len(ORDER) else f"{n + 1}th"


def _title(caches: Caches, cpu: int, holder: int | None, took: float, waiting: int) -> str:
    wait = {0: "nobody waits", 1: "1 CPU waits"}.get(waiting, f"{waiting} CPUs wait")
    if holder is None:
        return f"CPU {cpu} is the first that wants the line, and gets it from memory: {took:.0f} ns; {wait}"
    if holder == cpu:
        return f"CPU {cpu} has the line still: {took:.0f} ns; {wait}"
    far = caches.socket(cpu) != caches.socket(holder)
    whence = "of the other socket" if far else "of its own socket"
    return f"CPU {cpu} takes the line from CPU {holder}, {whence}: {took:.0f} ns; {wait}"


def _drawing(
    caches: Caches, states: dict[int, str], holder: int | None, cpu: int, line: str, title: str
) -> list[str]:
    """The parts of one page: the sockets, their CPUs, and the way of the line."""
    rows = -(-caches.cpus // caches.costs.sockets)
    height = TOP + rows * STEP + 20
    said = "; ".join(f"CPU {each} {state}" for each, state in states.items())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label={quoteattr(f"The line {line}. {title}. {said}.")}>'
    ]
    for socket, left in enumerate(EDGES):
        parts.append(rect(left, TOP - 12, CARD_W, rows * STEP + 16, "card"))
        parts.append(label(left, 20, f"socket {socket}", "soft small"))
    places = {each: (EDGES[caches.socket(each)], TOP + STEP * (each // 2)) for each in states}
    for each, state in states.items():
        parts.append(_cpu(each, state, *places[each]))
    if holder is not None and holder != cpu:
        parts.append(_way(places[holder], places[cpu]))
    return parts


def _cpu(cpu: int, state: str, left: float, y: float) -> str:
    has = state.startswith("has")
    waits = state.startswith("waits")
    base = y + ROW_H / 2 + 4.5
    words = "small" if has or waits else "soft small"
    box = rect(left + 14, y, BOX_W, ROW_H, "data" if has else "card" if waits else "free")
    return (
        f'<g data-k="cpu{cpu}">{box}{label(left + 26, base, f"CPU {cpu}", "mono")}'
        f"{label(left + BOX_W + 4, base, state, words, 'end')}</g>"
    )


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
    return left + 14 + BOX_W if left == EDGES[0] else left + 14
