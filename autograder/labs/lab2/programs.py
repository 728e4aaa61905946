"""The generated programs of lab 2, and on which machines they run."""

from hugezero.machine import Kernel

from solutions import lab1_zero_page, lab2_huge_zero_page

from ..programs import AMPLE, EXAMPLES, HUGE, SCARCE, TIGHT_HUGE, Suite, functions_of

LABS = (
    lab1_zero_page,
    lab2_huge_zero_page,
)
PROGRAMS = Suite(
    "lab 2",
    Kernel(functions_of(*LABS)),
    ((HUGE, {"pages": AMPLE}), (TIGHT_HUGE, {"pages": SCARCE})),
    EXAMPLES // 2,
)
