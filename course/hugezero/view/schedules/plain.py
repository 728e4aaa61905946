"""A schedule in plain text: a column a CPU, and every row."""

from __future__ import annotations

from collections.abc import Sequence

from .board import folded, spanned, summary
from .rows import Told


def table(columns: Sequence[str], told: Told) -> str:
    """The schedule as a table; what goes wrong stands under the row that did it, and at the end."""
    rows: list[list[str] | str] = [["", *columns, *told.cells, ""]]
    rows.append(["   0", "at the start", *[""] * (len(columns) - 1), *(f" {v} " for v in told.before), ""])
    before: int | None = None
    for group in folded(told.lines):
        line = group[0]
        mark = ">" if before not in (None, line.cpu) else " "
        before = line.cpu
        if not line.shown:
            rows.append(f"{mark}{spanned(group):>3} ({columns[line.cpu]}: {summary(group)})")
            continue
        does = f"[{line.hardware}] {line.code}" if line.hardware else line.code
        code = [does if cpu == line.cpu else "" for cpu in range(len(columns))]
        values = [
            f"[{value}]" if i == line.touched and line.changed else f" {value} "
            for i, value in enumerate(line.values)
        ]
        rows.append([f"{mark}{line.number:>3}", *code, *values, line.said])
        if line.number == told.harm:
            rows.append(f"     ✗ Here it went wrong. {told.broke}")
    if told.broke:
        rows.append(f"     ✗ {told.broke}")
    cells = [row for row in rows if isinstance(row, list)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]

    def padded(row: list[str] | str) -> str:
        if isinstance(row, str):
            return row
        return "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()

    return "\n".join([*map(padded, rows), "", "> another CPU goes on   [ ] just changed"])
