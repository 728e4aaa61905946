"""Programs written by hand, about one function of huge pages each: what was true in lab 2 is true in every later lab."""

from __future__ import annotations

from collections.abc import Iterator

from hugezero.hw.ram import PAGE_SIZE, PMD_SIZE
from hugezero.machine import Kernel
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
    Thread,
    Write,
)

from .failing import survives
from .programs import AMPLE, Suite, all_comes_back, look_alike, programs_look_alike

Programs = Iterator[list[Action]]
PAGES = 1 << 14
AREA: list[Action] = [
    Mmap("a", 3 * PMD_SIZE),
    Madvise("a", "hugepage"),
    Write("a"),
]  # which has an anon_vma, early or late
EVERYBODY = ("main", "child", "grandchild")
BOTH: list[Action] = [Fork("child"), Fork("grandchild", "child")]


A_LIFE: list[Action] = [
    Mmap("a", 3 * PMD_SIZE),
    Madvise("a", "hugepage"),
    Read("a", 0, 2 * PMD_SIZE, PMD_SIZE),
    Write("a", 2 * PMD_SIZE, b"w"),
    Fork("child"),
    Read("a", 2 * PMD_SIZE, by="child"),
    Write("a", 8, b"x", by="child"),
    Read("a", by="child"),
    Munmap("a", PMD_SIZE, PAGE_SIZE),
    Read("a", PMD_SIZE + PAGE_SIZE, 2 * PAGE_SIZE),
    Exit("child"),
    Read("a"),
    Munmap("a"),
    DropCaches(),
    Exec(),
    DropCaches(),
]


def memory_runs_out(kernel: Kernel, suite: Suite) -> None:
    """One allocation of a long life fails, at each point in turn: nobody sees a wrong byte, and all memory comes back.

    Which allocations there are, and what a fault does without them, is left to whoever wrote it.
    """
    survives(kernel, suite, A_LIFE, AMPLE)


def no_difference(kernel: Kernel, suite: Suite, programs: Programs) -> None:
    """No program sees anything else than on the reference: of *programs*, generated, or with memory that runs out.

    What tells most is first: a short program, and one in which no allocation fails.
    """
    all_look_alike(kernel, suite, programs)
    programs_look_alike(kernel, suite)
    memory_runs_out(kernel, suite)


def all_comes_back_after_a_fork(kernel: Kernel, suite: Suite) -> None:
    """Parent and child end in any order: when both have, and memory was asked for, all is free again."""
    for order in (("main", "child"), ("child", "main")):
        program: list[Action] = [
            Mmap("a", 3 * PMD_SIZE + 3 * PAGE_SIZE),
            Madvise("a", "hugepage"),
            Read("a", 0, 2 * PMD_SIZE, PMD_SIZE),
            Write("a", 2 * PMD_SIZE, b"w"),
            Fork("child"),
            Munmap("a", PAGE_SIZE, PAGE_SIZE, "child"),
            Write("a", PMD_SIZE, b"x"),
            Write("a", 3 * PMD_SIZE, b"y", by="child"),
            Exit(order[0]),
            DropCaches(),
            Exit(order[1]),
            DropCaches(),
        ]
        look_alike(kernel, suite.reference, program, pages=AMPLE, log=False)
        when = "parent and child have ended, memory was asked for"
        all_comes_back(kernel, program, when, pages=AMPLE, log=False)


def all_look_alike(kernel: Kernel, suite: Suite, programs: Programs, pages: int = PAGES) -> None:
    """None of *programs* sees anything else than on the reference of *suite*."""
    for program in programs:
        look_alike(kernel, suite.reference, program, pages=pages, log=False)


def one_after_the_other() -> Programs:
    """Programs that read zeroes and end: the folio stays for the next one, until memory is asked for."""
    for dropped in (False, True):
        program: list[Action] = []
        for me in ("p0", "p1", "p2"):
            program += [
                Fork(me),
                Mmap(me, PMD_SIZE, by=me),
                Madvise(me, "hugepage", by=me),
                Read(me, by=me),
                Exit(me),
            ]
            program += [DropCaches()] if dropped else []
        yield program


def another_needs_the_memory() -> Programs:
    """Of two huge frames one holds the zeroes: a program that needs both can have both, once nobody reads those."""
    for gone in ([Munmap("a")], []):
        yield [
            Mmap("a", PMD_SIZE),
            Madvise("a", "hugepage"),
            Read("a"),
            *gone,
            Mmap("b", 2 * PMD_SIZE),
            Madvise("b", "hugepage"),
            Write("b", 0, b"x"),
            Write("b", PMD_SIZE, b"y"),
            Munmap("b"),
            Mmap("c", PMD_SIZE),
            Madvise("c", "hugepage"),
            Read("c"),
        ]


def reads() -> Programs:
    """Reads of an area that begins, and ends, within 2 MiB, from its end; of one that is too small; and in a child."""
    for offset in (0, 1, 511):
        first: list[Action] = [Mmap("a", 3 * PMD_SIZE), Madvise("a", "hugepage")]
        cut: list[Action] = [Munmap("a", 0, offset * PAGE_SIZE)] if offset else []
        cut += [Munmap("a", 3 * PMD_SIZE - offset * PAGE_SIZE, offset * PAGE_SIZE)] if offset else []
        places = (3 * PMD_SIZE - (offset + 1) * PAGE_SIZE, PMD_SIZE, offset * PAGE_SIZE)
        yield [*first, *cut, *(Read("a", place) for place in places)]
    yield [Mmap("a", 2 * PAGE_SIZE), Madvise("a", "hugepage"), Read("a"), Fork("b")]
    yield [
        Mmap("a", PMD_SIZE),
        Madvise("a", "hugepage"),
        Read("a"),
        Fork("b"),
        Read("a", 0, PMD_SIZE, by="b"),
    ]


def writes() -> Programs:
    """Writes of each of three generations, to a huge page that all have and to zeroes that all have."""
    for who in EVERYBODY:
        looks = [Read("a", PAGE_SIZE, 2 * PMD_SIZE, PMD_SIZE, by=each) for each in EVERYBODY]
        for offset in (0, PMD_SIZE):
            write = Write("a", offset + PAGE_SIZE, b"w", by=who)
            yield [*AREA, Read("a", PMD_SIZE), *BOTH, write, *looks]


def splits() -> Programs:
    """Parts of zeroes unmapped, protected, forgotten, and advised, and what is left read, written and forked."""
    for start, length in ((0, 1), (511, 1), (3, 7), (1, 510)):
        part = PMD_SIZE + start * PAGE_SIZE, length * PAGE_SIZE
        for act in (
            Munmap("a", *part),
            Mprotect("a", False, *part),
            Madvise("a", "dontneed", *part),
            Madvise("a", "nohugepage", *part),
        ):
            yield [
                *AREA,
                Read("a", PMD_SIZE),
                act,
                Read("a", PMD_SIZE + 100 * PAGE_SIZE, 3 * PAGE_SIZE),
                Write("a", PMD_SIZE + 200 * PAGE_SIZE, b"w", 2 * PAGE_SIZE),
                Fork("child"),
                Read("a", PMD_SIZE + 300 * PAGE_SIZE, 30 * PAGE_SIZE, by="child"),
                Exit(),
                Exit("child"),
            ]


def forks() -> Programs:
    """What is read-only, and what is zeroes, in a third generation; and a parent and a child that both write."""
    protected = [*AREA, Mprotect("a", False, 0, PMD_SIZE)]
    yield [*protected, Fork("b"), Fork("c", "b"), Exit("b"), Read("a", by="c"), Exit("c")]
    for first, second in (("main", "child"), ("child", "main")):
        for offset in (0, PMD_SIZE):
            yield [
                *AREA,
                Read("a", PMD_SIZE),
                Fork("child"),
                Write("a", offset, b"1", by=first),
                Write("a", offset, b"2", by=second),
                Read("a", offset, by=first),
                Read("a", offset, by=second),
                Exit(first),
                Read("a", offset, by=second),
                Exit(second),
            ]


def unmaps() -> Programs:
    """A thread beside a child, where one forgets; and what is read-only, unmapped by the parent only."""
    yield [
        *AREA,
        Thread("t"),
        Fork("child"),
        Madvise("a", "dontneed", 0, PMD_SIZE),
        Read("a", 0, PMD_SIZE, by="t"),
        Exit(),
        Read("a", by="child"),
        Exit("t"),
        Munmap("a", by="child"),
    ]
    protected = [*AREA, Mprotect("a", False, 0, PMD_SIZE)]
    yield [*protected, Fork("b"), Munmap("a"), Read("a", by="b"), Exit("b")]
