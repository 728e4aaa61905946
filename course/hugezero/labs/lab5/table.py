"""Five designs in one table, one chart, and pictures to turn: what a notebook shows of `comparison`."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...hw.ram import PMD_SIZE
from ...scenario import DropCaches, Exit, Fork, Munmap, Read, Write
from ...store import KernelBug
from ...view import chart, memory_map
from ..experiment import Experiment
from .comparison import ROWS, Measured, measure
from .designs import LABS, PAGES, Design, designs

STORIES: dict[str, Sequence[Any]] = {
    "two reads, one write": [Read("a"), Read("a", PMD_SIZE), Write("a", PMD_SIZE)],
    "unmapped, and memory gets tight": [Read("a"), Munmap("a"), DropCaches()],
    "ended, and memory gets tight": [Read("a"), Exit(), DropCaches()],
    "a child reads what its parent has read": [Read("a"), Fork("child"), Read("a", by="child")],
}
CHARTED = ("faults", "writes", "left", "at_rest", "lines", "states")  # rows that have a bar for each design


SECTIONS = {  # what the rows are about
    "reading": ("faults", "rss", "tables"),
    "sharing": ("writes", "share"),
    "memory": ("asleep", "left", "at_rest", "without_mm"),
    "the page": ("comes", "goes"),
    "code": ("lines", "first", "later", "states"),
}
MORE_IS_BETTER = ("without_mm",)
BEST, WORST = "✓", "✗"
LOOKS = {BEST: "good", WORST: "bad", "": ""}
STYLE = """
.hugezero-five { border-collapse: collapse; font-size: 12px; max-width: 900px; --good: #1a7f37; --bad: #b3261e; }
[data-jp-theme-light="false"] .hugezero-five { --good: #56d364; --bad: #ff8f87; }
.hugezero-five :is(th, td) { text-align: right; vertical-align: baseline; padding: 3px 8px; font-weight: 400; white-space: normal; }
.hugezero-five tbody th { text-align: left; max-width: 220px; }
.hugezero-five tbody th[scope="rowgroup"], .hugezero-five b { font-weight: 600; }
.hugezero-five :is(thead, tbody) { border-bottom: 1px solid currentColor; }
.hugezero-five .good { color: var(--good); font-weight: 600; }
.hugezero-five .bad { color: var(--bad); }
"""


class Table:
    """The five designs side by side: what is the same in all of them is said once, below."""

    def __init__(
        self, rows: Mapping[str, Measured], whose: Mapping[str, str], missing: Sequence[str]
    ) -> None:
        self.rows, self.whose, self.missing = rows, whose, missing

    def _heads(self) -> list[list[str]]:
        """Return three lines: each design's lab and name, since when there is one, and whose kernel it is."""
        known = {
            name: (f"lab {lab[3:]}: {name}", f"{page}, {since}") for lab, (name, page, since) in LABS.items()
        }
        return [
            ["", *(known[name][0] for name in self.rows)],
            ["", *(known[name][1] for name in self.rows)],
            ["kernel", *(self.whose[name] for name in self.rows)],
        ]

    def _values(self, key: str) -> list[str]:
        return [_said(getattr(row, key)) for row in self.rows.values()]

    def _sections(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each section's name and the rows in which designs differ."""
        for name, keys in SECTIONS.items():
            if differ := [key for key in keys if len(set(self._values(key))) > 1]:
                yield name, differ

    def _marks(self, key: str) -> list[str]:
        """Return for each design whether it is the best or the worst in a row of numbers, alone or with others."""
        values = [getattr(row, key) for row in self.rows.values()]
        if any(isinstance(value, str) for value in values):
            return [""] * len(values)
        said = self._values(key)
        best, worst = sorted((min(values), max(values)), reverse=key in MORE_IS_BETTER)
        marks = {_said(best): BEST, _said(worst): WORST}
        return [marks.get(each, "") for each in said]

    @property
    def note(self) -> str:
        """Say what is the same in all designs; which design is not there, and why."""
        same = [
            f"{ROWS[key]}: {self._values(key)[0]}"
            for keys in SECTIONS.values()
            for key in keys
            if len(set(self._values(key))) == 1
        ]
        lines = [f"{BEST} best, {WORST} worst in its row."]
        if same and self.rows:
            lines.append(f"The same in all: {'; '.join(same)}.")
        lines += [
            f"{name}: comes when 5.4 and 5.5 are done in this notebook, or the course's kernel is imported."
            for name in self.missing
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        cells = self._heads()
        for name, keys in self._sections():
            cells.append([name, *[""] * len(self.rows)])
            for key in keys:
                values = zip(self._marks(key), self._values(key), strict=True)
                cells.append([f"  {ROWS[key]}", *(f"{mark} {value}".strip() for mark, value in values)])
        widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
        lines = [
            "  ".join(
                c.ljust(w) if not i else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        return "\n".join([*lines, "", self.note])

    def _repr_html_(self) -> str:
        names, since, kernels = (row[1:] for row in self._heads())
        heads = "".join(
            f'<th scope="col"><b>{html.escape(name)}</b><br>{html.escape(when)}</th>'
            for name, when in zip(names, since, strict=True)
        )
        whose = "".join(f"<td>{html.escape(each)}</td>" for each in kernels)
        body = "".join(self._section(name, keys) for name, keys in self._sections())
        notes = "".join(f"<p>{html.escape(line)}</p>" for line in self.note.splitlines())
        return (
            f'<style>{STYLE}</style><table class="hugezero-five"><thead><tr><td></td>{heads}</tr>'
            f'<tr><th scope="row" style="text-align:left">kernel</th>{whose}</tr></thead>{body}</table>{notes}'
        )

    def _section(self, name: str, keys: list[str]) -> str:
        rows = [f'<tr><th scope="rowgroup" colspan="{1 + len(self.rows)}">{name}</th></tr>']
        for key in keys:
            cells = "".join(
                f'<td class="{LOOKS[mark]}">{mark} {html.escape(value)}</td>'
                for mark, value in zip(self._marks(key), self._values(key), strict=True)
            )
            rows.append(f'<tr><th scope="row">{html.escape(ROWS[key])}</th>{cells}</tr>')
        return f"<tbody>{''.join(rows)}</tbody>"

    def chart(self) -> Any:
        """Bars: a small picture for each row that is a number."""
        import matplotlib.pyplot as plt

        figure, grid = plt.subplots(2, 3, figsize=(9.5, 4.6), layout="constrained")
        names, told = list(self.rows), []
        for key, axes in zip(CHARTED, grid.flat, strict=True):
            values = [getattr(row, key) for row in self.rows.values()]
            axes.barh(names, values)
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
    missing = [name for name, *_ in LABS.values() if name not in {one.name for one in found}]
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
    """Choose a program and two designs; their memory maps stand side by side, and each turns page by page."""
    found = {one.name: one for one in designs(sys._getframe(1).f_globals if here is None else here)}
    try:
        import ipywidgets as widgets
    except ImportError:
        return picture(found["per mm"], "two reads, one write")
    story = widgets.Dropdown(options=list(STORIES), description="program", layout={"width": "26em"})
    left, right = list(found)[-3:][0], list(found)[-1]
    sides = [_side(widgets, found, story, name) for name in (left, right)]
    return widgets.VBox([story, widgets.HBox(sides, layout={"flex_flow": "row wrap"})])


def _side(widgets: Any, found: Mapping[str, Design], story: Any, name: str) -> Any:
    """Return one of two designs: what it is chosen with, and its picture of *story*."""
    from IPython.display import display

    which = widgets.Dropdown(options=list(found), value=name, description="design")
    out = widgets.Output()

    def draw(_: Any = None) -> None:
        with out:
            out.clear_output(wait=True)
            display(picture(found[which.value], story.value))

    which.observe(draw, "value")
    story.observe(draw, "value")
    draw()
    return widgets.VBox([which, out], layout={"flex": "1 1 580px", "min_width": "0"})


def picture(design: Design, story: str) -> Any:
    """Return the memory map of one design and one of STORIES, after the first read."""
    run = Experiment(design.kernel, pages=PAGES)
    run.run(design.program())
    start = len(run.machine.log)
    run.run(STORIES[story])
    return memory_map(run, at="Read", since=start)
