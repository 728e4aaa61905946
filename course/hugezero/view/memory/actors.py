"""Who did each operation of a log: the program, the hardware that walks its tables for it, or the kernel.

The log does not say it. But a walk looks at a table's entries just before the byte that they lead to is read or
written, or before the kernel looks for the area in which there was a fault, and for its rights; the kernel itself
does neither.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...mm.mm_types import Mm
from ...mm.pgtable import PmdTable, PteTable
from ...store import Done
from ..words import entry_of

PROGRAM, HARDWARE, KERNEL = "program", "hardware", "kernel"


def actors(log: Sequence[Done]) -> list[str]:
    """Return for each operation of *log* who did it."""
    found = [KERNEL] * len(log)
    for k, done in enumerate(log):
        walked = _walk(log, k)
        if not walked:
            continue
        entry = entry_of(log[k - 1].result)
        accessed = done.verb in ("load", "store") and entry is not None and entry.folio is done.cell[0]
        if accessed or _faulted(log, k, walked):
            found[k - walked : k] = [HARDWARE] * walked
        if accessed:
            found[k] = PROGRAM
    return found


def _faulted(log: Sequence[Done], k: int, walked: int) -> bool:
    """Return whether the kernel looks for an area at place *k*, because the walk before it came to nothing."""
    looked = log[k].verb == "read" and log[k].cell == (Mm(log[k - walked].cell[0].id), "mmap")
    then = log[k + 1] if k + 1 < len(log) else None
    return looked and (then is None or (then.verb == "read" and then.cell[1] == "vm_flags"))


def _walk(log: Sequence[Done], k: int) -> int:
    """Return how many operations just before the one at place *k* are a walk down the tables: two, one or none."""
    last = log[k - 1] if k else None
    if last is None or last.verb != "read":
        return 0
    table = last.cell[0]
    if isinstance(table, PmdTable):
        return 0 if isinstance(last.result, PteTable) else 1
    above = log[k - 2] if k > 1 else None
    if not isinstance(table, PteTable) or above is None or not isinstance(above.cell[0], PmdTable):
        return 0
    return 2 if above.verb == "read" and above.result is table else 0
