"""The five designs, each a kernel that can be run: the student's own where its lab is done in full, else the course's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...check.notebook import EXERCISES, run_open
from ...machine import Kernel, Machine
from ...scenario import Madvise, Mmap, Simulated
from .. import open_checks
from ..starting_kernel import OWN, kernel_of, lab_said

LABS = {  # what each design is called, how large its page is, and since when Linux has had it
    "lab1": ("zero page", "4 KiB", "from the beginning"),
    "lab2": ("set aside", "2 MiB", "2012, first patches"),
    "lab3": ("counted", "2 MiB", "2012, Linux 3.8"),
    "lab4": ("per mm", "2 MiB", "2016, Linux 4.9"),
    "lab5": ("persistent", "2 MiB", "2025, Linux 6.18, option on"),
}
READS = 64 << 20  # bytes that a program reads
PAGES = 1 << 15


class Built(Kernel):
    """A kernel with the option on."""

    def booted(self, **config: Any) -> Machine:
        return super().booted(**{"persistent_huge_zero_folio": True, **config})


@dataclass(frozen=True)
class Design:
    """One of the five: its kernel, and whose that is. *huge*: do programs ask for huge pages?"""

    name: str
    kernel: Kernel
    whose: str
    huge: bool = True

    def simulated(self, **more: Any) -> Simulated:
        """A machine with this design that has just come up."""
        return Simulated(self.kernel, **{"pages": PAGES, "log": False, **more})

    def program(self, *actions: Any) -> list[Any]:
        """*actions* on an area "a" of 64 MiB."""
        advice = [Madvise("a", "hugepage")] if self.huge else []
        return [Mmap("a", READS), *advice, *actions]


def designs(here: Mapping[str, Any], labs: Mapping[str, Mapping[str, Any]] | None = None) -> list[Design]:
    """The designs that there are: those of earlier labs, and that of the notebook whose globals are *here*, if it is done.

    *labs*: the kernels of labs by name, as lab1; those of the labs before this notebook's if nothing is said.
    """
    open_checks()
    if labs is None:
        labs = {f"lab{earlier}": kernel_of(earlier) for earlier in range(lab_said(here))}
    found: list[Design] = []
    functions: dict[str, Any] = {}
    for lab, (name, *_) in LABS.items():
        theirs, mine = dict(labs.get(lab, {})), OWN.get(lab, {})
        whose = "yours" if mine.keys() >= _functions_of(lab) else "partly yours" if mine else "the course's"
        if lab == "lab5" and not theirs:
            theirs, whose = _done(here), "yours"
        if not theirs and not mine:
            continue
        functions |= {**theirs, **mine}
        kernel = Built(functions) if lab == "lab5" else Kernel(functions)
        found.append(Design(name, kernel, whose, huge=lab != "lab1"))
    return found


def _functions_of(lab: str) -> set[str]:
    """The exercises of *lab* that are functions of a kernel."""
    return {name for (each, name), known in EXERCISES.items() if each == lab and known.in_kernel}


def _done(here: Mapping[str, Any]) -> dict[str, Any]:
    """Lab 5's functions in *here*, if what the design needs of them is done."""
    needed = ("hugezero_init", "mm_get_huge_zero_folio", "mm_put_huge_zero_folio", "largest_zero_folio")
    for name in needed:
        results = run_open(name, here.get(name), "lab5")
        if any(result.voice != "done" for result in results):
            return {}
    return {name: here[name] for name in needed}
