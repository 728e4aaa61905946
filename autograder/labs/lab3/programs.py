"""The generated programs of lab 3, and on which machines they run."""

from hugezero.machine import Kernel

from solutions import lab1_zero_page, lab2_huge_zero_page, lab3_shrinker

from ..programs import EXAMPLES, OF_EACH_SIZE, Suite, functions_of

LABS = (
    lab1_zero_page,
    lab2_huge_zero_page,
    lab3_shrinker,
)
PROGRAMS = Suite("lab 3", Kernel(functions_of(*LABS)), OF_EACH_SIZE, EXAMPLES // 2, counted="entries")
