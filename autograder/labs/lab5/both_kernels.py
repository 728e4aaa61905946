"""Programs, and searches, on kernels that were built with the option and on others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hugezero.check.checks import expect_equal
from hugezero.check.schedules import every_schedule
from hugezero.explore.state import Peek
from hugezero.explore.threads import Thread, calls
from hugezero.hw.ram import FROZEN_ZEROES, PMD_SIZE
from hugezero.labs.actors import shrinker
from hugezero.labs.fixtures import COUNT, idle_folio
from hugezero.labs.lab5.check_folio import MM_PUT
from hugezero.labs.laws import counted
from hugezero.machine import Kernel
from hugezero.mm.huge_memory import HUGE_ZERO
from hugezero.mm.mm_types import Mm
from hugezero.mm.page_alloc import ZERO_PAGE
from hugezero.mm.printk import CONFIG
from hugezero.scenario import (
    Action,
    DropCaches,
    Exec,
    Exit,
    Fork,
    Madvise,
    Mmap,
    Munmap,
    Read,
    Simulated,
    Write,
)
from hugezero.store import Cell

from ..programs import look_alike, programs_look_alike
from .programs import PROGRAMS

REFERENCE = PROGRAMS.reference
MACHINE: dict[str, Any] = {"pages": 1 << 14, "log": False}
OPTION: Cell = (CONFIG, "PERSISTENT_HUGE_ZERO_FOLIO")
MM = Mm(1)

# whole kernels, of both kinds

LIFE: list[Action] = [
    Mmap("a", 2 * PMD_SIZE),
    Madvise("a", "hugepage"),
    Read("a", 0, 2 * PMD_SIZE, PMD_SIZE),
    DropCaches(),
    Fork("child"),
    Munmap("a"),
    DropCaches(),
    Write("a", PMD_SIZE, b"x", by="child"),
    Exec(),
    DropCaches(),
    Exit("child"),
    DropCaches(),
    Mmap("c", PMD_SIZE),
    Madvise("c", "hugepage"),
    Read("c"),
    Exit(),
    DropCaches(),
]


BUILDS: list[dict[str, Any]] = [
    {"persistent_huge_zero_folio": True},
    {"persistent_huge_zero_folio": False},
    {"persistent_huge_zero_folio": True, "fail": frozenset({0})},  # there was no memory for it at boot
]


def as_the_reference(kernel: Kernel) -> None:
    """No program sees anything else than on the reference, whatever was booted."""
    for config in BUILDS:
        look_alike(kernel, REFERENCE, LIFE, **MACHINE, **config)
    programs_look_alike(kernel, PROGRAMS)


def held_at_the_end(kernel: Kernel) -> None:
    """When everybody has gone and memory is tight, what is left is the persistent folio, or nothing."""
    for config in BUILDS:
        found = Simulated(kernel, pages=1 << 14, **config)
        found.run(LIFE)
        left = found.machine.births.pgalloc - found.machine.births.pgfree
        right = 512 if found.machine.at_boot.get((HUGE_ZERO, "folio")) else 0
        expect_equal("everybody has gone and memory is tight: the number of frames held", left, right)


# searches


def persistent() -> dict[Cell, Any]:
    """A small machine that keeps the folio: the kernel holds it, and nobody else counts."""
    return {**idle_folio(), COUNT: 2, OPTION: True}


def held_by(users: int) -> Callable[[Peek], str | None]:
    """When all is done: the count is that of boot where the folio is kept, and else there is one for each of *users*."""
    told = "the count is {count}; it should be {wanted}"
    return lambda peek: counted(peek, 1 if peek(OPTION) else users, told)


def in_each(kernel: Kernel, machines: Iterable[dict[Cell, Any]], *threads: Thread, **more: Any) -> object:
    """*threads* under every schedule on each of *machines*; where the folio may go, with the shrinker beside them."""
    for cells in machines:
        shrinkers = [] if OPTION in cells else [shrinker()]
        found = every_schedule(kernel, [*threads, *shrinkers], cells, **more)
    return found


ZEROES_THERE: dict[Cell, Any] = {(ZERO_PAGE, "state"): "reserved", (ZERO_PAGE, "data"): FROZEN_ZEROES}
LEAVES = calls("process", (MM_PUT, MM))


def in_use() -> dict[Cell, Any]:
    """A small machine without the option, where one process holds the folio."""
    return {**idle_folio(), COUNT: 2, (MM, "huge_zero"): True}
