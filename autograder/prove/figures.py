"""Published numbers, beside those that the course computes from its reference kernels; and the charts of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hugezero.cost.contention import bouncing, shares, side_by_side, sweep
from hugezero.machine import Kernel
from hugezero.view import cycles_chart, throughput_chart

from ..course.layout import Course

CPUS = (1, 2, 4, *range(8, 73, 4))  # of the curves
Tell = Callable[[int, int], None]


class NoFigures(ValueError):
    """A lab of which nothing was published that could be computed."""


def figures(course: Course, stem: str, part: int = 16, tell: Tell | None = None) -> tuple[str, list[Path]]:
    """The table for lab *stem*, and the files that it and its charts were written to, in build/figures/.

    *part*: a so many-th of the experiment; 1 is all of it. Deterministic. NoFigures for a lab that has none.
    """
    if not stem.startswith("lab4"):
        raise NoFigures(
            f"{stem}: nothing was published of it that could be computed; lab4_mm_flag has figures"
        )
    counted, flag = (Kernel(course.reference(other)) for other in (_before(course, stem), stem))
    old, new = (bouncing(kernel, part=part, progress=tell) for kernel in (counted, flag))
    names = "each entry counted (lab 3)", "each mm counted (lab 4)"
    charts = {
        "throughput": throughput_chart(
            {name: sweep(kernel, CPUS) for name, kernel in zip(names, (counted, flag), strict=True)}
        ),
        "cycles": cycles_chart(dict(zip(names, (old, new), strict=True))),
    }
    told = side_by_side(shares(old), shares(new))
    folder = course.build / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{stem}.txt"]
    files[0].write_text(told + "\n", "utf-8")
    for name, chart in charts.items():
        files.append(folder / f"{stem}_{name}.png")
        files[-1].write_bytes(chart.png)
    return told, files


def _before(course: Course, stem: str) -> str:
    """The lab before *stem*, by its reference: its notebook may not be there."""
    return sorted(path.stem for path in (course.root / "solutions").glob("lab*.py") if path.stem < stem)[-1]
