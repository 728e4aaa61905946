"""The counters of /proc/vmstat that this course watches, under their Linux names."""

from __future__ import annotations

from ..store import Atomic, Counter, Handle


class Vmstat(Handle):
    """Event counters of the whole machine."""

    __slots__ = ()
    pgfault = Atomic(0, "page faults", Counter)
    thp_fault_alloc = Atomic(0, "huge pages that a fault was given", Counter)
    thp_fault_fallback = Atomic(0, "huge faults that had to do with small pages", Counter)
    thp_split_pmd = Atomic(0, "huge entries that were split into small ones", Counter)
    thp_zero_page_alloc = Atomic(0, "huge zero pages that were set up", Counter)
    thp_zero_page_alloc_failed = Atomic(0, "huge zero pages that no memory was found for", Counter)
    nr_page_table_pages = Atomic(0, "frames in use as page tables", Counter)


VMSTAT = Vmstat(0)
