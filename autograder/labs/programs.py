"""Generated user programs, and the promise that two kernels cannot be told apart by any of them."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from hugezero.check.checks import CodeRaised, Failed, expect
from hugezero.hw.ram import PAGE_SIZE
from hugezero.machine import Kernel
from hugezero.mm.huge_memory import HPAGE_PMD_NR
from hugezero.scenario import (
    Action,
    DropCaches,
    Exec,
    Exit,
    Fork,
    Madvise,
    Mmap,
    Mprotect,
    Munmap,
    Read,
    Simulated,
    Thread,
    Write,
    in_words,
)
from hugezero.scenario.compare import first_difference
from hugezero.store import KernelBug
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

EXAMPLES = int(os.environ.get("HUGEZERO_EXAMPLES", "200"))
PAGES = 6  # of the largest area
FRAMES = HPAGE_PMD_NR // 2  # beside the huge ones, so that page tables never break one up
SCARCE, AMPLE = 2 * HPAGE_PMD_NR + FRAMES, 16 * HPAGE_PMD_NR + FRAMES  # pages


def functions_of(*labs: ModuleType) -> dict[str, Callable[..., Any]]:
    """A kernel's functions when the solutions of these *labs* are in: a later one takes the place of an earlier one."""
    return {name: f for lab in labs for name, f in vars(lab).items() if inspect.isfunction(f)}


@st.composite
def programs(
    draw: Any, fork: bool = True, size: int = 10, huge: bool = False, drop: bool = False
) -> list[Action]:
    """Up to *size* actions on up to three areas and four processes, all of which exist.

    With *huge*, areas may be larger than 2 MiB, and may be advised to use huge pages; with *drop*, memory
    that could be given back is asked for now and then.
    """
    actions: list[Action] = []
    areas: list[str] = []
    alive = ["main"]
    kinds = ["mmap", "read", "read", "write", "write", "write", "munmap", "mprotect", "dontneed"]
    kinds += ["fork", "fork", "thread", "exec", "exit"] if fork else []
    kinds += ["advise", "advise"] if huge else []
    kinds += ["drop", "drop"] if drop else []
    pages = st.integers(1, PAGES) | st.sampled_from([512, 515, 1024]) if huge else st.integers(1, PAGES)
    starts = st.integers(0, PAGES - 1) | st.sampled_from([511, 512]) if huge else st.integers(0, PAGES - 1)
    for n in range(draw(st.integers(2, size))):
        kind = draw(st.sampled_from(kinds)) if areas else "mmap"
        by = draw(st.sampled_from(alive)) if alive else None
        if by is None:
            break
        if kind == "mmap":
            if len(areas) == 3:
                continue
            shared, data = draw(
                st.sampled_from([(False, None)] * 4 + [(True, None), (False, b"in a file" * 600)])
            )
            areas.append(f"a{n}")
            actions.append(Mmap(areas[-1], draw(pages) * PAGE_SIZE, shared, data, by))
            continue
        area = draw(st.sampled_from(areas))
        at = draw(starts) * PAGE_SIZE
        length = draw(pages) * PAGE_SIZE
        if kind == "read":
            actions.append(Read(area, at, length, by=by))
        elif kind == "write":
            offset = at + draw(st.sampled_from([0, 5, PAGE_SIZE - 1]))
            data = bytes([draw(st.integers(1, 9))]) * draw(st.sampled_from([1, 3]))
            actions.append(Write(area, offset, data, draw(st.sampled_from([0, length])), by=by))
        elif kind == "munmap":
            actions.append(Munmap(area, at, length, by))
        elif kind == "mprotect":
            actions.append(Mprotect(area, draw(st.booleans()), at, length, by))
        elif kind == "dontneed":
            actions.append(Madvise(area, "dontneed", at, length, by))
        elif kind == "advise":
            actions.append(Madvise(area, draw(st.sampled_from(["hugepage"] * 3 + ["nohugepage"])), by=by))
        elif kind == "drop":
            actions.append(DropCaches(by=by))
        elif kind == "exec":
            actions.append(Exec(by))
        elif kind == "exit":
            actions.append(Exit(by))
            alive.remove(by)
        else:
            alive.append(f"p{n}")
            actions.append(Fork(alive[-1], by) if kind == "fork" else Thread(alive[-1], by))
    return actions


@st.composite
def huge_programs(draw: Any, size: int = 9) -> list[Action]:
    """Up to *size* actions on one or two areas that may use huge pages, by up to three processes, and memory that gets tight."""
    lengths = st.sampled_from([512, 512, 700, 1024])
    actions: list[Action] = []
    areas: dict[str, int] = {}
    alive = ["main"]
    kinds = ["read"] * 4 + ["write"] * 2 + ["dontneed", "dontneed", "munmap", "mprotect", "fork", "fork"]
    kinds += ["exit", "exit", "exec", "thread", "map"] + ["drop"] * 3
    for n in range(draw(st.integers(2, size))):
        if not alive:
            break
        by = draw(st.sampled_from(alive))
        kind = draw(st.sampled_from(kinds)) if areas else "map"
        if kind == "map":
            if len(areas) < 2:
                area = f"a{n}"
                areas[area] = draw(lengths)
                actions += [Mmap(area, areas[area] * PAGE_SIZE, by=by), Madvise(area, "hugepage", by=by)]
            continue
        area = draw(st.sampled_from(sorted(areas)))
        at = (
            draw(st.sampled_from([page for page in (0, 0, 1, 511, 512, 600) if page < areas[area]]))
            * PAGE_SIZE
        )
        whole = draw(st.booleans())
        part: tuple[int, int] = (0, 0) if whole else (at, draw(st.sampled_from([1, 2, 512])) * PAGE_SIZE)
        if kind == "read":
            step = 512 * PAGE_SIZE
            actions.append(
                Read(area, 0, areas[area] * PAGE_SIZE, step, by) if whole else Read(area, at, by=by)
            )
        elif kind == "write":
            actions.append(Write(area, at, bytes([n + 1]), by=by))
        elif kind == "dontneed":
            actions.append(Madvise(area, "dontneed", *part, by=by))
        elif kind == "munmap":
            actions.append(Munmap(area, *part, by=by))
        elif kind == "mprotect":
            actions.append(Mprotect(area, draw(st.booleans()), *part, by=by))
        elif kind == "drop":
            actions.append(DropCaches(draw(st.sampled_from([2, 2, 3, 1])), by))
        elif kind == "exec":
            actions.append(Exec(by))
        elif kind == "exit":
            actions.append(Exit(by))
            alive.remove(by)
        elif len(alive) < 3:
            alive.append(f"p{n}")
            actions.append(Fork(alive[-1], by) if kind == "fork" else Thread(alive[-1], by))
    return actions


def told(scenario: list[Action]) -> tuple[str, ...]:
    """A scenario as the lines of a message."""
    return tuple(in_words(action) for action in scenario)


def look_alike(kernel: Kernel, reference: Kernel, scenario: list[Action], **config: Any) -> None:
    """Fail unless *kernel* and *reference* show the same to *scenario*."""
    story = "this program shows it: " + ", ".join(told(scenario))
    try:
        got = Simulated(kernel, **config).run(scenario)
    except KernelBug as bug:
        raise Failed(f"kernel bug: {bug}", story) from None
    except CodeRaised as raised:
        raise Failed(str(raised), story) from None
    difference = first_difference(got, Simulated(reference, **config).run(scenario))
    if difference:
        raise Failed(difference, story)


def huge_alike(kernel: Kernel, reference: Kernel, count: int = 100) -> None:
    """No generated program, on a large machine or on a small one, sees anything else than on the reference."""
    examples = st.tuples(huge_programs(), st.sampled_from([SCARCE, AMPLE]))
    always(lambda one: look_alike(kernel, reference, one[0], pages=one[1], log=False), examples, count)


def all_comes_back(kernel: Kernel, program: list[Action], when: str, **config: Any) -> None:
    """At the end of *program*, which is *when* its processes have ended, no frame is missing."""
    left = -Simulated(kernel, **config).run(program)[-1].vmstat["nr_free_pages"]
    expect(left == 0, f"{when}, and {left} frames did not come back")


def always(promise: Callable[[Any], None], examples: st.SearchStrategy[Any], count: int = EXAMPLES) -> None:
    """Keep *promise* for *count* generated examples, the same ones each time; fail with the smallest that breaks it."""

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(examples)
    def keep(example: Any) -> None:
        promise(example)

    try:
        keep()
    except Flaky:
        raise Failed(
            "it acts differently when it is run again with the same arguments on the same machine",
            "is there anything that your function keeps from one call to the next?",
        ) from None
