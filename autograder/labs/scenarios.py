"""Every scenario of the labs, by name: answers that are scenarios, families of programs, generated programs."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator

from hugezero.check.checks import lab_in
from hugezero.machine import Kernel
from hugezero.scenario import ACTIONS, Action
from hugezero.scenario.live.examples import EXAMPLES
from hugezero.store import NoMachine

from ..course.layout import Course, load
from . import families
from .making import make
from .measured import suites
from .programs import AMPLE, HUGE

Named = Iterator[tuple[str, list[Action]]]


def written(course: Course, stems: Collection[str]) -> Named:
    """Those that any Linux may be asked, answers of the labs *stems* that are scenarios, and what their checks share."""
    yield from EXAMPLES.items()
    for stem in stems:
        solution = load(f"solutions.{stem}", course.solution(stem))
        for name, function in inspect.getmembers(solution, inspect.isfunction):
            if function.__module__ == solution.__name__ and not inspect.signature(function).parameters:
                try:
                    answer = function()
                except NoMachine:
                    continue  # a function of the kernel
                if isinstance(answer, list) and all(isinstance(action, ACTIONS) for action in answer):
                    yield f"{stem}, {name}", answer
    for family in (families.reads, families.writes, families.splits, families.forks, families.unmaps):
        yield from ((f"{family.__name__} {n}", program) for n, program in enumerate(family()))


def programs(course: Course, stems: Collection[str]) -> Named:
    """The generated programs that the hidden checks of the labs *stems* run."""
    labs = {lab_in(stem) for stem in stems}
    for suite in suites(course):
        if suite.name.replace(" ", "") in labs:
            yield from ((f"{suite.name}, program {n}", suite.program(n).actions) for n in range(suite.count))


def generated(reference: Kernel, seed: str, count: int) -> Named:
    """As many more as you like."""
    for n in range(count):
        name = f"seed {seed}, program {n}"
        yield name, make(name, reference, HUGE, pages=AMPLE, log=False).actions
