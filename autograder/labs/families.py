"""Programs written by hand, about one function of huge pages each: what was true in lab 2 is true in every later lab."""

from __future__ import annotations

from collections.abc import Iterator

from hugezero.hw.ram import PAGE_SIZE, PMD_SIZE
from hugezero.machine import Kernel
from hugezero.scenario import Action, Exit, Fork, Madvise, Mmap, Mprotect, Munmap, Read, Thread, Write

from .programs import Suite, look_alike

Programs = Iterator[list[Action]]
PAGES = 1 << 14
AREA: list[Action] = [
    Mmap("a", 3 * PMD_SIZE),
    Madvise("a", "hugepage"),
    Write("a"),
]  # which has an anon_vma, early or late
EVERYBODY = ("main", "child", "grandchild")
BOTH: list[Action] = [Fork("child"), Fork("grandchild", "child")]


def all_look_alike(kernel: Kernel, suite: Suite, programs: Programs) -> None:
    """None of *programs* sees anything else than on the reference of *suite*."""
    for program in programs:
        look_alike(kernel, suite.reference, program, pages=PAGES, log=False)


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
