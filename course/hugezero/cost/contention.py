"""The experiment of 2016: many processes read memory at once, and count on one cache line.

What a kernel does to shared cells is recorded, once for each case, and then replayed on many CPUs.

Linux: 6fcb52a56ff6
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ..hw.ram import PMD_SIZE
from ..machine import Kernel
from ..mm.huge_memory import HUGE_ZERO
from ..mm.mm_types import Mm
from ..scenario.actions import Exit, Fork, Madvise, Mmap, Read
from ..scenario.simulated import Simulated
from ..store import Cell
from .cacheline import OWN, Access, BadMachine, Costs, Phase, Replay, accesses, replay

TOUCHES = 51_200  # 100 GiB, one byte in each 2 MiB
CPUS = 72
PART = 16  # a sixteenth of the experiment is replayed where nobody says how much


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
    """Let *kernel* read three huge pages, forget one of them, and end; return what it did to lines each time.

    Another process has read before it, and lives: of many processes only one brings the page.
    """
    simulated = Simulated(kernel)
    log: Any = simulated.machine.log
    found = []
    simulated.run([Mmap("a", 3 * PMD_SIZE), Madvise("a", "hugepage"), Fork("before"), Read("a", by="before")])
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
    """Return the phases of one process: it faults *touches* times, takes everything away again, and ends."""
    if touches < 1 or local.batch < 1:
        raise BadMachine(f"{touches} touches, {local.batch} entries in a batch: both must be 1 or more")
    if local.fault <= 0 or local.unmap <= 0:
        raise BadMachine(f"{local}: a fault, and an unmap, take more than no time")
    batches = max(1, touches // local.batch)
    return [
        Phase("first fault", 1, local.fault, what.first_fault),
        Phase("fault", touches - 1, local.fault, what.later_fault),
        Phase("unmap", batches, local.unmap * touches / batches, what.unmap * min(local.batch, touches)),
        Phase("exit", 1, 0.0, what.exit),
    ]


def bouncing(
    kernel: Kernel | Recorded,
    cpus: int = CPUS,
    part: int = PART,
    local: Local | None = None,
    costs: Costs | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Replay:
    """Let *cpus* processes, one on each CPU, touch 100 GiB each; or a *part*-th of it, which changes ratios little."""
    what = recorded(kernel) if isinstance(kernel, Kernel) else kernel
    local = local or Local()
    if part < 1:
        raise BadMachine(f"part={part}: 1 is the whole experiment, 16 a sixteenth of it")
    return replay(phases(what, local, TOUCHES // part), cpus, costs, seed, progress)


def sweep(kernel: Kernel | Recorded, cpus: Iterable[int], part: int = 256, **more: Any) -> dict[int, Replay]:
    """Do the same on machines with so many CPUs."""
    what = recorded(kernel) if isinstance(kernel, Kernel) else kernel
    return {each: bouncing(what, each, part, **more) for each in cpus}


def throughput(found: Replay) -> float:
    """Return how many faults all CPUs together deal with while they read, in millions a second."""
    faults = found.visits["first fault"] + found.visits.get("fault", 0)
    return faults * 1e3 / found.ended.get("fault", found.ended["first fault"])


def knee(found: Replay) -> float:
    """Return with how many CPUs a line is never free: work and service of a fault, over the service.

    Infinite where faults share no line that they write to, and where there is only one CPU.
    """
    moved = found.moves.get("fault", 0) > found.visits.get("fault", 0) / 2
    return 1 + found.work["fault"] / found.served["fault"] if moved else float("inf")


class Shares(NamedTuple):
    """Where the time of all CPUs went, in parts of all; and when reading, and everything, was through, in ns.

    *first*: the part of get in which every process is at its first fault. *touches* of each process.
    """

    get: float
    fault: float
    unmap: float
    put: float
    read: float
    life: float
    first: float
    touches: int

    @property
    def whole_life(self) -> float:
        """Return how long a process of the whole experiment would live, in milliseconds."""
        return self.life * TOUCHES / self.touches / 1e6


def shares(found: Replay) -> Shares:
    """Return what became of the time, as a profile would show it."""
    whole, work = found.whole, found.work
    return Shares(
        (found.at_the_line("first fault") + found.at_the_line("fault")) / whole,
        (work["first fault"] + work.get("fault", 0.0)) / whole,
        (work["unmap"] + work["exit"]) / whole,
        (found.at_the_line("unmap") + found.at_the_line("exit")) / whole,
        found.ended.get("fault", found.ended["first fault"]),
        found.ended["exit"],
        found.at_the_line("first fault") / whole,
        (found.visits["first fault"] + found.visits.get("fault", 0)) // found.cpus,
    )


class Published(NamedTuple):
    """What the commit message says of 72 processes: see PUBLISHED."""

    get_before: float
    get_after: float
    reading_before: int  # throughput
    reading_after: int
    life_before: int  # microseconds
    life_after: int


PUBLISHED = Published(0.5403, 0.0011, 1784430792, 4726928591, 707592, 303970)  # 6fcb52a56ff6

FITTED = (
    ("work of a fault", f"{Local().fault:,.0f} ns", "fitted to the share of get, 54.03 %"),
    (
        "work of an unmap",
        f"{Local().unmap / Local().fault:.2f} of a fault",
        "worked out from all three numbers",
    ),
    (
        "a locked operation on one's own line",
        f"{Costs().locked:.0f} ns",
        "fitted to the share of put, 3.0 %, which was worked out as well",
    ),
    (
        "a move within a socket, and across",
        f"{Costs().near:.0f} and {Costs().far:.0f} ns",
        "a plausible machine",
    ),
    ("references given back at once", f"{Local().batch}", "a plausible kernel"),
    ("jitter of the work", f"{Costs().jitter:.0%}", "without it the order of the CPUs freezes"),
)


def amdahl(share: float) -> float:
    """Return how much faster it can get at most if *share* of the time goes to nothing."""
    return 1 / (1 - share)


def side_by_side(old: Shares, new: Shares) -> str:
    """Return what the model says, beside what was published, and what one could have said from 54.03 % alone.

    Each row says whether the model was *fitted* to it, whether it *follows* from what was fitted, or is *predicted*.
    """
    p = PUBLISHED
    bound = f"{amdahl(p.get_before):.2f} ×"
    before, after = p.life_before / 1e3, p.life_after / 1e3  # milliseconds
    rows = [
        ("", "54.03 % alone", "the model", "published", "which was"),
        ("get, with each entry counted", "", f"{old.get:.2%}", f"{p.get_before:.2%}", "fitted"),
        ("get, with each mm counted", "0 %", f"{new.get:.2%}", f"{p.get_after:.2%}", "predicted"),
        ("reading only, times as fast", bound, f"{old.read / new.read:.2f} ×", f"{p.reading_after / p.reading_before:.2f} ×", "follows"),
        ("a whole life, times as fast", bound, f"{old.life / new.life:.2f} ×", f"{before / after:.2f} ×", "follows"),
        ("a life, each entry counted", "", f"{old.whole_life:.1f} ms", f"{before:.1f} ms", "predicted"),
        ("a life, each mm counted", "", f"{new.whole_life:.1f} ms", f"{after:.1f} ms", "predicted"),
    ]  # fmt: skip
    told = [f"{a:<30}{b:>14}{c:>12}{d:>12}  {e}" for a, b, c, d, e in rows]
    replayed = f"Replayed: {new.touches:,} of the {TOUCHES:,} touches of each process."
    first = f"Of the {new.get:.2%}, {new.first:.2%} are the first faults of all processes, in a crowd."
    fitted = [f"{name}: {value} ({source})" for name, value, source in FITTED]
    return "\n".join(
        [*told, "", replayed, first, "", "What the model was given:", *(f"  {line}" for line in fitted)]
    )
