"""Who is asked to give memory back when it gets tight.

A shrinker is two functions of the kernel: one tells how many pages could go, the other lets them go.

Linux: mm/shrinker.c, fs/drop_caches.c
"""

from __future__ import annotations

from ..store import Atomic, Handle, Vector, call

MOST = 8  # shrinkers that a machine can have


class Shrinkers(Handle):
    """Those that are registered, in the order in which they are asked."""

    __slots__ = ()
    registered = Atomic((), "for each the names of its two functions, and what these are called with", Vector)


SHRINKERS = Shrinkers(0)


def shrinker_register(count: str, scan: str, what: Handle) -> None:
    """Have `count(what)` asked when memory gets tight, and `scan(what)` where there is something to free."""
    SHRINKERS.registered.append((count, scan, what), MOST)


def shrink_slab() -> int:
    """Ask every shrinker; return how many pages came back."""
    freed = 0
    for count, scan, what in SHRINKERS.registered.read():
        if call(count, what):
            freed += call(scan, what)
    return freed
