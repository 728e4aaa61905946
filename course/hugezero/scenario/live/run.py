"""One scenario on running Linux: its processes, and what can be seen of them after each action."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from ...hw.ram import PAGE_SIZE, PMD_SIZE
from ...mm.mmap import MMAP_BASE
from ..actions import (
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
    UseZeroPage,
    Write,
)
from ..stage import SNAPSHOT_PAGES, Observation, Stage
from .frames import Frames
from .looking import vmstat
from .processes import Process, pair
from .settings import THP, setting
from .syscalls import (
    ARENA,
    MADV,
    MAP_ANONYMOUS,
    MAP_FIXED_NOREPLACE,
    MAP_NORESERVE,
    MAP_PRIVATE,
    MAP_SHARED,
    PROT_READ,
    PROT_WRITE,
)

if TYPE_CHECKING:
    from .linux import Linux


class Run(Stage):
    """The processes of one scenario, "main" to begin with. An area is where a simulated kernel would put it, in the arena."""

    def __init__(self, linux: Linux) -> None:
        super().__init__()
        self.linux = linux
        self.processes: dict[str, Process] = {"main": linux.keeper.start()}
        self.events = dict.fromkeys(vmstat(), 0) if linux.can["counters"] else {}
        self.frames = Frames(linux.can)

    def names(self) -> Collection[str]:
        """The processes that live."""
        return self.processes.keys()

    def end(self) -> None:
        """End those that live, and wait until they have."""
        for process in self.processes.values():
            process.end()
        self.processes.clear()
        self.frames.close()

    def _carry_out(self, action: Any) -> Any:
        if not self.events:
            return super()._carry_out(action)
        before = vmstat()
        seen = super()._carry_out(action)
        after = vmstat()
        self.events = {name: n + after[name] - before[name] for name, n in self.events.items()}
        return seen

    def _ask(self, action: Any, *what: Any, fd: int | None = None) -> Any:
        process = self.processes[action.by]
        seen, took = process.ask(*what, fd=fd)
        process.took(*took)
        return seen

    # what is seen

    def _observation(self, action: str, seen: Any) -> Observation:
        areas = {name: process.looked.areas() for name, process in self.processes.items()}
        spaces = {id(process.mates): process for process in self.processes.values()}
        tables = sum(process.tables for process in spaces.values()) * 1024 // PAGE_SIZE
        return Observation(
            action,
            seen,
            {name: sum(rss for _, _, rss in each) for name, each in areas.items()},
            {name: process.faults for name, process in self.processes.items()},
            {**self.events, "nr_page_table_pages": tables},
            list(self._mappings(areas)),
        )

    def _mappings(self, areas: dict[str, list[tuple[int, int, int]]]) -> Iterator[tuple[str, int, str, int]]:
        if sum(length for _, length in self.areas.values()) > SNAPSHOT_PAGES * PAGE_SIZE:
            return
        numbers: dict[Any, int] = {}
        for name, each in areas.items():
            for low, high, _ in each:
                for address, kind, frame in self.frames.of(self.processes[name].looked, low, high):
                    number = -1 if frame is None else numbers.setdefault(frame, len(numbers))
                    yield name, (address - ARENA[0]) // PAGE_SIZE, kind, number

    # what is done

    def _mmap(self, action: Mmap) -> Any:
        mapped = self.processes[action.by].looked.areas()
        end = mapped[-1][1] if mapped else ARENA[0] + MMAP_BASE
        at = -(-end // PMD_SIZE) * PMD_SIZE
        flags = (MAP_SHARED if action.shared else MAP_PRIVATE) | MAP_FIXED_NOREPLACE | MAP_NORESERVE
        if action.data is None:
            error = self._ask(action, "mmap", at, action.length, flags | MAP_ANONYMOUS)
        else:
            file = _file(action.data, action.length)
            error = self._ask(action, "mmap", at, action.length, flags, fd=file)
            os.close(file)
        if error is None:
            self.areas[action.area] = at, action.length
            if setting("enabled") == "always" and action.data is None and not action.shared:
                self._ask(action, "change", "madvise", at, action.length, MADV["nohugepage"])
        return error

    def _munmap(self, action: Munmap) -> Any:
        return self._ask(action, "change", "munmap", *self._span(action))

    def _mprotect(self, action: Mprotect) -> Any:
        rights = PROT_READ | (PROT_WRITE if action.write else 0)
        return self._ask(action, "change", "mprotect", *self._span(action), rights)

    def _madvise(self, action: Madvise) -> Any:
        return self._ask(action, "change", "madvise", *self._span(action), MADV[action.advice])

    def _read(self, action: Read) -> Any:
        return self._ask(action, "read", *self._span(action), action.step)

    def _write(self, action: Write) -> Any:
        start, _ = self._span(action)
        return self._ask(action, "write", start, action.length, action.step, action.data)

    def _fork(self, action: Fork) -> Any:
        self._new_name(action, action.child)
        parent = self.processes[action.by]
        ours, theirs = pair()
        with theirs:
            error = parent.ask("fork", fd=theirs.fileno())
        if error is not None:
            ours.close()
            self.unborn.add(action.child)
            return error
        child = self.processes[action.child] = Process(ours)
        own = parent.looked.tables() * PAGE_SIZE // 1024 - parent.tables
        child.tables = (
            child.looked.tables() * PAGE_SIZE // 1024 - own
        )  # what Python needs is the same in both
        return None

    def _thread(self, action: Thread) -> None:
        self._new_name(action, action.name)
        process = self.processes[action.by]
        ours, theirs = pair()
        with theirs:
            process.ask("thread", fd=theirs.fileno())
        self.processes[action.name] = Process(ours, process.mates)

    def _exec(self, action: Exec) -> None:
        process = self.processes[action.by]
        process.tell("exec")
        for name, other in list(self.processes.items()):
            if other.mates is process.mates and other is not process:  # exec ends all other threads
                other.gone()
                self.unborn.add(name)
                del self.processes[name]
        process.looked.close()
        self.processes[action.by] = Process(process.sock)

    def _exit(self, action: Exit) -> None:
        self.processes.pop(action.by).end()

    def _dropcaches(self, action: DropCaches) -> None:
        self.linux.drop(action.level)

    def _usezeropage(self, action: UseZeroPage) -> None:
        self.linux.keeper.set(str(THP / "use_zero_page"), str(int(action.on)))


def _file(data: bytes, length: int) -> int:
    """A file in memory, of nobody else, with *data* in it and zeroes up to *length* bytes."""
    fd = os.memfd_create("scenario")
    os.write(fd, data)
    os.truncate(fd, max(len(data), length))
    return fd
