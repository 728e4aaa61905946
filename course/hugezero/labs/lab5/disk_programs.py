"""For notebooks: programs that have a disk zeroed and do not wait, on one schedule of yours or on every one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...block.zeroing import zeroout_borrowing
from ...check.exploration import Shown, shown
from ...cost.requests import Request, one_request
from ...hw.ram import PMD_SIZE
from ...machine import Kernel
from ...scenario.storage import WithDisk
from ...store import KernelBug
from ...view.charts.sectors import Range, sectors
from ..actors import shrinker
from ..experiment import attempt
from ..laws import alive, at_rest
from ..starting_kernel import kernel_before
from .lending import SECTORS, at_work, program, zeroing

Routine = Callable[..., int]
End = Callable[..., None] | None  # what is called with a bio that names end_zeroout, when the disk is through


class OnDisk:
    """What a program left on the disk."""

    def __init__(self, simulated: WithDisk, stopped: str = "") -> None:
        self.simulated, self.stopped = simulated, stopped

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        ranges = [Range(*each) for each in self.simulated.on_disk()]
        return sectors(ranges, self._title(ranges), repr(self))._repr_mimebundle_()

    def _title(self, ranges: list[Range]) -> str:
        if self.stopped:
            return f"Stopped: {self.stopped}"
        if leaked := sum(each.many for each in ranges if each.what == "something else"):
            return f"Something else is on {leaked:,} sector{'s' * (leaked != 1)}"
        if self.simulated.late:
            return "Nothing has leaked this time, but the disk read what had been freed"
        return "Nothing has leaked to the disk"

    def __repr__(self) -> str:
        lines = [f"Stopped: {self.stopped}"] if self.stopped else []
        data = self.simulated.machine.peek((self.simulated.bdev, "data"))
        for first, many, what in self.simulated.on_disk():
            shown = data.load(first * 512, 16)
            beginning = f", which begins with {shown!r}" if what == "something else" else ""
            lines.append(f"sectors {first:>6,} to {first + many - 1:>6,}: {what}{beginning}")
        for folio in self.simulated.late:
            lines.append(f"{folio!r} had been freed when the disk read it")
        return "\n".join(lines)


def with_disk(scenario: Iterable[Any], routine: Routine = zeroout_borrowing, end: End = None) -> OnDisk:
    """Run a program on the kernel of the earlier labs, which zeroes disks by *routine*: see what is on the disk then."""
    simulated = WithDisk(Kernel(_kernel(routine, end)), pages=4096)
    try:
        simulated.run(scenario)
    except NotImplementedError:
        return OnDisk(simulated, "a function of this kernel is not written yet")
    except (Exception, KernelBug) as wrong:
        return OnDisk(simulated, str(wrong) or type(wrong).__name__)
    return OnDisk(simulated)


def every_schedule_with_disk(routine: Routine, end: End = None, bios: int = 1) -> Shown:
    """A process has 2 MiB zeroed (*bios* times) by *routine* and ends, while memory gets tight and the disk works: in every order."""
    threads = [program(bios * PMD_SIZE // 512), at_work(), shrinker()]
    story = "the disk reads nothing that has gone"
    return shown(
        _kernel(routine, end), threads, SECTORS, at_end=at_rest, always=alive, story=story, what="this kernel"
    )


def request_of(routine: Routine, end: End = None) -> Request | None:
    """What one request of 128 KiB, zeroed by *routine*, does to lines that all CPUs share.

    Where *routine* or *end* is not written yet, or goes wrong, say so and return None.
    """

    def recorded() -> Request:
        return one_request(Kernel(_kernel(routine, end)))

    recorded.__name__ = " with ".join(each.__name__ for each in (routine, end) if each)
    found: Request | None = attempt(recorded)
    return found


def _kernel(routine: Routine, end: End) -> dict[str, Any]:
    """The kernel that lab 5 starts from, with *routine* to zero disks."""
    functions = {name: function for name, (_, function) in kernel_before(5).items()}
    return zeroing(functions, routine, end).functions
