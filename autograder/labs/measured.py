"""What generated programs do: a figure for each thing that a program must do before it can show a mistake."""

from __future__ import annotations

from collections import Counter

from hugezero.scenario import Fork, Munmap, Read, UseZeroPage, Write

from ..course.layout import Course, load
from .plans import Program
from .programs import Suite

FAILED = ("SIGSEGV", "EINVAL", "out of memory", "no such process")
DOES = {
    "huge fork": "fork with a huge page mapped",
    "fork after write": "fork after a write",
    "cut and use": "cut an area and use what is left",
    "child reads": "read in a child",
    "grandchild": "have a grandchild",
    "no memory": "run out of memory",
    "switch": "use the switch use_zero_page",
}

FLOOR, MOST_FAILING = 0.25, 0.1  # of the programs do each of these; of all actions fail
LESS = {"lab 1": {"huge fork": 0.05, "switch": 0.0}}  # lab 1 has no huge pages of its own, and no switch


def suites(course: Course) -> list[Suite]:
    """The programs of each lab that has some."""
    files = [course.hidden_checks(stem).with_name("programs.py") for stem in course.stems()]
    return [
        load(f"autograder.labs.{file.parent.name}.programs", file).PROGRAMS
        for file in files
        if file.is_file()
    ]


def floor(suite: Suite, name: str) -> float:
    """The share of programs of *suite* that must do *name*, one of DOES."""
    return LESS.get(suite.name, {}).get(name, FLOOR)


def done_by(program: Program) -> set[str]:
    """Which of DOES one program does."""
    found: set[str] = set()
    children: set[str] = set()
    cut: set[str] = set()
    maps: list[tuple[str, str]] = []  # what was mapped before the action: process, kind
    fallbacks = 0
    for action, seen in zip(program.actions, program.seen, strict=True):
        well = seen.seen not in FAILED
        mine = [kind for process, kind in maps if process == action.by]
        if isinstance(action, Fork) and well:
            found |= {"huge fork"} if any(kind.startswith("huge") for kind in mine) else set()
            found |= {"fork after write"} if any("dirty" in kind for kind in mine) else set()
            found |= {"grandchild"} if action.by in children else set()
            children.add(action.child)
        elif isinstance(action, Munmap) and well and mine:
            cut.add(action.area)
        elif isinstance(action, Read | Write) and well:
            found |= {"cut and use"} if action.area in cut else set()
            found |= {"child reads"} if isinstance(action, Read) and action.by in children else set()
        elif isinstance(action, UseZeroPage):
            found.add("switch")
        if seen.seen == "out of memory" or seen.vmstat["thp_fault_fallback"] > fallbacks:
            found.add("no memory")
        fallbacks = seen.vmstat["thp_fault_fallback"]
        maps = [(process, kind) for process, _, kind, _ in seen.mappings]
    return found


def shares(programs: list[Program]) -> dict[str, float]:
    """For each of DOES the share of *programs* that do it; and of "failing" actions among all."""
    does = Counter(name for one in programs for name in done_by(one))
    seen = [each.seen for one in programs for each in one.seen]
    failing = sum(each in FAILED for each in seen if isinstance(each, str)) / len(seen)
    distinct = len({tuple(one.actions) for one in programs}) / len(programs)
    return {**{name: does[name] / len(programs) for name in DOES}, "failing": failing, "distinct": distinct}
