"""The experiment of 2016: many processes read memory at once, and count on one cache line.

What a kernel does to shared cells is recorded, once for each case, and then replayed on many CPUs.

Linux: 6fcb52a56ff6
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..hw.cacheline import OWN, Access, Costs, Phase, Replay, accesses, replay
from ..hw.ram import PMD_SIZE
from ..machine import Kernel
from ..mm.huge_memory import HUGE_ZERO
from ..mm.mm_types import Mm
from ..store import Cell
from .actions import Exit, Madvise, Mmap, Read
from .simulated import Simulated

TOUCHES = 51_200  # 100 GiB, one byte in each 2 MiB
CPUS = 72


class Local(NamedTuple):
    """Work that a CPU does by itself, in nanoseconds.

    *fault*: one page fault. *unmap*: taking one huge entry away. *batch*: entries that are taken away
    before their references are given back, all at once.
    """

    fault: float = 4300.0
    unmap: float = 0.31 * 4300.0
    batch: int = 5


class Recorded(NamedTuple):
    """What one process does to lines that matter: the accesses of each case."""

    first_fault: tuple[Access, ...]
    later_fault: tuple[Access, ...]
    unmap: tuple[Access, ...]
    exit: tuple[Access, ...]


def line_of(cell: Cell) -> str | None:
    """Each cell of the huge zero folio is in a line of its own; so is an mm's flag, and that is the CPU's own."""
    handle, field = cell
    if handle is HUGE_ZERO:
        return str(field)
    if isinstance(handle, Mm) and field == "huge_zero":
        return OWN
    return None  # what else a fault touches is part of its local work


def recorded(kernel: Kernel) -> Recorded:
    """Let *kernel* read three huge pages, forget one of them, and end; gives what it did to lines each time."""
    simulated = Simulated(kernel)
    log: Any = simulated.machine.log
    found = []
    simulated.run([Mmap("a", 3 * PMD_SIZE), Madvise("a", "hugepage")])
    for action in (
        Read("a"),
        Read("a", PMD_SIZE),
        Read("a", 2 * PMD_SIZE),
        Madvise("a", "dontneed", 2 * PMD_SIZE, PMD_SIZE),
        Madvise("a", "dontneed", 0, 2 * PMD_SIZE),
        Exit(),
    ):
        start = len(log)
        simulated.do(action)
        found.append(tuple(accesses([(row.cell, row.verb) for row in log[start:]], line_of)))
    first, later, _, unmap, _, end = found
    return Recorded(first, later, unmap, end)


def phases(what: Recorded, local: Local, touches: int) -> list[Phase]:
    """One process: it faults *touches* times, takes everything away again, and ends."""
    batches = max(1, touches // local.batch)
    return [
        Phase("first fault", 1, local.fault, what.first_fault),
        Phase("fault", touches - 1, local.fault, what.later_fault),
        Phase("unmap", batches, local.unmap * touches / batches, what.unmap * local.batch),
        Phase("exit", 1, 0.0, what.exit),
    ]


def bouncing(
    kernel: Kernel | Recorded,
    cpus: int = CPUS,
    part: int = 16,
    local: Local | None = None,
    costs: Costs | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Replay:
    """*cpus* processes, one on each CPU, touch 100 GiB each; or a *part*-th of it, which changes ratios little."""
    what = recorded(kernel) if isinstance(kernel, Kernel) else kernel
    local = local or Local()
    return replay(phases(what, local, TOUCHES // part), cpus, costs, seed, progress)


class Shares(NamedTuple):
    """Where the time of all CPUs went, in parts of all; and when reading, and everything, was through, in ns."""

    get: float
    fault: float
    unmap: float
    put: float
    read: float
    life: float


def shares(found: Replay) -> Shares:
    """What became of the time, as a profile would show it."""
    whole = found.whole
    return Shares(
        (found.at_the_line("first fault") + found.at_the_line("fault")) / whole,
        (found.work["first fault"] + found.work["fault"]) / whole,
        (found.work["unmap"] + found.work["exit"]) / whole,
        (found.at_the_line("unmap") + found.at_the_line("exit")) / whole,
        found.ended["fault"],
        found.ended["exit"],
    )
