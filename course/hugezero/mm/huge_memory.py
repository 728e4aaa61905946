"""The huge zero page: what the kernel knows about it.

Linux: mm/huge_memory.c
"""

from __future__ import annotations

from ..store import Atomic, Counter, Handle, Slot


class HugeZero(Handle):
    """The one huge folio of zeroes, if there is one now, and how many hold it."""

    __slots__ = ()
    refcount = Atomic(0, "its users, and one for the shrinker; 0 if there is none", Counter)
    folio = Atomic(None, "the folio, or None", Slot)


HUGE_ZERO = HugeZero(0)
