"""The open checks of lab 5: when somebody would turn it on."""

from __future__ import annotations

import math

from ...check.checks import check, expect
from ...check.notebook import exercise
from ...machine import Kernel

WHEN = "when_would_you"

exercise(WHEN, "That is a position that can be argued about, with a number in it.", in_kernel=False)


MACHINES = {
    "a router with 64 MiB": 64,
    "a small board with 512 MiB": 512,
    "a telephone with 6 GiB": 6 << 10,
    "a laptop with 16 GiB": 16 << 10,
    "a server with 256 GiB": 256 << 10,
    "a database with 1 TiB": 1 << 20,
}  # MiB of memory


@check(WHEN, points=2)
def a_position_with_a_number(kernel: Kernel) -> object:
    """You said from how much memory on you would turn it on, in MiB; or "never"."""
    least = kernel.when_would_you()
    number = isinstance(least, int | float) and not isinstance(least, bool) and 0 <= least < math.inf
    expect(
        number or least == "never",
        f'when_would_you returned {least!r}; it should be a number of MiB, like 1024, or "never"',
    )
    if least == "never":
        return "never: whoever zeroes disks goes on with 4 KiB at a time"
    on = [name for name, size in MACHINES.items() if size >= least]
    share = f"on the smallest such machine 2 MiB are {100 * 2 / least:.2g} % of memory; " if least else ""
    return f"{share}on: {', '.join(on) or 'none of those above'}"
