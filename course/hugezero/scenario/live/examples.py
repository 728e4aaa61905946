"""Scenarios to ask any Linux, which were recorded on one."""

from __future__ import annotations

from ...hw.ram import PAGE_SIZE, PMD_SIZE
from ..actions import (
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


def huge(area: str, by: str = "main", length: int = PMD_SIZE) -> list[Action]:
    """Map *area* for huge pages."""
    return [Mmap(area, length, by=by), Madvise(area, "hugepage", by=by)]


USER = [Fork("user"), *huge("a", "user"), Read("a", by="user")]
NEXT = [Fork("next"), *huge("b", "next"), Read("b", by="next")]
EXAMPLES: dict[str, list[Action]] = {
    "200 MiB that nobody writes": [Mmap("data", 200 << 20), Read("data", 0, 200 << 20)],
    "two reads, 2 MiB apart": [*huge("a", length=2 * PMD_SIZE), Read("a"), Read("a", PMD_SIZE)],
    "a write after a read": [*huge("a"), Read("a"), Write("a")],
    "an area of less than 2 MiB": [*huge("a", length=PMD_SIZE // 2), Read("a", 0, PMD_SIZE // 2)],
    "the user exits": [*USER, Exit("user"), *NEXT],
    "the user exits, and memory is asked for": [*USER, Exit("user"), DropCaches(), *NEXT],
    "the user execs, and memory is asked for": [*USER, Exec("user"), DropCaches(), *NEXT],
    "a child has it, and memory is asked for": [
        *USER, Fork("child", "user"), Exit("user"), DropCaches(), *NEXT
    ],
    "4 KiB are unmapped": [*huge("a"), Read("a"), Munmap("a", PAGE_SIZE, PAGE_SIZE), Write("a")],
    "2 MiB are forgotten": [*huge("a"), Read("a"), Madvise("a", "dontneed"), Read("a")],
    "shared memory": [Mmap("a", 16 * PAGE_SIZE, True), Read("a", 0, 16 * PAGE_SIZE)],
    "a child reads small pages again": [
        Mmap("a", PMD_SIZE), Read("a", 0, PMD_SIZE), Fork("child"), Read("a", 0, PMD_SIZE, by="child")
    ],
    "a child reads huge pages again": [
        *huge("a"), Read("a", 0, PMD_SIZE), Fork("child"), Read("a", 0, PMD_SIZE, by="child")
    ],
    "small beside huge": [
        *huge("a"), Mmap("b", 4 * PAGE_SIZE), Read("a", 0, PMD_SIZE), Read("b", 0, 3 * PAGE_SIZE), Write("b", 5, b"xyz")
    ],
    "fork, and a write on either side": [
        *huge("a", length=2 * PMD_SIZE), Write("a", PMD_SIZE, b"x"), Read("a"), Fork("child"),
        Write("a", PMD_SIZE, b"y", by="child"), Write("a", 0, b"z", by="child"), Read("a", PMD_SIZE), Exit(),
        Read("a", PMD_SIZE, by="child"),
    ],
    "a split, a thread, exec, exit": [
        *huge("a", length=2 * PMD_SIZE), Read("a", 0, 2 * PMD_SIZE), Munmap("a", PAGE_SIZE, PAGE_SIZE), Thread("t"),
        Fork("child"), Exec("child"), Mmap("b", PAGE_SIZE, by="child"), Read("b", by="child"), Exit(),
        Write("a", by="t"), Exit("t"),
    ],
    "what may not be touched": [
        *huge("a"), Mprotect("a", False), Read("a"), Write("a"), Munmap("a"), Read("a"), Mmap("b", 0), Munmap("a", 1, 1)
    ],
    "a file, and shared memory": [
        Mmap("f", PAGE_SIZE, data=b"text"), Read("f", 0, 5, 1), Write("f", 1, b"a"), Mmap("s", PAGE_SIZE, True),
        Fork("child"), Write("s", 0, b"said", by="child"), Read("s", 0, 4, 1), Read("f", 0, 3, 1, by="child"),
    ],
}  # fmt: skip
