"""The warm-up checks of lab 0: one of each voice."""

from __future__ import annotations

from typing import Any

from ...check.checks import CodeRaised, Failed, check, expect
from ...check.notebook import exercise
from ...explore.naive import schedules
from ...hw.cpu import SpinLock
from ...machine import Kernel
from ...mm.page_alloc import Folio
from . import guesses  # noqa: F401 (its questions are entered)

exercise(
    "alloc_zeroed_folio",
    "You now have a frame that tells nothing about its last owner. In lab 1 you do the same by hand, each time.",
    in_kernel=False,
)
exercise(
    "spin_trylock",
    "One of two CPUs gets the lock, whoever comes first. You have met all four voices.",
)


@check("alloc_zeroed_folio", points=1)
def the_folio_is_all_zeroes(kernel: Kernel) -> None:
    """The folio is a live frame of 4 KiB, full of zeroes, and without memory the answer is None."""
    with kernel.booted(pages=1) as machine:
        folio = kernel.alloc_zeroed_folio()
        expect(
            isinstance(folio, Folio),
            f"there is memory, and it returned {folio!r}; it should return the folio",
            "what does your last line return?",
        )
        seen = machine.peek((folio, "data")).load(0, 4096)
        dirt = next((n for n, byte in enumerate(seen) if byte), None)
        expect(
            dirt is None,
            f"byte {dirt} of the folio is {seen[dirt or 0]:#04x}; all 4096 bytes should be zero",
            "0xcc is what the last owner left: clear_folio(folio)",
        )
        more = kernel.alloc_zeroed_folio()
        expect(more is None, f"no memory was left, and it returned {more!r}; it should return None")


@check("spin_trylock", points=0.5)
def one_cpu_takes_a_free_lock(kernel: Kernel) -> None:
    """Alone, a CPU gets a free lock, and does not get it a second time."""
    with kernel.booted(pages=1) as machine:
        lock = SpinLock(1)
        first, second = kernel.spin_trylock(lock), kernel.spin_trylock(lock)
        expect(
            (first, second) == (True, False),
            f"two calls in a row returned {first!r} and {second!r}; they should return True and False",
            "test_and_set() gives what the bit was before",
        )
        expect(machine.peek((lock, "locked")), "after True the lock should be locked, and it is not")


@check("spin_trylock", points=0.5, needs=one_cpu_takes_a_free_lock)
def two_cpus_under_every_schedule(kernel: Kernel) -> None:
    """Of two CPUs, exactly one gets the lock, under every schedule."""
    lock = SpinLock(1)
    trylock: Any = kernel.spin_trylock
    for schedule in schedules([lambda log: trylock.step((lock,), log)] * 2):
        for end in schedule.ends.values():
            if end[0] == "raise":
                raise CodeRaised("spin_trylock", *end[1:])
        got = [cpu for cpu, end in schedule.ends.items() if end[1] is True]
        if len(got) != 1 or schedule.cut:
            what = "both CPUs hold the lock" if len(got) > 1 else "nobody gets the lock"
            raise Failed(what, "what happens between the two operations?", tuple(schedule.rows))
