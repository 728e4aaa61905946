"""Experiments in a notebook, on the student's own kernel, whatever state that is in.

A function that is still a stub is stood in for by that of the last lab which had one, or by the one
that shares nothing; a function that goes wrong ends the experiment with a sentence, and not the notebook.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..check.notebook import labs_with
from ..machine import Kernel
from ..scenario import ACTIONS, Action, Observation, Simulated, in_words
from ..scenario.compare import bytes_in_words
from ..store import KernelBug, RunsOn
from . import open_checks
from .starting_kernel import kernel_before, lab_said


def attempt(function: Callable[..., Any], *args: Any) -> Any:
    """Call *function*; where it is not written yet, or goes wrong, say so and give None."""
    name = getattr(function, "__name__", repr(function))
    try:
        return function(*args)
    except NotImplementedError:
        print(f"{name} is not written yet. Come back to this cell when it is.")
    except RunsOn as on:
        print(f"{name}: {on}. Is there a loop that cannot end?")
    except KernelBug as bug:
        print(f"{name} made the kernel do something that no kernel may do: {bug}")
    except Exception as error:
        print(f"{name} raised {type(error).__name__}: {error}")
    return None


def _where(error: BaseException) -> str:
    """The function that raised *error*."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "a function of this kernel" if trace is None else trace.tb_frame.f_code.co_name


class Experiment:
    """One scenario on one kernel: what was observed, the machine it ran on, and what stopped it, if anything did."""

    def __init__(self, kernel: Kernel, **config: Any) -> None:
        self.observations: list[Observation] = []
        self.acts: list[tuple[int, str]] = []  # each action, and how many operations came before it
        self.stopped = ""
        try:
            self.simulated = Simulated(kernel, **config)
        except (Exception, KernelBug, RunsOn) as error:
            if "hugezero_init" not in kernel.functions:
                raise
            self.stopped = f"the machine does not boot: {type(error).__name__}: {error}"
            rest = {name: f for name, f in kernel.functions.items() if name != "hugezero_init"}
            self.simulated = Simulated(Kernel(rest), **config)

    @property
    def machine(self) -> Any:
        return self.simulated.machine

    def run(self, scenario: Iterable[Action], progress: Callable[[int, int], None] | None = None) -> None:
        """Do the actions until one cannot be done."""
        if self.stopped:
            print(f"Stopped: {self.stopped}")
            return
        self.simulated.progress = progress
        for action in scenario:
            told = in_words(action) if isinstance(action, ACTIONS) else repr(action)
            self.acts.append((len(self.machine.log or ()), told))
            try:
                self.observations.append(self.simulated.do(action))
            except KernelBug as bug:
                self.stopped = f"the kernel did something that no kernel may do: {bug}"
            except RunsOn as on:
                self.stopped = f"{on}. Is there a loop that cannot end?"
            except NotImplementedError as error:
                self.stopped = f"{_where(error)} is not written yet"
            except Exception as error:
                self.stopped = f"{type(error).__name__}: {error}"
            if self.stopped:
                print(f"Stopped at {told}: {self.stopped}")
                return

    def rss(self, process: str = "main") -> int:
        """The last RSS seen of *process*, in pages; 0 if it has none."""
        return next((o.rss[process] for o in reversed(self.observations) if process in o.rss), 0)

    def faults(self, process: str = "main") -> int:
        """The faults that *process* was last seen to have taken."""
        return next((o.faults[process] for o in reversed(self.observations) if process in o.faults), 0)

    def seen(self) -> list[Any]:
        """What each action gave."""
        return [o.seen for o in self.observations]

    def __repr__(self) -> str:
        rows: list[tuple[str, ...]] = [("action", "gave", "RSS in pages", "faults")]
        for o in self.observations:
            counts = [", ".join(f"{who} {n}" for who, n in what.items()) for what in (o.rss, o.faults)]
            rows.append((o.action, "" if o.seen is None else bytes_in_words(o.seen), *counts))
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows
        ]
        return "\n".join(line.rstrip() for line in lines)


def experiment(
    scenario: Iterable[Action],
    kernel: Kernel | None = None,
    progress: Callable[[int, int], None] | None = None,
    **config: Any,
) -> Experiment:
    """Run *scenario* on your kernel as it stands in this notebook, or on *kernel*."""
    run = Experiment(kernel or yours(sys._getframe(1).f_globals), **config)
    run.run(scenario, progress)
    return run


def yours(functions: Mapping[str, Any]) -> Kernel:
    """The kernel of a notebook whose globals are *functions*; see kernel_before for what is not written yet.

    Not only exercises count: any function there may be one that the kernel calls by its name.
    """
    lab = lab_said(functions)
    open_checks(lab or None)
    before = kernel_before(lab)
    kernel = {name: function for name, (_, function) in before.items()}
    for name, thing in functions.items():
        if inspect.isfunction(thing) or (callable(thing) and labs_with(name)):
            kernel[name] = _or_instead(name, thing, before.get(name))
    return Kernel(kernel)


def _or_instead(
    name: str, function: Callable[..., Any], stand_in: tuple[str, Callable[..., Any]] | None
) -> Callable[..., Any]:
    """*function*, or *stand_in* where it is a stub; one that calls a stub is none."""
    if stand_in is None or stand_in[1] is function:
        return function
    whose, instead = stand_in
    said = False

    def call(*args: Any) -> Any:
        nonlocal said
        try:
            return function(*args)
        except NotImplementedError as error:
            if _where(error) != getattr(function, "__name__", name):
                raise
            if not said:
                said = True
                print(f"{name} is not written yet: {whose} stands in for it.")
            return instead(*args)

    call.__name__ = name
    return call
