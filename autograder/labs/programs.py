"""The programs of each lab, and the promise that two kernels cannot be told apart by any of them."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from types import ModuleType
from typing import Any

from hugezero.check.checks import CodeRaised, Failed, expect
from hugezero.machine import Kernel
from hugezero.mm.huge_memory import HPAGE_PMD_NR
from hugezero.scenario import Action, Fork, Simulated, in_words
from hugezero.store import KernelBug
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from .making import make
from .plans import Program, Style
from .shrinking import FORGETS, fail_with_the_smallest
from .watched import Seen, Watched, difference

EXAMPLES = int(os.environ.get("HUGEZERO_EXAMPLES", "80"))
FRAMES = HPAGE_PMD_NR // 2  # beside the huge ones, so that page tables never break one up
SCARCE, AMPLE = 2 * HPAGE_PMD_NR + FRAMES, 16 * HPAGE_PMD_NR + FRAMES  # pages
Machines = tuple[tuple[Style, dict[str, Any]], ...]  # on which a lab's programs run, one after the other
FEW, TIGHT = Style((1, 2, 3, 4, 6)), Style((3, 4, 6), scarce=True)
ADVISED = Style((HPAGE_PMD_NR, 700, 2 * HPAGE_PMD_NR), huge=True)
HUGE = Style((HPAGE_PMD_NR, HPAGE_PMD_NR, 700, 2 * HPAGE_PMD_NR, 3), huge=True, switch=True)
TIGHT_HUGE = Style(
    (2 * HPAGE_PMD_NR, 1300, 3 * HPAGE_PMD_NR, 3 * HPAGE_PMD_NR), huge=True, switch=True, scarce=True
)
OF_EACH_SIZE: Machines = (
    (HUGE, {"pages": AMPLE}),
    (TIGHT_HUGE, {"pages": SCARCE}),
    (HUGE, {"pages": AMPLE}),
    (TIGHT_HUGE, {"pages": SCARCE - HPAGE_PMD_NR}),
)


def functions_of(*labs: ModuleType) -> dict[str, Callable[..., Any]]:
    """A kernel's functions when the solutions of these *labs* are in: a later one takes the place of an earlier one."""
    return {name: f for lab in labs for name, f in vars(lab).items() if inspect.isfunction(f)}


@dataclass(frozen=True)
class Suite:
    """The programs of a lab, *count* of them, on *machines* in turn; *counted*: what is counted of the huge zero page."""

    name: str
    reference: Kernel
    machines: Machines
    count: int
    counted: str = ""  # entries or mms: see at_rest
    made: dict[int, Program] = field(default_factory=dict)

    def program(self, n: int) -> Program:
        """Program number *n*, with what the reference shows."""
        if n not in self.made:
            style, config = self.machines[n % len(self.machines)]
            seed = f"{self.name}, program {n}"
            self.made[n] = make(seed, self.reference, style, log=False, **config)
        return self.made[n]

    def programs(self) -> list[Program]:
        """All of them."""
        return [self.program(n) for n in range(self.count)]


def told(scenario: list[Action]) -> tuple[str, ...]:
    """A scenario as the lines of a message."""
    return tuple(in_words(action) for action in scenario)


def story(scenario: list[Action]) -> str:
    return "this program shows it: " + ", ".join(told(scenario))


def _shown(kernel: Kernel, scenario: list[Action], right: list[Seen], config: dict[str, Any]) -> None:
    """Fail at the first action after which *kernel* does not show what is *right*."""
    done = 0
    try:
        machine = Watched(kernel, **config)
        for action, wanted in zip(scenario, right, strict=True):
            done += 1
            what = difference(machine.do(action), wanted)
            if what:
                raise _At(done, what, story(scenario[:done]))
    except KernelBug as bug:
        raise _At(done, f"kernel bug: {bug}", story(scenario[:done])) from None
    except CodeRaised as raised:
        raise _At(done, str(raised), story(scenario[:done])) from None


class _At(Failed):
    """A difference after *done* actions."""

    def __init__(self, done: int, why: str, hint: str) -> None:
        super().__init__(why, hint)
        self.done = done


def look_alike(kernel: Kernel, right: Kernel, scenario: list[Action], **config: Any) -> None:
    """Fail unless *kernel* and the reference, *right*, show the same to *scenario*."""
    machine = Watched(right, **config)
    _shown(kernel, scenario, [machine.do(action) for action in scenario], config)


def programs_look_alike(kernel: Kernel, suite: Suite, alone: bool = False) -> None:
    """No program of *suite* sees anything else than on the reference; fail with the smallest that does.

    *alone*: only what programs do before their first fork.
    """
    for n in range(suite.count):
        one = suite.program(n)
        actions = (
            list(takewhile(lambda action: not isinstance(action, Fork), one.actions))
            if alone
            else one.actions
        )
        try:
            _shown(kernel, actions, one.seen[: len(actions)], one.config)
        except _At as failed:
            look = partial(_look, kernel, suite.reference, one.config)
            fail_with_the_smallest(look, one.until(failed.done), one.scarce)


def _look(kernel: Kernel, right: Kernel, config: dict[str, Any], scenario: list[Action]) -> None:
    look_alike(kernel, right, scenario, **config)


def all_comes_back(kernel: Kernel, program: list[Action], when: str, **config: Any) -> None:
    """At the end of *program*, which is *when* its processes have ended, no frame is missing."""
    left = -Simulated(kernel, **config).run(program)[-1].vmstat["nr_free_pages"]
    expect(left == 0, f"{when}, and {left} frames did not come back")


def always(promise: Callable[[Any], None], examples: st.SearchStrategy[Any], count: int = EXAMPLES) -> None:
    """Keep *promise* for *count* generated examples, the same ones each time; fail with the smallest that breaks it."""

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(examples)
    def keep(example: Any) -> None:
        promise(example)

    try:
        keep()
    except Flaky:
        raise Failed(
            "it acts differently when it is run again with the same arguments on the same machine", FORGETS
        ) from None
