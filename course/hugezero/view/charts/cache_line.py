"""A cache line on its way between CPUs: who has it, who waits for it, visit by visit, and what that adds up to."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...cost.cacheline import Caches, Holders, Replay
from ..pages import Pages
from ..widget import shown
from .lines import Strip, drawing

LEGEND = "thick outline: gets the line now · bars: plain is work, hatched is waiting, full is at the line"
ORDER = ("next", "2nd", "3rd")


class Visit(NamedTuple):
    """A CPU's visit to the line: since when it waited for it, from when to when it had it, who had which line then."""

    came: float
    begin: float
    end: float
    cpu: int
    held: dict[str, Holders]


class Spent(NamedTuple):
    """What a CPU has done with its time so far, in nanoseconds."""

    work: float
    waiting: float
    line: float


def travel(found: Replay, line: str = "refcount", most: int = 200) -> Any:
    """The visits to *line* that *found* (a replay that kept them) holds, at most *most*: one page each.

    Raises ValueError where there are none.
    """
    return shown(travelling(found, line, most))


def travelling(found: Replay, line: str, most: int) -> Pages:
    """The pages of that picture."""
    kept = list(zip(found.served_at, found.came_at, found.held_at, strict=True))
    every = [Visit(came, begin, end, cpu, held) for (begin, end, cpu, at), came, held in kept if at == line]
    if not every:
        raise ValueError(
            f"nobody was seen at the line {line!r}: is it written to at all, and was the replay run with keep=True?"
        )
    made = Pages(name="cache line", legend=LEGEND)
    caches = Caches(found.cpus)
    shown_visits = every[:most]
    ends = shown_visits[-1].end
    of_cpu: dict[int, list[tuple[float, float, float]]] = {cpu: [] for cpu in range(found.cpus)}
    for (begin, end, cpu, _), came, _ in kept:
        of_cpu[cpu].append((came, begin, end))
    names = [line, *sorted({name for visit in shown_visits for name in visit.held} - {line})]
    strips = {name: Strip(name, [""] * found.cpus, 0) for name in names}
    numbers: dict[str, int] = {}
    holder: int | None = None
    for n, visit in enumerate(shown_visits):
        queue = [later.cpu for later in sorted(every[n + 1 :]) if later.came <= visit.begin]
        states = {cpu: _state(cpu, visit.cpu, queue) for cpu in range(found.cpus)}
        spent = {cpu: spent_by(visits, visit.end) for cpu, visits in of_cpu.items()}
        strips = {name: strip.after(visit.held.get(name, ("I", ()))) for name, strip in strips.items()}
        title = _title(caches, visit.cpu, holder, visit.end - visit.begin, len(queue))
        parts = drawing(caches, title, states, spent, ends, (holder, visit.cpu), list(strips.values()))
        made.pages.append([numbers.setdefault(part, len(numbers)) for part in parts])
        made.moments.append(
            {
                "page": n,
                "title": title,
                "where": f"visit {n + 1} of {len(shown_visits):,}, after {visit.begin / 1e3:.1f} µs · {_shares(spent)}",
                "changed": [f"cpu{visit.cpu}"],
                "bug": False,
            }
        )
        if n == 0:
            made.text = f"{title}  ({made.moments[0]['where']})\n\n" + "\n".join(
                f"CPU {each}, socket {caches.socket(each)}: {state}" for each, state in states.items()
            )
        holder = visit.cpu
    made.text += f"\n\nAfter {len(shown_visits):,} visits: {_shares(spent)}\n" + "\n".join(
        f"{strip.name}: {strip.words}" for strip in strips.values()
    )
    made.parts = list(numbers)
    return made


def spent_by(visits: list[tuple[float, float, float]], until: float) -> Spent:
    """Return what a CPU has done *until* then; of each of its *visits* to lines: it came, was served, went on."""
    work = waiting = line = at = 0.0
    for came, begin, end in visits:
        if at >= until:
            break
        work += min(came, until) - at
        waiting += max(0.0, min(begin, until) - came)
        line += max(0.0, min(end, until) - begin)
        at = end
    return Spent(work, waiting, line)


def _state(cpu: int, has: int, queue: list[int]) -> str:
    if cpu == has:
        return "has the line, modified"
    return f"waits, {_place(queue.index(cpu))}" if cpu in queue else "works by itself"


def _shares(spent: dict[int, Spent]) -> str:
    work, waiting, line = (sum(parts) for parts in zip(*spent.values(), strict=True))
    whole = work + waiting + line
    return f"work {work / whole:.0%}, waiting {waiting / whole:.0%}, at the line {line / whole:.0%}"


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
