"""From the lines of a schedule to SVG: columns are CPUs, rows are operations, arrows are switches between CPUs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from xml.sax.saxutils import quoteattr

from ..shapes import label, number, rect
from .rows import Line, Told

WIDTH = 892  # if there is room enough in it
LEFT, NUMBER = 16, 36  # left edge of the numbers, and their right edge
FIRST = 46  # left edge of the first CPU's column
GAP = 6  # between columns
MONO, SANS = 7.25, 5.7  # width of a letter, about: of code at 12 pixels, of words at 11
ROW_H, STEP, SWITCH, LINE_H = 28, 32, 14, 14  # a switch sets two rows further apart
HEAD_H = 34
NARROW, WIDE = 120, 300  # of a CPU's column
LEAST = 142  # of the words at the end of a row


@dataclass
class Board:
    """Where the columns of a schedule are; the same for every schedule that is shown in its place."""

    columns: Sequence[str]
    cells: Sequence[str]
    code: Sequence[int]  # letters of the longest operation of each CPU,
    words: int  # of the longest words behind one,
    value: list[int] = field(default_factory=list)  # and of the longest value of each cell

    @classmethod
    def of(cls, columns: Sequence[str], *schedules: Told) -> Board:
        """A board with room for all *schedules*."""
        lines = [line for told in schedules for line in told.shown]
        cells = schedules[0].cells
        held = [told.before for told in schedules] + [line.values for line in lines]
        longest = [max(len(values[i]) for values in held) for i in range(len(cells))]
        code = [
            max((len(line.code) for line in lines if line.cpu == cpu), default=0)
            for cpu in range(len(columns))
        ]
        words = [len(line.said) for line in lines] + [len(told.cross) + 4 for told in schedules]
        return cls(columns, cells, code, max(words), longest)

    def __post_init__(self) -> None:
        self.column: list[float] = []  # how wide each is,
        self.left: list[float] = []  # and its left edge
        x: float = FIRST
        for letters, name in zip(self.code, self.columns, strict=True):
            self.left.append(x)
            self.column.append(min(WIDE, max(NARROW, letters * MONO + 16, len(name) * 6.8 + 16)))
            x += self.column[-1] + GAP
        self.values: list[float] = []  # the middle of each
        for name, letters in zip(self.cells, self.value, strict=True):
            w = max(40.0, len(name) * SANS + 12, letters * MONO + 18)
            self.values.append(x + w / 2)
            x += w
        self.said = x + 12
        wanted = min(WIDTH, self.said + self.words * SANS + LEFT)
        self.width = max(wanted, self.said + LEAST + LEFT)
        self.letters = int((self.width - LEFT - self.said) / SANS)

    def drawing(self, told: Told, alt: str) -> list[str]:
        """The parts of the SVG: the heads, which stay when the rows scroll, and the rows."""
        heads = [label(self.left[cpu], 22, name, "h small") for cpu, name in enumerate(self.columns)]
        heads += [
            label(x, 22, name, "soft small", "middle")
            for x, name in zip(self.values, self.cells, strict=True)
        ]
        rows: list[str] = []
        y = 4.0
        before: Line | None = None
        for line in told.shown:
            if before is not None and before.cpu != line.cpu:
                rows.append(self._switch(before.cpu, line.cpu, y - (STEP - ROW_H), y + SWITCH - 2))
                y += SWITCH - 2
            words = self._words(line, told.cross if line is told.lines[-1] else "")
            height = max(ROW_H, LINE_H * len(words) + 8)
            rows.append(self._row(line, y, height, words))
            y += height + STEP - ROW_H
            before = line
        if not told.lines:
            rows.append(label(FIRST, y + 18, "Nobody has done anything yet", "soft small"))
            y += STEP
        return [
            self._open(HEAD_H, 'class="hz-heads" aria-hidden="true"'),
            *heads,
            "</svg>",
            self._open(y + 4, f'role="img" aria-label={quoteattr(alt)}'),
            *rows,
        ]

    def _open(self, height: float, more: str) -> str:
        w, h = number(self.width), number(height)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" {more}>'
        )

    def _words(self, line: Line, cross: str) -> list[tuple[str, str]]:
        """What stands at the end of a row, cut into lines, and how they look."""
        said = [(part, "small soft") for part in wrap(line.said, self.letters)]
        return said + [
            (part, "small bad h") for part in wrap(cross and f"✗ {cross}", int(self.letters * 0.88))
        ]

    def _row(self, line: Line, y: float, height: float, words: list[tuple[str, str]]) -> str:
        base = y + ROW_H / 2 + 4
        x, width = self.left[line.cpu], self.column[line.cpu]
        letters = int((width - 16) / MONO)
        code = line.code if len(line.code) <= letters else f"{line.code[: letters - 1]}…"
        parts = [
            label(NUMBER, base, str(line.number), "soft small", "end"),
            rect(x, y, width, ROW_H, "card"),
            label(x + 9, base, code, "mono bad" if line.culprit else "mono"),
        ]
        for i, (middle, value) in enumerate(zip(self.values, line.values, strict=True)):
            touched = i == line.touched
            if touched:
                w = max(24.0, len(value) * MONO + 12)
                parts.append(rect(middle - w / 2, y + 4, w, ROW_H - 8, "where touched"))
            new = touched and line.changed
            parts.append(label(middle, base, value, "mono h" if new else "mono soft", "middle"))
        parts += [label(self.said, base + i * LINE_H, part, look) for i, (part, look) in enumerate(words)]
        return f'<g data-k="r{line.number}">{"".join(parts)}</g>'

    def _switch(self, one: int, other: int, top: float, bottom: float) -> str:
        """The arrow from the last row of a CPU to the first one of the next."""
        a, b = (self.left[cpu] + self.column[cpu] / 2 for cpu in (one, other))
        middle = top + (bottom - top) / 2 - 2
        line = f"M{number(a)} {number(top)}V{number(middle)}H{number(b)}V{number(bottom - 5)}"
        head = f"M{number(b)} {number(bottom)}l-4.5-7h9z"
        return f'<g data-switch=""><path d="{line}" class="edge"/><path d="{head}" class="head"/></g>'
