"""Ends a kernel that keeps a graded cell waiting: one that sleeps, or works without answering.

While a graded cell is on, its kernel answers the judge. Time that passes on a busy machine counts for
nothing: only seconds in which neither of the two uses a CPU do, and the kernel's own work.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import psutil

LOOK = 0.5  # seconds between two looks
IDLE = 0.02  # of a CPU, which a kernel uses that sleeps: it looks for messages


@contextlib.contextmanager
def watched(
    kernel: int, judge: int, silent: float, work: float, end: Callable[[str], None]
) -> Iterator[Callable[[], float]]:
    """While the block runs, call *end* with the reason when the process *kernel* keeps it waiting.

    That is: neither it and its children nor *judge* work for *silent* seconds, or its side has used
    *work* seconds of CPU. Gives a function that tells how many it has used.
    """
    over = threading.Event()
    began = _cpu(kernel)

    def look() -> None:
        since, then = time.monotonic(), began
        while not over.wait(LOOK):
            mine = _cpu(kernel)
            both = mine + _cpu(judge)
            if both - then > IDLE * silent:
                since, then = time.monotonic(), both
            if time.monotonic() - since >= silent:
                return end(f"it did nothing for {silent:g} s, and the judge was not asked for")
            if mine - began > work:
                return end(f"it worked for {work:.0f} s of CPU, and the judge was not answered")
        return None

    watch = threading.Thread(target=look, daemon=True)
    watch.start()
    try:
        yield lambda: max(0.0, _cpu(kernel) - began)
    finally:
        over.set()
        watch.join()


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has used, with its children; 0 if it is not there any more."""
    total = 0.0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                times = each.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total
