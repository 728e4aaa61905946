"""What an operation costs when several CPUs want the same cache line.

Each cell is in a line of memory. A CPU has a line modified, exclusive, shared with others, or not
at all (MESI). What it has is a hit; what another CPU has must be fetched, and who writes takes the
line away from everybody else. A line serves one CPU at a time, first come first served.

Times are in nanoseconds.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..store import DECLARED, Cell

Access = tuple[str, str]  # a line, and "r" or "w"
OWN = "own"  # a line that nobody else ever touches
Holders = tuple[str, tuple[int, ...]]  # "M" or "E" and one CPU; "S" and several; "I" and none
NOBODY: Holders = ("I", ())


class BadMachine(ValueError):
    """A machine with no CPU, or with an operation that costs less than nothing."""


class Costs(NamedTuple):
    """What takes how long.

    *hit*: reading a line that the CPU has. *locked*: changing one that it has to itself. *near*, *far*: a
    line that a CPU of the same socket, of another one, has. *memory*: one that nobody has. *jitter*: the
    part by which local work varies, at most, up and down. *blocks*: are CPUs of one socket neighbours by
    number, and not seated by turns?
    """

    hit: float = 2.0
    locked: float = 10.0
    near: float = 45.0
    far: float = 112.0
    memory: float = 80.0
    jitter: float = 0.10
    sockets: int = 2
    blocks: bool = False

    def check(self) -> None:
        """Raise BadMachine for a cost of 0 or below."""
        for name in ("hit", "locked", "near", "far", "memory", "sockets"):
            value = getattr(self, name)
            if not value > 0:
                raise BadMachine(f"Costs({name}={value!r}): it must be above 0")
        if not 0 <= self.jitter < 1:
            raise BadMachine(f"Costs(jitter={self.jitter!r}): it must be at least 0 and below 1")


def accesses(operations: Iterable[tuple[Cell, str]], line_of: Callable[[Cell], str | None]) -> list[Access]:
    """Return the reads and writes of lines that *operations* are; *line_of* tells a cell's line, None to leave it out."""
    found: list[Access] = []
    for cell, verb in operations:
        line = line_of(cell)
        if line is None:
            continue
        how = DECLARED[verb].accesses if verb in DECLARED else "w"  # something new is written to
        found += [(line, each) for each in how]
    return found


class Caches:
    """Which CPU has which line, and how: MESI."""

    def __init__(self, cpus: int, costs: Costs | None = None) -> None:
        if cpus < 1:
            raise BadMachine(f"a machine with {cpus} CPUs cannot run anything: give it at least one")
        self.cpus, self.costs = cpus, costs or Costs()
        self.costs.check()
        self.lines: dict[str, Holders] = {}
        self._visits: dict[
            Any, tuple[tuple[tuple[str, Holders], ...], tuple[float, float, int], Holders, Any]
        ] = {}
        self._held: dict[Holders, Holders] = {NOBODY: NOBODY}  # equal ones are one
        self._known: dict[tuple[Holders, int, str], tuple[float, int, Holders]] = {}

    def socket(self, cpu: int) -> int:
        """Return the socket of a CPU: they are seated by turns, 0, 1, 0, 1, … with two sockets; or in blocks."""
        if self.costs.blocks:
            return cpu * self.costs.sockets // self.cpus
        return cpu % self.costs.sockets

    def access(self, cpu: int, line: str, kind: str) -> tuple[float, int]:
        """Let *cpu* read ("r") or write ("w") *line*; return what it costs, and how often the line moved."""
        key = self.lines.get(line, NOBODY), cpu, kind
        found = self._known.get(key)
        if found is None:
            cost, moves, after = self._mesi(*key)
            found = self._known[key] = cost, moves, self._held.setdefault(after, after)
        cost, moves, self.lines[line] = found
        return cost, moves

    def visit(self, cpu: int, visit: tuple[Access, ...], main: str) -> tuple[float, float, int]:
        """Let *cpu* make all accesses of *visit*; return the cost at line *main*, that at others, and all moves."""
        lines = self.lines
        held = lines.get(main, NOBODY)
        key = cpu, id(visit), id(held)  # equal ones are the same here, and kept below
        known = self._visits.get(key)
        if known is not None:
            others, result, after, _ = known
            for line, was in others:
                if lines.get(line) is not was:
                    break
            else:
                lines[main] = after
                return result
        before = {line: lines.get(line, NOBODY) for line, _ in visit}
        at_main = elsewhere = 0.0
        moves = 0
        for line, kind in visit:
            if line == OWN:
                elsewhere += self.costs.hit if kind == "r" else self.costs.locked
                continue
            cost, moved = self.access(cpu, line, kind)
            moves += moved
            if line == main:
                at_main += cost
            else:
                elsewhere += cost
        result = at_main, elsewhere, moves
        others = tuple((line, was) for line, was in before.items() if line not in (main, OWN))
        if main != OWN and all(lines[line] is was for line, was in others):  # only the main line has changed
            self._visits[key] = others, result, lines[main], (visit, held)
        return result

    def _mesi(self, held: Holders, cpu: int, kind: str) -> tuple[float, int, Holders]:
        state, who = held
        mine = cpu in who
        if kind == "r":
            if mine:
                return self.costs.hit, 0, held
            if state == "I":
                return self.costs.memory, 0, ("E", (cpu,))
            return self._distance(cpu, who, nearest=True), 1, ("S", tuple(sorted((*who, cpu))))
        if mine and len(who) == 1:
            return self.costs.locked, 0, ("M", who)
        if state == "I":
            return self.costs.memory, 0, ("M", (cpu,))
        others = tuple(other for other in who if other != cpu)
        return self._distance(cpu, others, nearest=False), 1, ("M", (cpu,))

    def _distance(self, cpu: int, others: Sequence[int], nearest: bool) -> float:
        """Return the time to the nearest one that has the line, who will do to fetch it; or to the farthest, to take it away."""
        ways = [self.costs.near if self.socket(o) == self.socket(cpu) else self.costs.far for o in others]
        return min(ways) if nearest else max(ways)


class Phase(NamedTuple):
    """*times* rounds, each of *work* nanoseconds and then *visit*: accesses to lines.

    A visit waits for the first line in it that is not the CPU's own; what it does there is done in one go.
    """

    name: str
    times: int
    work: float
    visit: tuple[Access, ...]


@dataclass
class Replay:
    """What N CPUs did. Times by phase, in nanoseconds, summed over all CPUs; *moves* of lines by phase."""

    cpus: int
    work: dict[str, float] = field(default_factory=dict)
    waiting: dict[str, float] = field(default_factory=dict)  # for a line that serves somebody else
    served: dict[str, float] = field(default_factory=dict)  # by a line
    moves: dict[str, int] = field(default_factory=dict)
    visits: dict[str, int] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)  # when the CPUs were through, the mean of them
    at: dict[str, float] = field(default_factory=dict)  # time by line, waiting for it included
    served_at: list[tuple[float, float, int, str]] = field(default_factory=list)  # begin, end, CPU, line
    came_at: list[float] = field(default_factory=list)  # for each of those: since when it has waited
    held_at: list[dict[str, Holders]] = field(default_factory=list)  # and who had which line after it

    def at_the_line(self, phase: str) -> float:
        """Return the time that *phase* spent at shared lines: waiting and being served."""
        return self.waiting.get(phase, 0.0) + self.served.get(phase, 0.0)

    @property
    def whole(self) -> float:
        """Return all time of all CPUs."""
        return sum(sum(part.values()) for part in (self.work, self.waiting, self.served))

    def share(self, phase: str) -> float:
        """Return the part of all time that *phase* spent at shared lines."""
        return self.at_the_line(phase) / self.whole if self.whole else 0.0


def replay(
    phases: Sequence[Phase],
    cpus: int,
    costs: Costs | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    keep: bool = False,
) -> Replay:
    """Let *cpus* CPUs do *phases* at once, each all of them.

    Local work varies by the jitter, from *seed*: without it the order in which the CPUs come freezes.
    *keep* writes every service down. Deterministic. Raises BadMachine for 0 CPUs, and for costs of 0 or below.
    """
    caches, result = Caches(cpus, costs), Replay(cpus)
    for phase in phases:
        if phase.work < 0 or phase.times < 0:
            raise BadMachine(f"{phase.name}: {phase.times} times {phase.work} ns: neither can be below 0")
    plans = [phase for phase in phases if phase.times]
    if not plans:
        return result
    draw, jitter = random.Random(seed).random, caches.costs.jitter
    base, spread = 1 - jitter, 2 * jitter
    at, left = [0] * cpus, [plans[0].times] * cpus
    free: dict[str, float] = {}
    lines = [next((line for line, _ in phase.visit if line != OWN), OWN) for phase in plans]
    totals = [[0.0] * 5 for _ in plans]  # work, waiting, served, end; and of what was served, at other lines
    moves = [0] * len(plans)
    total, done = cpus * sum(phase.times for phase in plans), 0
    heap: list[tuple[float, int]] = []
    for cpu in range(cpus):
        work = plans[0].work * (base + spread * draw())
        totals[0][0] += work
        heap.append((work, cpu))
    heapq.heapify(heap)
    serve, replace = caches.visit, heapq.heapreplace
    while heap:
        now, cpu = heap[0]
        k = at[cpu]
        visit, sums, line = plans[k].visit, totals[k], lines[k]
        if visit:
            begin, came = free.get(line, 0.0), now
            if begin > now:
                sums[1] += begin - now
            else:
                begin = now
            cost, elsewhere, moved = serve(cpu, visit, line)
            moves[k] += moved
            if line != OWN:
                free[line] = begin + cost
            sums[2] += cost + elsewhere
            sums[4] += elsewhere
            now = begin + cost + elsewhere
            if keep and line != OWN:
                result.served_at.append((begin, begin + cost, cpu, line))
                result.came_at.append(came)
                result.held_at.append(dict(caches.lines))
        done += 1
        if progress is not None and done % 65536 == 0:
            progress(done, total)
        left[cpu] -= 1
        if not left[cpu]:
            sums[3] += now
            k += 1
            if k == len(plans):
                heapq.heappop(heap)
                continue
            at[cpu], left[cpu], sums = k, plans[k].times, totals[k]
        work = plans[k].work * (base + spread * draw())
        sums[0] += work
        replace(heap, (now + work, cpu))
    if progress is not None:
        progress(total, total)
    for phase, main, sums, moved in zip(plans, lines, totals, moves, strict=True):
        work, waiting, served, end, elsewhere = sums
        other = next((line for line, _ in phase.visit if line != main), OWN)  # of several, it stands for all
        result.at[main] = result.at.get(main, 0.0) + waiting + served - elsewhere
        result.at[other] = result.at.get(other, 0.0) + elsewhere
        result.work[phase.name] = work
        result.waiting[phase.name], result.served[phase.name] = waiting, served
        result.moves[phase.name], result.visits[phase.name] = moved, phase.times * cpus
        result.ended[phase.name] = end / cpus
    return result


def closed_form(cpus: int, work: float, service: float) -> float:
    """Return how long a round takes without jitter: W + S, or N·S once the line is never free."""
    return max(work + service, cpus * service)


def lines_by_cell(cells: Mapping[Cell, str]) -> Callable[[Cell], str | None]:
    """Return the line of each cell in *cells*; all others are a CPU's own, and part of its local work."""
    return cells.get
