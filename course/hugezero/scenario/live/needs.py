"""What can be asked of this machine, by whom, since which Linux: one table, probed before anything is asked."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from ...hw.ram import PAGE_SIZE, PMD_SIZE
from .looking import HUGE, PFNZERO, PM_PFN, PRESENT, vmstat
from .processes import Keeper, Process, pair
from .settings import THP
from .syscalls import ARENA, MADV, MAP_ANONYMOUS, MAP_FIXED_NOREPLACE, MAP_NORESERVE, MAP_PRIVATE

DROP = Path("/proc/sys/vm/drop_caches")
PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE
AT = ARENA[0] + PMD_SIZE  # where the probe maps: 2 MiB advised and read, 2 MiB read, 2 MiB written
HUGE_ZEROES, ZEROES, WRITTEN = (AT + n * PMD_SIZE for n in range(3))


class Need(NamedTuple):
    """Something to be seen or done: how, who may, since which Linux, and a probe that says what is in the way, or None."""

    what: str
    how: str
    who: str
    since: str
    probe: Callable[[Process], str | None]


def _nothing(process: Process) -> str | None:
    return None


def _faults(process: Process) -> str | None:
    for at in (HUGE_ZEROES, ZEROES):
        _, (faults, _) = process.ask("read", at + PAGE_SIZE, 4 * PAGE_SIZE, PAGE_SIZE)
        expected = 0 if at == HUGE_ZEROES else 4
        if faults != expected:
            return f"it counts {faults} where there are {expected}: MADV_POPULATE_WRITE may be missing"
    return None


def _rss(process: Process) -> str | None:
    try:
        return None if process.looked.areas()[-1][2] else "smaps shows no RSS of a page that was written"
    except (OSError, IndexError):
        return "/proc/PID/smaps is not there, or not for us"


def _tables(process: Process) -> str | None:
    """Where Python's own memory happens to lie so that a child needs fewer tables for it, a child cannot be compared."""
    ours, theirs = pair()
    with theirs:
        process.ask("fork", fd=theirs.fileno())
    child = Process(ours)
    own = [each.looked.tables() for each in (process, child)]
    child.end()
    return (
        None if own[1] == own[0] else f"a child has {own[1]} tables of {own[0]}: ask again from a new process"
    )


def _mapped(process: Process) -> str | None:
    there = process.looked.entries(ZEROES, ZEROES + 2 * PAGE_SIZE)
    return None if there[0] >> 63 else "pagemap shows nothing of a page that is mapped"


def _scan(process: Process) -> str | None:
    try:
        kinds = [next(process.looked.scan(at, at + PMD_SIZE))[2] for at in (HUGE_ZEROES, ZEROES, WRITTEN)]
    except OSError as error:
        return f"this kernel has no such ioctl ({errno.errorcode.get(error.errno or 0)})"
    if kinds == [PRESENT | PFNZERO | HUGE, PRESENT | PFNZERO, PRESENT]:
        return None
    return "it does not know zero pages here" if not kinds[1] & PFNZERO else "it misses huge zero pages here"


def _frames(process: Process) -> str | None:
    entry = process.looked.entries(WRITTEN, WRITTEN + PAGE_SIZE)[0]
    return None if entry & PM_PFN else "frame numbers are hidden from who lacks the capability"


def _flags(process: Process) -> str | None:
    try:
        with open("/proc/kpageflags", "rb", buffering=0) as file:
            return None if len(file.read(8)) == 8 else "/proc/kpageflags is empty here"
    except OSError as error:
        return f"/proc/kpageflags: {error.strerror}"


def _counters(process: Process) -> str | None:
    try:
        return None if vmstat() else "/proc/vmstat has no counters of huge pages"
    except OSError as error:
        return f"/proc/vmstat: {error.strerror}"


def _writable(path: Path) -> Callable[[Process], str | None]:
    def probe(process: Process) -> str | None:
        return None if os.access(path, os.W_OK) else f"{path} is not ours to write"

    return probe


NEEDS = {
    "bytes": Need("bytes that are read, and SIGSEGV", "readv, writev", "everybody", "2.6", _nothing),
    "faults": Need("minor faults of an action", "getrusage, MADV_POPULATE_WRITE", "everybody", "5.14", _faults),
    "rss": Need("RSS of a process's areas", "/proc/PID/smaps", "everybody", "2.6.14", _rss),
    "tables": Need("page tables that an action made", "VmPTE in /proc/PID/status", "everybody", "2.6.10", _tables),
    "mapped": Need("which pages are mapped", "/proc/PID/pagemap", "everybody", "2.6.25", _mapped),
    "scan": Need("which are zero pages, and huge", "PAGEMAP_SCAN", "everybody", "6.7; huge zeroes 6.16", _scan),
    "frames": Need("frame numbers", "/proc/PID/pagemap", "CAP_SYS_ADMIN", "4.2", _frames),
    "flags": Need("what a frame is used for", "/proc/kpageflags", "root", "2.6.25", _flags),
    "counters": Need("huge pages made and split", "/proc/vmstat", "everybody", "2.6.38", _counters),
    "drop": Need("make the kernel give back what it can", str(DROP), "root", "2.6.16", _writable(DROP)),
    "switch": Need("switch huge zeroes off", f"{THP}/use_zero_page", "root", "3.8", _writable(THP / "use_zero_page")),
}  # fmt: skip


class Powers:
    """What can be asked here: for each of NEEDS the reason why not, or None."""

    def __init__(self, keeper: Keeper, without: Iterable[str] = ()) -> None:
        """Probe; *without*: names of what to leave out although it is there. ValueError for one that is no such name."""
        if unknown := set(without) - NEEDS.keys():
            raise ValueError(
                f"there is no {', '.join(sorted(unknown))} to do without: use {', '.join(NEEDS)}"
            )
        process = keeper.start()
        for n, advice in enumerate((MADV["hugepage"], MADV["nohugepage"], MADV["nohugepage"])):
            process.ask("mmap", AT + n * PMD_SIZE, PMD_SIZE, PRIVATE)
            process.ask("change", "madvise", AT + n * PMD_SIZE, PMD_SIZE, advice)
        process.ask("read", HUGE_ZEROES, 1, 1)
        process.ask("read", ZEROES, 1, 1)
        process.ask("write", WRITTEN, 1, 1, b"\1")
        self.reasons = {name: need.probe(process) for name, need in NEEDS.items()}
        self.reasons |= dict.fromkeys(without, "left out, since you asked for that")
        process.end()

    def __getitem__(self, name: str) -> bool:
        return self.reasons[name] is None

    def table(self) -> list[tuple[str, ...]]:
        """A row for each of NEEDS: what, how, who may, since which Linux, and here: yes, or why not."""
        return [(*need[:4], self.reasons[name] or "yes") for name, need in NEEDS.items()]

    def __str__(self) -> str:
        rows = [("what", "how", "who may", "since Linux", "here"), *self.table()]
        widths = [max(len(row[n]) for row in rows) for n in range(4)]
        return "\n".join(
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]])
            for row in rows
        )
