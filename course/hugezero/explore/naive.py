"""Every schedule, one by one: simple, slow, and easy to believe.

Each thread is one call, given as a function `step(log)` that tells what the call does next when
it has seen *log*: ("op", cell, verb, args), ("return", value) or ("raise", kind, text). A log is
a tuple of (cell, verb, args, result).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ..mm.page_alloc import Folio
from ..store import OPERATIONS, Cell, KernelBug, default_of, in_code, with_result

Seen = tuple[Cell, str, tuple[Any, ...], Any]
Step = tuple[Any, ...]
Thread = Callable[[tuple[Seen, ...]], Step]


@dataclass
class Schedule:
    """One way in which the threads took turns: the rows, and how each call ended."""

    rows: list[str] = field(default_factory=list)
    ends: dict[int, Step] = field(default_factory=dict)
    cells: dict[Cell, Any] = field(default_factory=dict)  # at the end
    bug: str = ""  # what a kernel must never do
    cut: bool = False  # by the limit


def schedules(
    threads: list[Thread], limit: int = 40, cells: Mapping[Cell, Any] | None = None
) -> Iterator[Schedule]:
    """Each schedule of *threads*, from fresh cells or *cells*, those with the fewest switches between CPUs first.

    A schedule of more than *limit* operations is cut off.
    """
    found = list(_from(threads, dict(cells or {}), [()] * len(threads), Schedule(), limit))
    yield from sorted(found, key=_switches)


def _from(
    threads: list[Thread], cells: dict[Cell, Any], logs: list[tuple[Seen, ...]], so_far: Schedule, limit: int
) -> Iterator[Schedule]:
    running = [cpu for cpu in range(len(threads)) if cpu not in so_far.ends]
    if not running or len(so_far.rows) >= limit:
        yield Schedule(so_far.rows, so_far.ends, cells, cut=bool(running))
    elif len(so_far.rows) < limit:
        for cpu in running:
            yield from _one_more(threads, cpu, cells, logs, so_far, limit)


def _one_more(
    threads: list[Thread],
    cpu: int,
    cells: dict[Cell, Any],
    logs: list[tuple[Seen, ...]],
    so_far: Schedule,
    limit: int,
) -> Iterator[Schedule]:
    step = threads[cpu](logs[cpu])
    if step[0] != "op":
        ended = Schedule(so_far.rows, {**so_far.ends, cpu: step})
        yield from _from(threads, cells, logs, ended, limit)
        return
    _, cell, verb, args = step
    rows = [*so_far.rows, f"CPU {cpu}: {in_code(cell, verb, args)}"]
    try:
        cells, result = carried_out(cells, cell, verb, args)
    except KernelBug as bug:
        yield Schedule(rows, so_far.ends, bug=bug.what)
        return
    rows[-1] = f"CPU {cpu}: {with_result(cell, verb, args, result)}"
    seen = [*logs[:cpu], (*logs[cpu], (cell, verb, args, result)), *logs[cpu + 1 :]]
    yield from _from(threads, cells, seen, Schedule(rows, so_far.ends), limit)


def carried_out(
    cells: dict[Cell, Any], cell: Cell, verb: str, args: tuple[Any, ...]
) -> tuple[dict[Cell, Any], Any]:
    """The cells after one operation, and what it gave. A new folio is one that never was before."""
    if verb == "new":
        folio = Folio((sum(field == "state" for _, field in cells) + 1 << 9, args[1], 0))
        return {**cells, (folio, "state"): "live"}, folio
    if cell[0].body is not None and verb != "free" and cells.get((cell[0].body, "state"), "free") == "free":
        raise KernelBug(f"{cell[0]!r} was used after it was freed")
    new, result = OPERATIONS[verb](cells.get(cell, default_of(cell)), *args)
    return {**cells, cell: new}, result


def _switches(schedule: Schedule) -> tuple[int, int]:
    cpus = [row.partition(":")[0] for row in schedule.rows]
    return sum(a != b for a, b in pairwise(cpus)), len(cpus)
