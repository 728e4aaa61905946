"""The generated programs of lab 5, and on which machines they run."""

from hugezero.machine import Kernel

from solutions import lab1_zero_page, lab2_huge_zero_page, lab3_shrinker, lab4_mm_flag, lab5_persistent

from ..programs import AMPLE, EXAMPLES, HUGE, SCARCE, TIGHT_HUGE, Suite, functions_of

LABS = (
    lab1_zero_page,
    lab2_huge_zero_page,
    lab3_shrinker,
    lab4_mm_flag,
    lab5_persistent,
)
PROGRAMS = Suite(
    "lab 5",
    Kernel(functions_of(*LABS)),
    (
        (HUGE, {"pages": AMPLE, "persistent_huge_zero_folio": True}),
        (HUGE, {"pages": AMPLE}),
        (TIGHT_HUGE, {"pages": SCARCE, "persistent_huge_zero_folio": True}),
        (TIGHT_HUGE, {"pages": SCARCE}),
        (TIGHT_HUGE, {"pages": SCARCE, "persistent_huge_zero_folio": True, "fail": frozenset({0})}),
    ),
    EXAMPLES // 4,
)
