"""The open checks of lab 5: a loan that outlives the lender."""

from __future__ import annotations

from typing import Any

from ...check.checks import Failed, check, expect
from ...check.notebook import exercise
from ...machine import Kernel
from ...scenario import NotAScenario, Write
from ...scenario.storage import WithDisk
from ...store import KernelBug
from ..answers import program_in
from .lending import borrowing_kernel

MiB = 1 << 20

SECRET = "secret_on_disk"

exercise(SECRET, "You now know what a loan is worth that outlives the lender.", in_kernel=False)


def _play(kernel: Kernel) -> tuple[list[Any], WithDisk]:
    answer = kernel.secret_on_disk()
    simulated = WithDisk(borrowing_kernel(), pages=4096)
    scenario = program_in(
        answer, SECRET, "Zeroout()", 8 * MiB,
        "the disk has 8 MiB, and 2 MiB of memory are enough", most=16, known=simulated.actions,
    )  # fmt: skip
    try:
        simulated.run(scenario)
    except NotAScenario as error:
        raise Failed(str(error)) from None
    except KernelBug as bug:
        raise Failed(f"kernel bug: {bug}") from None
    return scenario, simulated


@check(SECRET, points=2)
def the_disk_reads_a_frame_that_was_freed(kernel: Kernel) -> object:
    """In your program the disk comes to a bio whose folio was freed meanwhile."""
    _, simulated = _play(kernel)
    bdev = simulated.bdev
    expect(
        simulated.machine.peek((bdev, "bios")) or simulated.machine.peek((bdev, "queue")),
        "your program sends the disk no bio",
        "Zeroout(), and later DiskWorks()",
    )
    waits = len(simulated.machine.peek((bdev, "queue")))
    expect(waits == 0, f"when your program is over, {waits} bio still waits for the disk", "DiskWorks()")
    expect(
        simulated.late,
        "whenever the disk came to a bio, its folio was still there",
        "who holds the folio? It must go between Zeroout() and DiskWorks(), and somebody must ask for memory",
    )
    return f"{simulated.late[0]!r} had been freed when the disk read it"


@check(SECRET, points=2, needs=the_disk_reads_a_frame_that_was_freed)
def what_another_process_wrote_is_on_the_disk(kernel: Kernel) -> object:
    """Where the disk should hold zeroes it holds what another process has written to its own memory."""
    scenario, simulated = _play(kernel)
    on_disk = simulated.machine.peek((simulated.bdev, "data")).load(0, 8 * MiB)
    secrets = [a.data for a in scenario if isinstance(a, Write) and a.data.strip(b"\0\xcc")]
    expect(
        secrets, "nobody in your program writes anything to memory", "Write('b', 0, b'secret', by='other')"
    )
    found = [secret for secret in secrets if secret in on_disk]
    expect(
        found,
        f"the disk has read a freed frame, and still nothing of {', '.join(map(repr, secrets))} is on it",
        "who is given the frame when it is free, and when? It must be asked for before the disk comes to it",
    )
    return f"{found[0]!r} is on the disk"
