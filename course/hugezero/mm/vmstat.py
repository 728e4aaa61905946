"""The counters of /proc/vmstat that this course watches, under their Linux names."""

from __future__ import annotations

from ..store import Atomic, Counter, Handle


class Vmstat(Handle):
    """Event counters of the whole machine."""

    __slots__ = ()
    pgfault = Atomic(0, "page faults", Counter)
    nr_page_table_pages = Atomic(0, "frames in use as page tables", Counter)


VMSTAT = Vmstat(0)
