"""Runs scenarios on the running Linux, and writes down what can be seen, as for a simulated kernel."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from ...hw.ram import PMD_SIZE
from ..actions import Action, DropCaches, Madvise, Mmap, Read, UseZeroPage
from .here import Unavailable, in_the_way, settings_in_the_way
from .looking import vmstat
from .needs import DROP, Powers
from .observed import LiveObservation
from .processes import SECONDS, Keeper
from .run import Run
from .settings import THP, setting

PROBE: list[Action] = [Mmap("probe", PMD_SIZE), Madvise("probe", "hugepage"), Read("probe")]


class Linux:
    """The running kernel, as a `with` block: it is asked one scenario at a time, by nobody else meanwhile.

    *change_settings*: may settings of the machine be changed while it lasts? A scenario with UseZeroPage
    needs that, and so does a machine on which huge zeroes are switched off. They are put back at the end,
    however that comes about. *without*: names of NEEDS to do without. Raises Unavailable, which says why.
    """

    def __init__(self, change_settings: bool = False, without: Iterable[str] = ()) -> None:
        if why := in_the_way():
            raise Unavailable(why)
        off = settings_in_the_way()
        if off and not change_settings:
            wrong = ", ".join(f"{THP / name} is {setting(name)}" for name in off)
            raise Unavailable(f"{wrong}, and settings are changed only if you say so")
        self.change_settings = change_settings
        self.absent_at: int | None = None  # what thp_zero_page_alloc was when there was no huge zero page
        self.keeper = Keeper()
        try:
            for name, value in off.items():
                self.keeper.set(str(THP / name), value)
            with _alone():
                self.can = Powers(self.keeper, without)
        except BaseException:
            self.close()
            raise

    def run(self, scenario: Sequence[Any]) -> list[LiveObservation]:
        """Do each action with real processes; returns what was observed after each.

        Raises Unavailable for a scenario that cannot be run here, and NotAScenario for one that is none.
        """
        self._allows(scenario)
        with _alone():
            unseen = self._unseen(self._forget_zeroes())
            return list(self._observations(scenario, unseen))

    def _observations(self, scenario: Iterable[Any], unseen: frozenset[str]) -> Iterator[LiveObservation]:
        before = setting("use_zero_page")
        run = Run(self)
        try:
            for action in scenario:
                yield LiveObservation(**vars(run.do(action)), unseen=unseen)
        finally:
            run.end()
            if setting("use_zero_page") != before:
                self.keeper.set(str(THP / "use_zero_page"), before)

    def _allows(self, scenario: Sequence[Any]) -> None:
        if any(isinstance(action, DropCaches) for action in scenario) and not self.can["drop"]:
            raise Unavailable(f"it drops caches: {self.can.reasons['drop']}")
        if any(isinstance(action, UseZeroPage) for action in scenario):
            if not self.change_settings:
                raise Unavailable("it changes use_zero_page, and settings are changed only if you say so")
            if not self.can["switch"]:
                raise Unavailable(f"it changes use_zero_page: {self.can.reasons['switch']}")
        wanted = sum(action.length for action in scenario if isinstance(action, Mmap))
        free = _available()
        if wanted > free:
            raise Unavailable(f"it maps {wanted >> 20} MiB, and {free >> 20} MiB of memory are free")

    def _unseen(self, no_zeroes: bool) -> frozenset[str]:
        hidden = {name for name in ("faults", "rss", "tables", "counters") if not self.can[name]}
        if not self.can["mapped"]:
            hidden |= {"mapped", "kind", "frame"}
        if not (self.can["scan"] or (self.can["frames"] and self.can["flags"])):
            hidden |= {"kind", "frame"}
        if not (self.can["frames"] and self.can["flags"]):
            hidden.add("frame")
        if not no_zeroes:
            hidden.add("thp_zero_page_alloc")
        return frozenset(hidden)

    def _forget_zeroes(self) -> bool:
        """Have the kernel give its huge zero page back; returns whether it is known to be gone.

        A drop does nothing where somebody else maps it: then the next to read one allocates none.
        """
        if not (self.can["drop"] and self.can["counters"]):
            return False
        if vmstat()["thp_zero_page_alloc"] == self.absent_at:
            return True
        self.drop(2)
        *_, last = self._observations(PROBE, frozenset())
        self.drop(2)
        if last.vmstat["thp_zero_page_alloc"] != 1:
            return False
        self.absent_at = vmstat()["thp_zero_page_alloc"]
        return True

    def drop(self, level: int) -> None:
        """Write *level* to drop_caches."""
        try:
            DROP.write_text(str(level))
        except OSError as error:
            raise Unavailable(f"{DROP} cannot be written: {error.strerror}") from None

    def close(self) -> None:
        """Put settings back, and end every process."""
        self.keeper.close()

    def __enter__(self) -> Linux:
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _available() -> int:
    """Memory that is to be had, in bytes."""
    text = Path("/proc/meminfo").read_text()
    return int(text.split("MemAvailable:")[1].split()[0]) * 1024


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until nobody else asks this kernel, and keep others waiting meanwhile.

    Two who ask at the same time would hold the huge zero page for each other, and move the same counters.
    """
    fd = os.open(THP / "use_zero_page", os.O_RDONLY)
    try:
        for _ in range(10 * SECONDS):
            with suppress(BlockingIOError):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.1)
        else:
            raise Unavailable(
                f"somebody else has asked this kernel for {SECONDS} s now, and one at a time may"
            )
        yield
    finally:
        os.close(fd)
