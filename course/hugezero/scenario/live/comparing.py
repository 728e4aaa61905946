"""A scenario on running Linux and on a simulated kernel: the first thing that was not seen alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...hw.ram import PAGE_SIZE
from ..compare import bytes_in_words
from ..stage import Observation
from .observed import LiveObservation

COUNTERS = ("thp_fault_alloc", "thp_fault_fallback", "thp_split_pmd", "thp_zero_page_alloc")
MAPPED = "mapped"


class Difference(NamedTuple):
    """After action number *at*, from 0, *what* is not alike: seen, processes, rss, faults, kind, frame, tables, or a counter."""

    at: int
    what: str
    words: str


def first_difference(live: Sequence[LiveObservation], told: Sequence[Observation]) -> Difference | None:
    """The first thing in *live* that is not as a simulated kernel *told*; None if all that can be seen is."""
    for at, (mine, other) in enumerate(zip(live, told, strict=True)):
        found = _difference(mine, other)
        if found:
            return Difference(at, found[0], f"after {mine.action}: {found[1]}")
    return None


def _difference(live: LiveObservation, told: Observation) -> tuple[str, str] | None:
    if live.seen != told.seen:
        return (
            "seen",
            f"Linux gives {bytes_in_words(live.seen)}, the simulated kernel {bytes_in_words(told.seen)}",
        )
    if live.rss.keys() != told.rss.keys():
        return "processes", f"on Linux there are {', '.join(live.rss)}, simulated {', '.join(told.rss)}"
    for what, mine, other in (("rss", live.rss, told.rss), ("faults", live.faults, told.faults)):
        for name in mine:
            if what not in live.unseen and mine[name] != other[name]:
                words = "RSS of" if what == "rss" else "faults of"
                return what, f"{words} {name!r} is {mine[name]} on Linux, {other[name]} simulated"
    if found := _mapped(live, told):
        return found
    for name in COUNTERS if "counters" not in live.unseen else ():
        if name not in live.unseen and live.vmstat.get(name, told.vmstat[name]) != told.vmstat[name]:
            return name, f"{name} changed by {live.vmstat[name]:+} on Linux, {told.vmstat[name]:+} simulated"
    tables = "nr_page_table_pages"
    if "tables" not in live.unseen and live.vmstat[tables] != told.vmstat[tables]:
        return "tables", f"{live.vmstat[tables]} page tables on Linux, {told.vmstat[tables]} simulated"
    return None


def _mapped(live: LiveObservation, told: Observation) -> tuple[str, str] | None:
    if "mapped" in live.unseen:
        return None
    here = {(process, page): (kind, frame) for process, page, kind, frame in live.mappings}
    there = {(process, page): (plain(kind), frame) for process, page, kind, frame in told.mappings}
    for key in sorted(here.keys() | there.keys()):
        mine, other = here.get(key), there.get(key)
        where = f"{key[0]!r} at {key[1] * PAGE_SIZE:#x}"
        if mine is None or other is None or (mine[0] != other[0] and mine[0] != MAPPED):
            kinds = [one[0] if one else "nothing" for one in (mine, other)]
            return "kind", f"{where} maps {kinds[0]} on Linux, {kinds[1]} simulated"
        if mine[1] != other[1] and "frame" not in live.unseen:
            return "frame", f"{where} shares its frame with others than it does simulated"
    return None


def plain(kind: str) -> str:
    """A kind of mapping without the rights, which running Linux does not show."""
    return kind.split(",")[0].removeprefix("a ")
