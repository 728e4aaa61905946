"""Moments of a log: moment k is what the machine held when it was switched on, and the first k operations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..machine import Machine
from ..mm.huge_memory import HUGE_ZERO, Deposits
from ..mm.mm_types import AddressSpace, Mm
from ..mm.pgtable import PmdTable, PteTable
from ..scenario import Simulated
from ..store import Cell, Done, Handle, KernelBug, default_of

MOST = 200  # operations in one picture, unless more are asked for
FEWEST = 20  # in that of a large machine, of which each page takes long to draw
WORK = 4_000_000  # cells looked at for one picture, about


class NoSuchMoment(ValueError):
    """An operation was asked for that the log does not have."""


class State:
    """What the machine held at one moment."""

    def __init__(self, cells: dict[Cell, Any]) -> None:
        self.cells: dict[Cell, Any] = {}
        self.tables: dict[PteTable, tuple[Mm, int]] = {}  # page table: whose, and which PMD entry
        self.huge_zeroes: set[Handle] = set()  # every folio that has been the huge zero one
        self.put_aside: dict[Cell, PteTable] = {}  # by the place of the deposit
        self.handles: dict[str, dict[Handle, None]] = {}  # by class, in order of birth
        self.at_start = cells
        for cell, value in cells.items():
            self._hold(cell, value)

    def peek(self, cell: Cell) -> Any:
        return self.cells[cell] if cell in self.cells else default_of(cell)

    def apply(self, done: Done) -> None:
        """Go one operation further."""
        self._hold(done.cell, done.new)

    def _hold(self, cell: Cell, value: Any) -> None:
        handle = cell[0]
        self.cells[cell] = value
        self.handles.setdefault(type(handle).__name__, {})[handle] = None
        if isinstance(handle, PmdTable) and isinstance(value, PteTable):
            self.tables[value] = Mm(handle.id), int(cell[1])
        if isinstance(handle, Deposits):
            self.put_aside.pop(cell, None)
            if value is not None:
                self.put_aside[cell] = value
        if cell == (HUGE_ZERO, "folio") and value is not None:
            self.huge_zeroes.add(value)

    def all(self, kind: type[Handle]) -> list[Any]:
        """Every handle of *kind* that this machine has named so far."""
        return list(self.handles.get(kind.__name__, ()))


class Film:
    """A log, with the names that a scenario gave, and the window of it that is shown.

    Moments *first* to *last* are shown; *at* is where it opens: None for the first one that shows anything. An
    action is opened after its last operation, or *before* its first one.
    """

    def __init__(
        self,
        machine: Any,
        at: int | str | None = None,
        since: int | None = None,
        most: int | None = None,
        before: bool = False,
    ) -> None:
        self.acts: list[tuple[int, str]] = list(getattr(machine, "acts", ()))  # see Experiment
        self.stopped = bool(getattr(machine, "stopped", ""))  # before it came to its last action
        machine = getattr(machine, "simulated", machine)  # of an experiment, what it ran on
        simulated = machine if isinstance(machine, Simulated) else None
        self.machine: Machine = machine.machine if isinstance(machine, Simulated) else machine
        self.log: list[Done] = list(self.machine.log or ())
        self.kept = self.machine.log is not None
        self.names: dict[Mm, list[str]] = {}
        self.areas: dict[int, str] = {}
        if simulated is not None:
            for mm, name in simulated.named.items():  # those that have ended, too
                self.names[mm] = [name]
            for name, mm in simulated.mms.items():
                if name not in self.names.setdefault(mm, []):
                    self.names[mm].append(name)
            self.areas = {address: name for name, (address, _) in simulated.areas.items()}
        self.total = len(self.log)
        self.through = isinstance(at, str) and not before  # is *at* the end of an action?
        if isinstance(at, str):
            at = self._action(at, before)
        if most is None:
            most = max(FEWEST, min(MOST, WORK // len(self.machine.cells)))
        self.first, self.last = self._window(at, since, most)
        self.bug: KernelBug | None = next(iter(self.machine.bugs[-1:]), None)
        if self.bug is not None and not (self.last == self.total == self.bug.after):
            self.bug = None
        self.at: int | None = at if at is not None or (before and self.bug is None) else self.last

    def ends(self) -> list[int]:
        """Return after how many operations each action was through."""
        return [*(k for k, _ in self.acts[1:]), self.total] if self.acts else []

    def act(self, k: int) -> str:
        """Return the action that operation *k* belongs to."""
        return next((words for before, words in reversed(self.acts) if before < k), "")

    def _action(self, begins: str, before: bool) -> int:
        """Return how many operations come before, or up to the end of, the first action that begins so.

        All of them if the experiment was stopped before it came to such an action.
        """
        for (start, words), end in zip(self.acts, self.ends(), strict=True):
            if words.startswith(begins):
                return start if before else end
        if self.stopped:
            return self.total
        known = ", ".join(words for _, words in self.acts)
        raise NoSuchMoment(
            f"at={begins!r}: no action begins like that; there are {known}"
            if known
            else f"at={begins!r}: only an experiment knows its actions: give that, and not its machine"
        )

    def _window(self, at: int | None, since: int | None, most: int) -> tuple[int, int]:
        total = self.total
        for name, value in (("at", at), ("since", since)):
            if value is not None and not 0 <= value <= total:
                raise NoSuchMoment(
                    f"{name}={value}: this log has operations 1 to {total}; 0 is before the first"
                )
        if most < 1:
            raise NoSuchMoment(f"most={most}: show at least one operation")
        if since is not None:
            first, last = since, min(total, since + most)
            if at is not None and not first <= at <= last:
                raise NoSuchMoment(
                    f"at={at} is not among operations {first} to {last}: leave since= out, or change it"
                )
            return first, last
        if at is None or at >= total - most // 2:
            return max(0, total - most), total
        first = max(0, at - most // 2)
        return first, min(total, first + most)

    def not_shown(self) -> str:
        """What was left out, and how to see it; empty if nothing was."""
        if not self.kept:
            return "This machine kept no log (log=False): only its present moment can be shown."
        if self.first == 0 and self.last == self.total:
            return ""
        return (
            f"Operations {self.first + 1:,} to {self.last:,} of {self.total:,} are shown. "
            "Others: at=100 opens at operation 100 with those around it, since=100 starts after it, "
            f"since=0, most={self.total} shows all."
        )

    def who(self, mm: Mm) -> str:
        """The name of a process."""
        return " + ".join(self.names.get(mm, ())) or f"mm {mm.id}"

    def states(self) -> Iterator[tuple[int, Done | None, State]]:
        """(k, operation k, the machine behind it) for each moment shown; one State, which goes on."""
        start = self.machine.at_boot if self.kept else self.machine.cells
        files = {
            c: v for c, v in self.machine.cells.items() if isinstance(c[0], AddressSpace) and c[1] == "data"
        }
        state = State(start)  # files come with their bytes: no operation ever writes those
        state.cells.update(files)
        for done in self.log[: self.first]:
            state.apply(done)
        yield self.first, self.log[self.first - 1] if self.first else None, state
        for k in range(self.first, self.last):
            state.apply(self.log[k])
            yield k + 1, self.log[k], state
