"""Settings of transparent huge pages, as files below /sys show them. Can be imported on any system, and alone."""

from __future__ import annotations

from pathlib import Path

THP = Path("/sys/kernel/mm/transparent_hugepage")


def chosen(text: str) -> str:
    """Return what is chosen in *text*: of `always [madvise] never` it is madvise, else all of it.

    >>> chosen("always [madvise] never"), chosen("1")
    ('madvise', '1')
    """
    return text.split("[")[1].split("]")[0] if "[" in text else text.strip()


def setting(name: str) -> str:
    """Return a setting of transparent huge pages; "" where there is none."""
    try:
        return chosen((THP / name).read_text())
    except OSError:
        return ""
