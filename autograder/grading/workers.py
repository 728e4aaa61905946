"""Several submissions at once: worker processes, each with a CPU, an nbgrader and a sandbox of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

Task = TypeVar("Task")
Done = TypeVar("Done")
TRIES = 2  # workers that a task may lose before it is given up


def cpus() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def done_by(
    jobs: int, work: Callable[[Task], Done], tasks: Sequence[Task], lost: Callable[[Task], Done]
) -> Iterator[Done]:
    """Yield work(task) for each of *tasks*, in their order, done by *jobs* processes at once.

    Where a worker ends in the middle, what it and the others had begun is begun again by new ones; a task
    that loses its worker twice comes to lost(task).
    """
    begun: dict[int, int] = {}
    n = 0
    while n < len(tasks):
        with _pool(min(jobs, len(tasks) - n)) as pool:
            futures: list[Future[Done]] = [pool.submit(work, task) for task in tasks[n:]]
            try:
                for future in futures:
                    yield future.result()
                    n += 1
            except BrokenProcessPool:
                begun[n] = begun.get(n, 0) + 1
                if begun[n] == TRIES:
                    yield lost(tasks[n])
                    n += 1
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


def _pool(jobs: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # a copy of this process would share its gradebook
    places = context.SimpleQueue()
    for n in range(jobs):
        places.put(n)
    return ProcessPoolExecutor(jobs, context, _begin, (places,))


def _begin(places: Any) -> None:
    """Take a CPU of one's own, and end with the process that began this one."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[places.get() % len(allowed)]})
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's, which ends this one
    threading.Thread(target=_end_with_the_coordinator, daemon=True).start()


def _end_with_the_coordinator() -> None:
    coordinator = multiprocessing.parent_process()
    if coordinator is not None:
        coordinator.join()
        os._exit(1)
