"""The hidden checks of lab 5: the folio that stays, and those who are given it."""

from __future__ import annotations

from hugezero.check.checks import check, expect
from hugezero.explore.threads import Thread, cpu
from hugezero.labs.actors import take, used
from hugezero.labs.lab5 import check_folio as open_checks
from hugezero.labs.lab5.check_folio import INIT, LARGEST, MM_GET, MM_PUT
from hugezero.labs.laws import alive
from hugezero.machine import Kernel
from hugezero.mm.mm_types import Mm
from hugezero.scenario import (
    Simulated,
)
from hugezero.store import call

from .both_kernels import (
    BUILDS,
    LEAVES,
    MACHINE,
    MM,
    ZEROES_THERE,
    as_the_reference,
    held_at_the_end,
    held_by,
    in_each,
    in_use,
    persistent,
)

OTHER = Mm(2)


@check(
    INIT,
    points=0.5,
    needs=[
        open_checks.a_persistent_folio_is_there_from_boot_on,
        open_checks.a_boot_without_memory_is_survived,
    ],
)
def programs_live_on_whatever_was_booted(kernel: Kernel) -> None:
    """With the option, without it, and without memory at boot, programs see what they see on the reference."""
    for config in BUILDS:
        counted = Simulated(kernel, **MACHINE, **config).machine.vmstat()["thp_zero_page_alloc"]
        expect(counted < 2, f"boot set up one huge zero page at most, and the statistics count {counted}")
    as_the_reference(kernel)
    held_at_the_end(kernel)


@cpu("reader")
def _stays(mm: Mm) -> None:
    """A thread of *mm* that takes the folio, and reads it; the mm lives on."""
    take(MM_GET, mm, may_fail=True)


@cpu("process")
def _comes_and_goes(mm: Mm) -> None:
    """The only thread of *mm*: it takes the folio, reads it, and ends."""
    take(MM_GET, mm, may_fail=True)
    call(MM_PUT, mm)


@check(MM_GET, points=0.5, needs=open_checks.where_it_may_go_each_mm_holds_it_once)
def two_threads_and_a_shrinker_in_both_kernels(kernel: Kernel) -> object:
    """Two threads of one mm read for the first time while memory is tight, in both kernels, and whole programs live."""
    found = in_each(
        kernel, (persistent(), {}), _stays(MM), _stays(MM), always=alive, at_end=held_by(1),
        story="the folio is held once", hint="another thread of this mm may be at the same place",
    )  # fmt: skip
    as_the_reference(kernel)
    return found


@check(MM_PUT, points=0.5, needs=open_checks.only_what_was_held_is_given_back)
def processes_end_in_both_kernels(kernel: Kernel) -> object:
    """Two processes come and go while memory is tight, in both kernels, and at the end nobody holds what has gone."""
    found = in_each(
        kernel, (persistent(), {}), _comes_and_goes(MM), _comes_and_goes(OTHER), always=alive,
        at_end=held_by(0), story="nothing is left behind",
    )  # fmt: skip
    as_the_reference(kernel)
    held_at_the_end(kernel)
    return found


@check(LARGEST, points=0.5, needs=open_checks.the_largest_folio_that_never_goes)
def it_can_be_read_whoever_goes(kernel: Kernel) -> object:
    """What it gives can be read while a process ends and memory gets tight, under every schedule."""
    user = Thread("disk", lambda: used(LARGEST, call(LARGEST)))
    machines = [{**cells, **ZEROES_THERE} for cells in (persistent(), in_use())]
    return in_each(kernel, machines, user, LEAVES, at_end=held_by(0), story="nobody reads what has gone")
