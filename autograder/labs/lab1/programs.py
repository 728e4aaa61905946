"""The generated programs of lab 1, and on which machines they run."""

from hugezero.machine import Kernel

from solutions import lab1_zero_page

from ..programs import ADVISED, AMPLE, EXAMPLES, FEW, TIGHT, Suite, functions_of

LABS = (lab1_zero_page,)
PROGRAMS = Suite(
    "lab 1",
    Kernel(functions_of(*LABS)),
    ((FEW, {"pages": 256}), (TIGHT, {"pages": 5}), (ADVISED, {"pages": AMPLE}), (TIGHT, {"pages": 6})),
    EXAMPLES * 5 // 2,
)
