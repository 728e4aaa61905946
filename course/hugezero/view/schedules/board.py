"""From the lines of a schedule to HTML: columns are CPUs, rows are operations, arrows are switches between CPUs.

Every row is a grid with the same columns, so that words wrap where there is little room and nothing is cut off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from .rows import Line, Told

LETTER = 6.7  # width of one of code, about
NUMBER, GAP, EDGES = 38, 5, 18  # px: the column of numbers, between columns, around code in its box
LEAST = 92  # of a CPU's column
NARROW, WIDE = 600, 820  # room for all columns in a narrow notebook, and where there is more
LINE = 104  # px of a value that is not wrapped where there is room
LONG = 16  # letters of a name that may be broken at its underscores


@dataclass
class Board:
    """Where the columns of a schedule are; the same for every schedule that is shown in its place.

    The first *named* cells are there however little room there is.
    """

    columns: Sequence[str]
    cells: Sequence[str]
    named: int
    code: Sequence[str]  # the longest piece of code of each CPU that is not broken
    values: Sequence[str]  # and of the values of each cell,
    whole: Sequence[int]  # whose longest has so many letters

    @classmethod
    def of(cls, columns: Sequence[str], named: int, *schedules: Told) -> Board:
        """A board with room for all *schedules*."""
        lines = [line for told in schedules for line in told.shown]
        cells = schedules[0].cells
        held = [told.before for told in schedules] + [line.values for line in lines]
        values = [_longest(each[i] for each in held) for i in range(len(cells))]
        whole = [max(len(each[i]) for each in held) for i in range(len(cells))]
        code = [_longest(line.code for line in lines if line.cpu == cpu) for cpu in range(len(columns))]
        return cls(columns, cells, named, code, values, whole)

    def __post_init__(self) -> None:
        self._cpus = [max(LEAST, round(len(code) * LETTER + EDGES)) for code in self.code]
        self._values = [
            round(max(40.0, len(_longest([name])) * 5.9 + 8, len(value) * LETTER + 12))
            for name, value in zip(self.cells, self.values, strict=True)
        ]
        self.shown = self._fitting(WIDE)
        self.narrow = min(self.shown, self._fitting(NARROW))

    def _left(self, room: int, cells: int) -> int:
        """What the CPUs and so many cells leave of *room*."""
        widths = [*self._cpus, *self._values[:cells]]
        return room - NUMBER - sum(widths) - GAP * len(widths)

    def _fitting(self, room: int) -> int:
        """How many cells fit beside the CPUs."""
        fit = [n for n in range(len(self._values) + 1) if n <= self.named or self._left(room, n) >= 0]
        return max(fit)

    def html(self, told: Told, alt: str) -> str:
        """The heads, which stay when the rows scroll, and the rows."""
        rows = [self._start(told)]
        before = -1
        for line in folded(told.lines):
            cpu = line[0].cpu
            if before not in (-1, cpu):
                rows.append(self._switch(before, cpu))
            rows.append(self._row(line[0], told) if line[0].shown else self._fold(line))
            before = cpu
        if told.broke:
            rows.append(_line("hz-end", self._wide("hz-verdict", f"✗ {escape(told.broke)}")))
        more = (
            f' style="--wide:{self._columns(self.shown, WIDE)};--narrow:{self._columns(self.narrow, NARROW)}"'
        )
        return f'<div class="hz-board" role="img" aria-label="{escape(alt)}"{more}>{self._heads()}{"".join(rows)}</div>'

    def _columns(self, cells: int, room: int) -> str:
        """The columns of the grid; where there is room, values stand on one line."""
        cpus = " ".join(f"minmax({width}px,1fr)" for width in self._cpus)
        left, widths = self._left(room, cells) / 2, []
        for width, letters in zip(self._values[:cells], self.whole, strict=False):
            more = max(0, min(LINE, round(letters * LETTER + 12)) - width)
            widths.append(width + more if more <= left else width)
            left -= widths[-1] - width
        return " ".join([f"{NUMBER}px {cpus}", *(f"{width}px" for width in widths)])

    def _heads(self) -> str:
        cpus = [f"<b>{_code(name)}</b>" for name in self.columns]
        cells = [self._cell(i, "hz-head", _code(name)) for i, name in enumerate(self.cells)]
        return _line("hz-heads", "<i></i>", *cpus, *cells)

    def _start(self, told: Told) -> str:
        """The row before the first one."""
        words = self._wide(
            "hz-op hz-start",
            "at the start" if told.lines else "nobody has gone yet",
            stop=len(self.columns) + 2,
        )
        cells = [self._cell(i, "", escape(value)) for i, value in enumerate(told.before)]
        return _line("hz-row", '<i class="n">0</i>', words, *cells, key="r0")

    def _row(self, line: Line, told: Told) -> str:
        look = "hz-op" + " hz-hw" * bool(line.hardware) + " bad" * line.culprit
        who = f'<span class="who">{escape(line.hardware)}</span> ' if line.hardware else ""
        gave = f' <span class="gave">{escape(line.gave)}</span>' if line.gave else ""
        parts = [
            f'<i class="n">{line.number}</i>',
            _at(line.cpu + 2, look, f"{who}<code>{_code(line.code)}</code>{gave}"),
        ]
        for i, value in enumerate(line.values):
            touched = i == line.touched
            parts.append(
                self._cell(i, "touched" * touched + " new" * (touched and line.changed), escape(value))
            )
        if line.note:
            parts.append(f'<p class="hz-note" style="grid-column:{line.cpu + 2}/-1">{escape(line.note)}</p>')
        if line.number == told.harm:
            parts.append(self._wide("hz-verdict", f"✗ Here it went wrong. {escape(told.broke)}"))
        return _line("hz-row", *parts, key=f"r{line.number}")

    def _fold(self, lines: Sequence[Line]) -> str:
        """Some operations that nobody learns anything from, as one line."""
        numbers = spanned(lines)
        words = f'<p class="hz-note" style="grid-column:{lines[0].cpu + 2}/-1">{escape(summary(lines))}</p>'
        return _line("hz-fold", f'<i class="n">{numbers}</i>', words)

    def _switch(self, one: int, other: int) -> str:
        """The arrow from the last row of a CPU to the first one of the next."""
        low, high = sorted((one, other))
        look = "right" if other > one else "left"
        style = f"grid-column:{low + 2}/{high + 3};margin:0 calc(50%/{high - low + 1})"
        return _line("hz-switch", f'<u class="{look}" style="{style}"></u>')

    def _cell(self, i: int, look: str, words: str) -> str:
        """A value, or the head of its column; one that has no room is not there."""
        if i >= self.shown:
            return ""
        look = f"hz-v {look}{' hz-more' if i >= self.narrow else ''}"
        return _at(len(self.columns) + 2 + i, look, words)

    def _wide(self, look: str, words: str, stop: int = -1) -> str:
        return f'<p class="{look}" style="grid-column:2/{stop}">{words}</p>'


def folded(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """Each line that is shown alone, and neighbours of one CPU that are not together."""
    for (_, shown), group in groupby(lines, lambda line: (line.cpu, line.shown)):
        together = list(group)
        yield from ([line] for line in together) if shown else [together]


def summary(lines: Sequence[Line]) -> str:
    """What folded *lines* are, in words."""
    kinds = list(dict.fromkeys(line.kind for line in lines))
    words = " and ".join(filter(None, [", ".join(kinds[:-1]), kinds[-1]]))
    return f"{len(lines)} operation{'s' * (len(lines) != 1)} on {words}"


def spanned(lines: Sequence[Line]) -> str:
    """The numbers of *lines*."""
    first, last = lines[0].number, lines[-1].number
    return f"{first}" if first == last else f"{first}–{last}"


def _line(look: str, *parts: str, key: str = "") -> str:
    more = f' data-k="{key}"' if key else ' data-switch=""' if look == "hz-switch" else ""
    return f'<div class="hz-line {look}"{more}>{"".join(parts)}</div>'


def _at(column: int, look: str, words: str) -> str:
    return f'<span class="{look.strip()}" style="grid-column:{column}">{words}</span>'


def _pieces(code: str) -> list[str]:
    """*code*, cut where it may be broken: never inside of a word."""
    pieces: list[str] = []
    for piece in re.split(r"(?<=[.(\s])(?=[\w(])", code):
        pieces += re.split(r"(?<=_)(?=[a-z])", piece) if len(piece) > LONG else [piece]
    return pieces


def _longest(texts: Iterator[str] | Sequence[str]) -> str:
    return max((piece.strip() for text in texts for piece in _pieces(text)), key=len, default="")


def _code(code: str) -> str:
    return "<wbr>".join(escape(piece) for piece in _pieces(code))
