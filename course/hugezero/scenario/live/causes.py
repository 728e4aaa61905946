"""Why Linux may show something else than the simulated kernel: the causes that are known, each with its reason.

None of them is about zeroes, so the labs do without. Those of LEARNED are not looked for: a simulated machine has
learned them. The others are told by the smallest program that shows a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...hw.ram import PMD_SIZE
from ..actions import Action, DropCaches, Fork, Madvise, Mmap, Mprotect, Write
from .comparing import Difference
from .learned import LEARNED

Program = Sequence[Action]  # up to the action after which there is a difference


class Cause(NamedTuple):
    """A cause: its name, its reason, and whether it explains a difference that is the first in a program."""

    name: str
    reason: str
    explains: Callable[[Program, Difference], bool]


def _by_a_drop(program: Program, found: Difference) -> bool:
    return isinstance(program[-1], DropCaches) and found.what in ("rss", "kind", "frame")


def _by_an_empty_table(program: Program, found: Difference) -> bool:
    last = program[-1]
    return isinstance(last, Madvise) and last.advice == "dontneed" and found.what == "tables"


def _by_reuse(program: Program, found: Difference) -> bool:
    forked = any(isinstance(action, Fork) for action in program)
    return isinstance(program[-1], Write) and forked and found.what == "frame"


def _by_merging(program: Program, found: Difference) -> bool:
    """Two parts of an area that were treated otherwise and then alike, or two areas side by side."""
    parts = [
        a for a in program if isinstance(a, Mprotect | Madvise) and getattr(a, "advice", "") != "dontneed"
    ]
    of_one = Counter(change.area for change in parts)
    parted = any(of_one[change.area] > 1 and (change.offset or change.length) for change in parts)
    areas = [action for action in program if isinstance(action, Mmap)]
    beside = any(area.length % PMD_SIZE == 0 for area in areas[:-1])
    return (parted or beside) and found.what in ("rss", "faults", "kind", "frame", "tables")


FOUND = (
    Cause(
        "a drop splits huge pages",
        "drop_caches 2 asks all shrinkers, and one of them splits huge pages that are mapped only in part; "
        "pages full of zeroes among them become the zero page.",
        _by_a_drop,
    ),
    Cause(
        "an empty table goes",
        "MADV_DONTNEED over all that a page table maps gives the table back as well.",
        _by_an_empty_table,
    ),
    Cause(
        "a page is used again",
        "of a huge page that is mapped page by page, what counts is who maps it now, and not who holds the folio: "
        "where nobody else maps it, a write needs no copy.",
        _by_reuse,
    ),
    Cause(
        "equal neighbors are merged",
        "areas side by side with the same rights and advice become one, so that huge pages fit across the seam, and "
        "the anon_vma of one is that of both, so that fork copies the tables of both.",
        _by_merging,
    ),
)
REASONS = {**LEARNED, **{cause.name: cause.reason for cause in FOUND}}


def cause_of(program: Program, found: Difference, smallest: bool = False) -> str | None:
    """The name of what explains that *found* is the first difference in *program*; None if nothing known does.

    Merging explains only what the *smallest* program shows, since other programs have enough areas for it by chance.
    """
    for cause in FOUND:
        if cause.explains(program, found) and (smallest or cause.explains is not _by_merging):
            return cause.name
    return None
