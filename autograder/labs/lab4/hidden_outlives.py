"""The hidden check of lab 4: what a program shows on the kernels of all labs."""

from __future__ import annotations

from hugezero.check.checks import check, expect
from hugezero.labs.lab4.check_outlives import OUTLIVES, scenario_of
from hugezero.labs.lab4.two_designs import LEFT, how_it_ended
from hugezero.machine import Kernel
from hugezero.mm.huge_memory import HUGE_ZERO, set_huge_zero_page_aside

from ..programs import functions_of
from .programs import LABS, PROGRAMS


def _for_ever() -> Kernel:
    """A kernel whose page is there from boot on, whoever needs it: it counts nobody, and nothing takes it away."""
    return Kernel(
        PROGRAMS.reference.functions,
        hugezero_init=set_huge_zero_page_aside,
        mm_get_huge_zero_folio=lambda mm: HUGE_ZERO.folio.read(),
        mm_put_huge_zero_folio=lambda mm: None,
    )


@check(OUTLIVES, points=0.5)
def every_design_tells(kernel: Kernel) -> str:
    """On the kernels of all labs: only where entries are counted, and where there is no such page, none is left."""
    scenario = scenario_of(kernel)
    ends = {f"lab {n}": how_it_ended(Kernel(functions_of(*LABS[:n])), scenario) for n in range(1, 5)}
    ends["lab 5"] = how_it_ended(_for_ever(), scenario)
    for name, end in ends.items():
        expect(not end.maps, f"{name}: in the end the page is still mapped, by huge entries: {end.maps}")
        right = name not in ("lab 1", "lab 3")
        expect(
            end.there == right,
            f"{name}: in the end {LEFT[end.there]}; a program that shows what the flag costs leaves it so that "
            f"{LEFT[right]}",
        )
    return "; ".join(f"{name}: {LEFT[end.there]}" for name, end in ends.items())
