"""Five designs in one table, one chart, and pictures to turn: what a notebook shows of `comparison`."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...hw.ram import PMD_SIZE
from ...scenario import DropCaches, Exit, Fork, Munmap, Read, Write
from ...store import KernelBug
from ...view import chart, memory_map
from .comparison import ROWS, Measured, measure
from .designs import LABS, Design, designs

STORIES: dict[str, Sequence[Any]] = {
    "two reads, one write": [Read("a"), Read("a", PMD_SIZE), Write("a", PMD_SIZE)],
    "unmapped, and memory gets tight": [Read("a"), Munmap("a"), DropCaches()],
    "ended, and memory gets tight": [Read("a"), Exit(), DropCaches()],
    "a child reads what its parent has read": [Read("a"), Fork("child"), Read("a", by="child")],
}
CHARTED = ("faults", "writes", "left", "at_rest", "lines", "states")  # rows that have a bar for each design


class Table:
    """The five designs side by side."""

    def __init__(
        self, rows: Mapping[str, Measured], whose: Mapping[str, str], missing: Sequence[str]
    ) -> None:
        self.rows, self.whose, self.missing = rows, whose, missing

    def _cells(self) -> list[list[str]]:
        head = ["", *self.rows]
        kernels = ["kernel", *(self.whose[name] for name in self.rows)]
        body = [
            [title, *(_said(getattr(row, key)) for row in self.rows.values())] for key, title in ROWS.items()
        ]
        return [head, kernels, *body]

    @property
    def note(self) -> str:
        """Which design is not there, and why."""
        return "".join(
            f"\n{name}: comes when 5.4 and 5.5 are done in this notebook, or the course's kernel is imported."
            for name in self.missing
        )

    def __repr__(self) -> str:
        cells = self._cells()
        widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
        lines = [
            "  ".join(
                c.ljust(w) if not i else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in cells
        ]
        return "\n".join(lines) + self.note

    def _repr_html_(self) -> str:
        head, *body = self._cells()
        top = "".join(f'<th scope="col" style="text-align:right">{html.escape(c)}</th>' for c in head)
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{html.escape(row[0])}</th>'
            + "".join(f'<td style="text-align:right">{html.escape(c)}</td>' for c in row[1:])
            + "</tr>"
            for row in body
        )
        note = f"<p>{html.escape(self.note.strip())}</p>" if self.note else ""
        return (
            f'<table class="hugezero-five"><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>{note}'
        )

    def chart(self) -> Any:
        """Bars: a small picture for each row that is a number."""
        import matplotlib.pyplot as plt

        figure, grid = plt.subplots(2, 3, figsize=(9.5, 4.6), layout="constrained")
        names, told = list(self.rows), []
        for key, axes in zip(CHARTED, grid.flat, strict=True):
            values = [getattr(row, key) for row in self.rows.values()]
            axes.barh(names, values, color="none", edgecolor="black", hatch="//")
            for n, value in enumerate(values):
                axes.annotate(
                    _said(value),
                    (value, n),
                    textcoords="offset points",
                    xytext=(3, 0),
                    va="center",
                    fontsize=8,
                )
            axes.set_title(ROWS[key].replace(", ", ",\n", 1), fontsize=9)
            axes.set_xlim(0, 1.35 * max([*values, 1]))
            axes.set_xticks([])
            axes.invert_yaxis()
            axes.tick_params(axis="y", labelsize=8)
            told.append(
                f"{ROWS[key]}: " + "; ".join(f"{n} {_said(v)}" for n, v in zip(names, values, strict=True))
            )
        return chart(figure, alt="Six measures, a bar for each of the designs", text="\n".join(told))


def _said(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def five_designs(
    here: Mapping[str, Any] | None = None, progress: Callable[[int, int], None] | None = None
) -> Table:
    """Measure the designs on the same programs: on your own kernels where your labs are done, and on the course's elsewhere."""
    found = designs(sys._getframe(1).f_globals if here is None else here)
    rows: dict[str, Measured] = {}
    whose: dict[str, str] = {}
    missing = [name for name, _ in LABS.values() if name not in {one.name for one in found}]
    for n, one in enumerate(found):
        if progress is not None:
            progress(n, len(found))
        try:
            rows[one.name], whose[one.name] = measure(one), one.whose
        except (Exception, KernelBug) as wrong:
            print(f"{one.name}: could not be measured: {type(wrong).__name__}: {wrong}")
    if progress is not None:
        progress(len(found), len(found))
    return Table(rows, whose, missing)


def turn_pages(here: Mapping[str, Any] | None = None) -> Any:
    """Choose a design and a program; its memory map turns page by page."""
    found = {one.name: one for one in designs(sys._getframe(1).f_globals if here is None else here)}
    try:
        import ipywidgets as widgets
        from IPython.display import display
    except ImportError:
        return picture(found["per mm"], "two reads, one write")
    which = widgets.Dropdown(options=list(found), value=list(found)[-1], description="design")
    story = widgets.Dropdown(options=list(STORIES), description="program", layout={"width": "26em"})
    out = widgets.Output()

    def draw(_: Any = None) -> None:
        with out:
            out.clear_output(wait=True)
            display(picture(found[which.value], story.value))

    which.observe(draw, "value")
    story.observe(draw, "value")
    draw()
    return widgets.VBox([widgets.HBox([which, story]), out])


def picture(design: Design, story: str) -> Any:
    """The memory map of one design and one of STORIES."""
    simulated = design.simulated(log=True)
    simulated.run(design.program())
    start = len(simulated.machine.log or ())
    simulated.run(STORIES[story])
    return memory_map(simulated, since=start)
