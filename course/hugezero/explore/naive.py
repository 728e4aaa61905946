"""Every schedule, one by one: simple, slow, and easy to believe.

Each thread is one call, given as a function `step(log)` that tells what the call does next when
it has seen *log*: ("op", cell, verb, args), ("return", value) or ("raise", kind, text). A log is
a tuple of (cell, verb, args, result).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ..store import OPERATIONS, Asked, Cell, Stop, cell_name, default_of

Seen = tuple[Cell, str, tuple[Any, ...], Any]
Step = tuple[Any, ...]
Thread = Callable[[tuple[Seen, ...]], Step]


@dataclass
class Schedule:
    """One way in which the threads took turns: the rows, and how each call ended."""

    rows: list[str] = field(default_factory=list)
    ends: dict[int, Step] = field(default_factory=dict)
    cut: bool = False  # by the limit


def schedules(threads: list[Thread], limit: int = 40) -> Iterator[Schedule]:
    """Each schedule of *threads* from fresh cells, those with the fewest switches between CPUs first.

    A schedule of more than *limit* operations is cut off.
    """
    found = list(_from(threads, {}, [()] * len(threads), Schedule(), limit))
    yield from sorted(found, key=_switches)


def next_step(function: Callable[..., Any], args: tuple[Any, ...], log: tuple[Seen, ...]) -> Step:
    """What a call of *function* in this process does next when it has seen *log*."""
    pending: list[Step] = []

    def ask(cell: Cell, verb: str, values: tuple[Any, ...]) -> Any:
        pending.append(("op", cell, verb, values))
        raise Stop

    asked = Asked(ask, [((cell, verb, values), result) for cell, verb, values, result in log])
    try:
        with asked:
            value = function(*args)
    except Stop:
        return pending[0]
    except Exception as error:
        return "raise", type(error).__name__, str(error)
    return pending[0] if pending else ("return", value)


def _from(
    threads: list[Thread], cells: dict[Cell, Any], logs: list[tuple[Seen, ...]], so_far: Schedule, limit: int
) -> Iterator[Schedule]:
    running = [cpu for cpu in range(len(threads)) if cpu not in so_far.ends]
    if not running or len(so_far.rows) >= limit:
        yield Schedule(so_far.rows, so_far.ends, cut=bool(running))
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
    new, result = OPERATIONS[verb](cells.get(cell, default_of(cell)), *args)
    told = f"CPU {cpu}: {cell_name(cell)}.{verb}({', '.join(map(repr, args))})"
    row = told if result is None else f"{told} → {result!r}"
    seen = [*logs[:cpu], (*logs[cpu], (cell, verb, args, result)), *logs[cpu + 1 :]]
    yield from _from(threads, {**cells, cell: new}, seen, Schedule([*so_far.rows, row], so_far.ends), limit)


def _switches(schedule: Schedule) -> tuple[int, int]:
    cpus = [row.partition(":")[0] for row in schedule.rows]
    return sum(a != b for a, b in pairwise(cpus)), len(cpus)
