"""The reference's kernel of each design so far, by the design's name in the recorded table."""

import inspect

from hugezero.machine import Kernel

from solutions import lab1_zero_page, lab2_huge_zero_page, lab3_shrinker, lab4_mm_flag, lab5_persistent


def functions(*labs):
    """What *labs* define and import, where the later one wins."""
    return {name: f for lab in labs for name, f in vars(lab).items() if inspect.isfunction(f)}


class Persistent(Kernel):
    """A kernel with the option on."""

    def booted(self, **config):
        return super().booted(**{"persistent_huge_zero_folio": True, **config})


ALL = functions(lab1_zero_page, lab2_huge_zero_page, lab3_shrinker, lab4_mm_flag, lab5_persistent)
KERNELS = {
    "shares nothing": Kernel(),
    "zero page": Kernel(functions(lab1_zero_page)),
    "huge zero page": Kernel(functions(lab1_zero_page, lab2_huge_zero_page)),
    "counted": Kernel(functions(lab1_zero_page, lab2_huge_zero_page, lab3_shrinker)),
    "per-mm flag": Kernel(functions(lab1_zero_page, lab2_huge_zero_page, lab3_shrinker, lab4_mm_flag)),
    "persistent": Persistent(ALL),
    "persistent, option off": Kernel(ALL),
}
