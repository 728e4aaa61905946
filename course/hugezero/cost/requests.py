"""Many CPUs that send requests to disks at once, each to its own: what do their references cost?

What a kernel does to shared lines, when it sends a request and when that is through, is recorded once
and then replayed, as in contention.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..machine import Kernel
from ..scenario.storage import DiskWorks, WithDisk, Zeroout
from .cacheline import Access, Costs, Phase, Replay, accesses, replay
from .contention import line_of

SECTORS = 256  # of a request: 128 KiB
REQUESTS = 2000  # that each CPU sends
PAGES = 1 << 12  # of the machine on which a request is recorded


class Work(NamedTuple):
    """What a CPU does by itself for a request, in nanoseconds: to send it, and when it is through.

    These are assumed, not measured: nobody has published them.
    """

    send: float = 1500.0
    end: float = 1000.0


class Request(NamedTuple):
    """The accesses to shared lines of one request: when it is sent, and when it is through."""

    send: tuple[Access, ...]
    end: tuple[Access, ...]

    @property
    def writes(self) -> int:
        """Return how often a line is written to that all CPUs share."""
        return sum(kind == "w" for _, kind in (*self.send, *self.end))


def one_request(kernel: Kernel, **config: Any) -> Request:
    """Return what *kernel* does to shared lines for one request of 128 KiB that is not the first."""
    simulated = WithDisk(kernel, pages=PAGES, **config)
    simulated.run([Zeroout(0, SECTORS), DiskWorks()])
    log: Any = simulated.machine.log
    found = []
    for action in (Zeroout(0, SECTORS), DiskWorks()):
        start = len(log)
        simulated.do(action)
        found.append(tuple(accesses([(row.cell, row.verb) for row in log[start:]], line_of)))
    return Request(*found)


def flood(
    request: Request,
    cpus: int,
    requests: int = REQUESTS,
    work: Work | None = None,
    costs: Costs | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Replay:
    """Let *cpus* CPUs send *requests* each, all at once, and then see them through."""
    work = work or Work()
    phases = [
        Phase("send", requests, work.send, request.send),
        Phase("end", requests, work.end, request.end),
    ]
    return replay(phases, cpus, costs, seed, progress)


def rate(found: Replay, requests: int = REQUESTS) -> float:
    """Return the requests a microsecond of all CPUs together."""
    return found.cpus * requests / found.ended["end"] * 1000
