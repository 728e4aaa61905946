"""The open check of lab 4: a program that shows what the flag costs."""

from __future__ import annotations

from typing import Any

from ...check.checks import check, expect
from ...check.notebook import exercise
from ...machine import Kernel
from ..answers import program_in
from .two_designs import DESIGNS, LEFT, End, how_it_ended

OUTLIVES = "page_outlives_its_mappings"

exercise(
    OUTLIVES,
    "You now know what the flag costs, and how to show it.",
    more=0.5,
    untried="the kernels of all labs",
    in_kernel=False,
)


@check(OUTLIVES, points=1.5)
def the_scenario_shows_that_the_page_stays(kernel: Kernel) -> str:
    """At its end nobody maps the page; where entries are counted it has gone, and where mms are, it is there."""
    scenario = scenario_of(kernel)
    ends = {name: how_it_ended(design, scenario) for name, design in DESIGNS.items()}
    expect_outlived(ends)
    return "; ".join(f"{name}: {LEFT[end.there]}" for name, end in ends.items())


def scenario_of(kernel: Kernel) -> list[Any]:
    """What the student's function returns, if it is a scenario."""
    example, enough = "Mmap('a', 2 << 20)", "64 MiB are enough"
    return program_in(kernel.page_outlives_its_mappings(), OUTLIVES, example, 64 << 20, enough)


def expect_outlived(ends: dict[str, End]) -> None:
    """Where entries are counted the page has gone in the end, where mms are counted it is there, and nobody maps it."""
    for name, end in ends.items():
        expect(
            not end.maps,
            f"{name}: in the end the page is still mapped, by huge entries: {end.maps}",
            "Munmap, or write over it",
        )
    counted, flag = (next(e for n, e in ends.items() if n.startswith(w)) for w in ("entries", "mms"))
    expect(
        counted.brought,
        "your program never reads the huge zero page: nobody has brought it",
        "Madvise(…, 'hugepage')",
    )
    expect(
        not counted.there,
        "where entries are counted the page is still there in the end as well: so this does not tell the two apart",
        "who takes an idle page away, and only when asked?",
    )
    expect(
        flag.there,
        "where mms are counted the page has gone as well in the end",
        "an mm gives its reference back when its last user goes",
    )
