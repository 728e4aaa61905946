"""Prints how fast things are here: `make bench`. Nothing fails by being slow; figures vary between machines and runs."""

from __future__ import annotations

import contextlib
import io
import statistics
import time
from collections.abc import Callable

from hugezero.cost.contention import bouncing, recorded
from hugezero.explore.search import explore
from hugezero.hw.ram import PAGE_SIZE
from hugezero.machine import Kernel
from hugezero.mm.mm_types import Mm
from hugezero.notebook import check
from hugezero.scenario import Mmap, Read, Simulated

from autograder.course.layout import Course
from solutions import lab0_machine, lab1_zero_page

from .browser.stepping import steps
from .explore import versions
from .explore.answering import answering

REFERENCE = {name: f for name, f in vars(lab1_zero_page).items() if callable(f)}


def seconds(work: Callable[[], object]) -> float:
    """How long *work* takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def operations(log: bool) -> float:
    """Seconds for a million operations on one cell."""

    def work() -> None:
        with Kernel().booted(pages=8, log=log) as machine:
            machine.most = 2_000_000
            rss = Mm(1).rss
            for _ in range(500_000):
                rss.inc()
                rss.read()

    return seconds(work)


def gibibyte(kernel: Kernel) -> float:
    """Seconds to read 1 GiB page by page: 262,144 faults."""
    machine = Simulated(kernel, log=False)
    size = 262_144 * PAGE_SIZE
    return seconds(lambda: machine.run([Mmap("a", size), Read("a", 0, size)]))


def checks() -> dict[str, float]:
    """Median milliseconds of each open check of the reference, as a notebook runs it."""
    namespace = {"check": check, **vars(lab0_machine), **REFERENCE}
    found = {}
    for name in ("spin_trylock", *REFERENCE):
        call = compile(f"check({name!r})", "cell", "eval")
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                eval(call, namespace)
                times = [seconds(lambda call=call: eval(call, namespace)) for _ in range(15)]  # type: ignore[misc]
        except ValueError:
            continue  # an import of the reference, not an exercise
        found[name] = statistics.median(times) * 1e3
    return found


def exploring(users: int) -> list[str]:
    """States and times of *users* users and the shrinker: in this process, and across a socket."""
    threads = [versions.user()] * users + [versions.shrinker()]
    lines = []
    for where, opened in (
        ("here", contextlib.nullcontext(versions.kernel())),
        ("asked across a socket", answering()),
    ):
        with opened as functions:
            start = time.perf_counter()
            found = explore(functions, threads, at_end=versions.at_rest)
            took = time.perf_counter() - start
        told = f"{found.states:,} states, {found.runs:,} runs of the code, {found.states / took:,.0f} states a second"
        lines.append(f"{users} users and the shrinker, {where}: {took * 1e3:.0f} ms, {told}")
    return lines


def lines() -> list[str]:
    """Seconds of the experiment of 2016 with lab 3's kernel, and how long each open check of lab 4 takes."""
    kernel = recorded(Kernel(Course().reference("lab3_shrinker")))
    told = [
        f"{what} of the experiment of 2016, 72 CPUs: {seconds(lambda part=part: bouncing(kernel, part=part)):.2f} s"  # type: ignore[misc]
        for what, part in (("a sixteenth", 16), ("all", 1))
    ]
    machine = Kernel(Course().reference("lab4_mm_flag"))
    for exercise, checks in Course().checks("lab4_mm_flag").items():
        for each in checks:
            took = statistics.median(seconds(lambda run=each.run: run(machine)) for _ in range(5))  # type: ignore[misc]
            told.append(f"{exercise}: {each.name} {took * 1e3:.0f} ms{' (hidden)' * each.hidden}")
    return told


def main() -> None:
    """Print the figures."""
    print(f"1,000,000 operations, log off   {operations(log=False):6.2f} s")
    print(f"1,000,000 operations, log on    {operations(log=True):6.2f} s")
    print(f"1 GiB read, lab 1's reference   {gibibyte(Kernel(REFERENCE)):6.2f} s")
    print(f"1 GiB read, shares nothing      {gibibyte(Kernel()):6.2f} s")
    for name, milliseconds in checks().items():
        print(f'check("{name}")'.ljust(32) + f"{milliseconds:6.1f} ms median")

    for users in (2, 3):
        print(*exploring(users), sep="\n")
    print(*lines(), sep="\n")
    print(*steps(), sep="\n")


if __name__ == "__main__":
    main()
