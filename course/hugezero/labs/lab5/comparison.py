"""Five designs on the same programs: what each one costs, computed from the kernels themselves."""

from __future__ import annotations

import inspect
import sys
from types import CodeType, FrameType
from typing import Any, NamedTuple

from ...cost.contention import CPUS, PART, TOUCHES, bouncing, recorded
from ...explore.replay import given
from ...explore.search import explore
from ...explore.threads import Thread, calls
from ...hw.ram import PAGE_SIZE, PMD_SIZE
from ...mm.fault import handle_mm_fault
from ...mm.huge_memory import HUGE_ZERO
from ...mm.mm_types import Mm
from ...mm.shrinker import shrink_slab
from ...scenario import DropCaches, Exit, Fork, Munmap, Read, Write
from ..fixtures import small
from ..process import Process
from .designs import PAGES, READS, Design

LIFE = [
    Read("a"),
    Write("a", PMD_SIZE),
    Read("a", 2 * PMD_SIZE),
    Write("a", 2 * PMD_SIZE),
    Read("a", 3 * PMD_SIZE),
    Munmap("a", 3 * PMD_SIZE, PAGE_SIZE),
    Fork("child"),
    Exit("child"),
    Munmap("a"),
    Exit(),
    DropCaches(),
]  # everything that can happen to zeroes, once


class Measured(NamedTuple):
    """What one design costs. Memory in KiB; for the others see ROWS."""

    faults: int
    rss: int
    tables: int
    writes: float
    share: float
    asleep: int
    left: int
    at_rest: int
    without_mm: int
    comes: str
    goes: str
    lines: int
    first: int
    later: int
    states: int


ROWS: dict[str, str] = {
    "faults": "faults to read 64 MiB",
    "rss": "RSS then, KiB",
    "tables": "page tables then, KiB",
    "writes": "writes to a shared line, each 2 MiB",
    "share": f"time spent at shared lines, {CPUS} CPUs, %",
    "asleep": "held before anybody reads, KiB",
    "left": "held when the last reader has gone, KiB",
    "at_rest": "held when memory has been tight, KiB",
    "without_mm": "zeroes for code without an mm, KiB",
    "comes": "the page comes",
    "goes": "the page goes",
    "lines": "lines of code that deal with zeroes",
    "first": "operations, first fault",
    "later": "operations, a later fault",
    "states": "states: two readers and memory that is tight",
}


def measure(design: Design) -> Measured:
    """Run everything on one design."""
    read = design.simulated()
    read.run(design.program(Read("a", 0, READS)))
    main, stat = read.mms["main"], read.machine.vmstat()
    what, touches = recorded(design.kernel), TOUCHES // PART
    replay = bouncing(what)
    lines = sum(replay.at_the_line(phase) for phase in replay.work)
    writes = [sum(kind == "w" and line != "own" for line, kind in visit) for visit in what]
    each = writes[0] + writes[1] * (touches - 1) + writes[2] * touches + writes[3]
    held = _held(design)
    return Measured(
        read.machine.peek((main, "min_flt")), read.machine.peek((main, "rss")) * 4, stat["nr_page_table_pages"] * 4,
        each / touches, 100 * lines / replay.whole, *held[:3], _without_mm(design), *_lifetime(design, held),
        _lines(design), *_operations(design), states(design).states,
    )  # fmt: skip


def _held(design: Design) -> tuple[int, int, int]:
    """KiB that are in use before the first reader, after the last one, and when memory was tight then."""
    simulated = design.simulated()
    births, zero_page = simulated.machine.births, 4

    def now() -> int:
        return zero_page + 4 * (PAGES - births.nr_free_pages)

    asleep = now()
    simulated.run(design.program(Read("a"), Exit()))
    left = now()
    simulated.run([DropCaches()])
    return asleep, left, now()


def _without_mm(design: Design) -> int:
    """The largest page of zeroes that nobody has to hold: KiB."""
    simulated = design.simulated()
    folio = simulated.machine.peek((HUGE_ZERO, "folio"))
    simulated.run([DropCaches()])
    stays = folio is not None and simulated.machine.peek((folio, "state")) == "live"
    return folio.nr_pages * 4 if stays else 4


def _lifetime(design: Design, held: tuple[int, int, int]) -> tuple[str, str]:
    if held[1] == 4:
        return "at boot", "never"
    simulated = design.simulated()

    def folio() -> bool:
        return simulated.machine.peek((HUGE_ZERO, "folio")) is not None

    comes = "at boot" if folio() else "with the first reader"
    simulated.run(design.program(Read("a"), Munmap("a"), DropCaches()))
    if not folio():
        return comes, "when nobody maps it"
    simulated.run([Exit(), DropCaches()])
    return comes, "never" if folio() else "when all its readers have ended"


def _lines(design: Design) -> int:
    """Lines of code of the kernel's functions that run in a program's life, without what explains them."""
    own = {f.__code__ for f in design.kernel.functions.values() if inspect.isfunction(f)}
    seen: set[CodeType] = set()

    def called(frame: FrameType, event: str, arg: object) -> None:
        if frame.f_code in own:
            seen.add(frame.f_code)

    settrace: Any = sys.settrace
    before = sys.gettrace()
    settrace(called)
    try:
        design.simulated().run(design.program(*LIFE))
    finally:
        settrace(before)
    return sum(map(_length, seen))


def _length(code: CodeType) -> int:
    """Return how many lines of *code* do something; its text may be gone, as that of a notebook that was read is."""
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    return len({line for *_, line in code.co_lines() if line}) + sum(map(_length, inner))


def _operations(design: Design) -> tuple[int, int]:
    """Operations on the machine in the first fault for zeroes, and in the next one of the same process."""
    simulated = design.simulated(log=True)
    simulated.run(design.program())
    found = []
    for offset in (0, PMD_SIZE):
        start = len(simulated.machine.log or ())
        simulated.run([Read("a", offset)])
        found.append(len(simulated.machine.log or ()) - start)
    return found[0], found[1]


def _fault(mm: Mm, address: int) -> str:
    return handle_mm_fault(mm, address, False)


def states(design: Design) -> Any:
    """Two processes read 2 MiB each for the first time and end, while the shrinkers are asked: every schedule of that."""
    with design.kernel.booted(pages=8 * 512) as machine:
        readers = [Process(mapped=False) for _ in range(2)]
    functions = {name: given(f) for name, f in design.kernel.functions.items()}
    functions |= {"a fault": given(_fault), "shrink_slab": given(shrink_slab)}

    def process(one: Process) -> Thread:
        return calls("reader", ("a fault", one.mm, one.at), ("__mmput", one.mm))

    tight = calls("shrinker", ("shrink_slab",))
    return explore(functions, [*map(process, readers), tight], small(machine.cells))
