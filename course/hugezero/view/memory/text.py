"""The memory map in plain text: names every mapping, for terminals, screen readers and saved notebooks."""

from __future__ import annotations

from collections.abc import Collection

from .mappings import Row
from .scene import Frame, Scene


def as_text(scene: Scene, changed: Collection[str] = ()) -> str:
    """The whole scene, a line a mapping; what the operation *changed* is starred."""
    names = {frame.key: frame for frame in scene.frames}
    lines = []
    for owner in scene.owners:
        words = [*owner.lines, f"flag {owner.flag} is set"] if owner.flag else owner.lines
        said = f": {', '.join(words)}" if words else ""
        lines.append(_star(f"{owner.name}{said}", owner.key in changed))
        for area in owner.areas:
            lines.append(_star(f"  {area.label}", area.key in changed))
            lines += [_star(f"    {_row(row, names)}", row.key in changed) for row in area.rows]
        lines += [f"    {row.where:<24} {row.size:<12} {row.entry}" for row in owner.rows]
    if scene.frames:
        lines.append("frames")
    for frame in scene.frames:
        lines.append(
            _star(
                f"    {frame.name:<24} {' · '.join(filter(None, (frame.words, frame.held, frame.holders)))}",
                frame.key in changed,
            )
        )
    return "\n".join(lines) or "No process, no disk: nothing to map yet."


def _star(line: str, changed: bool) -> str:
    return f"{line}  *" if changed else line


def _row(row: Row, frames: dict[str, Frame]) -> str:
    target = f" → {_target(row, frames[row.frame])}" if row.frame in frames else ""
    return f"{row.where:<24} {row.size:<12} {row.entry or 'empty'}{target}"


def _target(row: Row, frame: Frame) -> str:
    """The frames of a row, in the order of its addresses."""
    if len(row.folios) < 2:
        return frame.name
    runs: list[list[int]] = []
    for folio in row.folios:
        if runs and folio.pfn == runs[-1][1] + 1:
            runs[-1][1] = folio.pfn
        else:
            runs.append([folio.pfn, folio.pfn])
    return "folios " + ", ".join(f"{low:#x}–{high:#x}" if high > low else f"{low:#x}" for low, high in runs)


def summary(scene: Scene) -> str:
    """The scene in a sentence or two, for a label."""
    frames = {frame.key: frame for frame in scene.frames}
    parts = []
    for owner in scene.owners:
        rows = [
            f"{row.where} {row.entry or 'empty'}"
            + (f" to {frames[row.frame].name}" if row.frame in frames else "")
            for area in owner.areas
            for row in area.rows
        ]
        rows += [f"{row.where} {row.entry}" for row in owner.rows]
        parts.append(
            f"{', '.join([owner.name, *owner.lines[:1]])}: {'; '.join(rows[:12]) or 'nothing mapped'}"
        )
    return "Memory map. " + ". ".join(parts)
