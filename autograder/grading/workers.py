"""Several submissions at once: worker processes, each with a CPU, an nbgrader and a sandbox of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

Task = TypeVar("Task")
Done = TypeVar("Done")


def cpus() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def done_by(
    jobs: int, work: Callable[[Task], Done], tasks: Sequence[Task], lost: Callable[[Task], Done]
) -> Iterator[Done]:
    """Yield work(task) for each of *tasks*, in their order, done by *jobs* processes at once.

    Where a worker ends in the middle, whatever was under way is done once more, each task alone in a process
    of its own; one whose process ends again comes to lost(task).
    """
    left = deque(tasks)
    while left:
        under_way: deque[tuple[Task, Future[Done]]] = deque()
        pool = _pool(min(jobs, len(left)))
        try:
            while left or under_way:
                while left and len(under_way) < 2 * jobs:
                    under_way.append((left[0], pool.submit(work, left[0])))
                    left.popleft()
                done = under_way[0][1].result()
                under_way.popleft()
                yield done
        except BrokenProcessPool:
            for task, _ in under_way:
                yield _alone(work, task, lost)
        finally:
            pool.shutdown(cancel_futures=True)


def _alone(work: Callable[[Task], Done], task: Task, lost: Callable[[Task], Done]) -> Done:
    with _pool(1) as pool:
        try:
            return pool.submit(work, task).result()
        except BrokenProcessPool:
            return lost(task)


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
