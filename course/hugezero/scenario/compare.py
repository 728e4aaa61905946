"""Two runs of one scenario: the first thing that was not observed alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..hw.ram import PAGE_SIZE
from .stage import Observation


def first_difference(got: Sequence[Observation], expected: Sequence[Observation]) -> str | None:
    """A sentence about the first observation in *got* that is not as in *expected*; None if all are."""
    for mine, right in zip(got, expected, strict=True):
        what = _difference(mine, right)
        if what:
            return f"after {mine.action}: {what}"
    return None


def _difference(mine: Observation, right: Observation) -> str | None:
    if mine.seen != right.seen:
        return f"it gave {bytes_in_words(mine.seen)}; it should give {bytes_in_words(right.seen)}"
    for process, rss in right.rss.items():
        if mine.rss[process] != rss:
            return f"RSS of {process!r} is {mine.rss[process]} pages; it should be {rss}"
    for process, faults in right.faults.items():
        if mine.faults[process] != faults:
            return f"{process!r} has taken {mine.faults[process]} page faults; it should be {faults}"
    if mine.mappings != right.mappings:
        return _mapped(mine, right)
    for name in ("nr_free_pages", "nr_page_table_pages", "thp_zero_page_alloc"):
        if mine.vmstat[name] != right.vmstat[name]:
            return f"{name} has changed by {mine.vmstat[name]:+}; it should have changed by {right.vmstat[name]:+}"
    return None


def _mapped(mine: Observation, right: Observation) -> str | None:
    here = {(process, page): rest for process, page, *rest in mine.mappings}
    there = {(process, page): rest for process, page, *rest in right.mappings}
    for process, page in sorted(here.keys() | there.keys()):
        now, wanted = here.get((process, page)), there.get((process, page))
        if now != wanted:
            at = f"{process!r} at {page * PAGE_SIZE:#x}"
            if now and wanted and now[0] == wanted[0]:
                return f"{at} maps another frame than it should: what is shared, and with whom?"
            return f"{at} maps {_kind(now)}; it should map {_kind(wanted)}"
    return None


def bytes_in_words(seen: Any) -> str:
    """What an action gave, for a person."""
    if isinstance(seen, list):
        return " ".join(f"{byte:#04x}" + (f" ×{times}" if times > 1 else "") for byte, times in seen)
    return str(seen)


def _kind(mapping: Any) -> str:
    return str(mapping[0]) if mapping else "nothing"
