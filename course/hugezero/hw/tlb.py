"""Translations that CPUs remember: who has looked an address up goes on using what it found.

Only those of huge entries are modelled. A CPU forgets none by itself; the kernel has to tell it.

Linux: Documentation/core-api/cachetlb.rst
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..store import Atomic, Handle, View, Words, operation, record, running


@record
class Translation(NamedTuple):
    """*cpu* takes the 2 MiB from *start* to be in *folio*."""

    cpu: int
    start: int
    folio: Any


@operation(
    words=Words(lambda args, result, gives: f"from {args[0]:#x} up to {args[1]:#x}"),
    reads="nothing",
    writes=True,
)
def flush(old: tuple[Translation, ...], start: int, end: int) -> tuple[tuple[Translation, ...], None]:
    return tuple(one for one in old if not start <= one.start < end), None


class Translations(View):
    """A cell that holds what all CPUs remember of one address space."""

    __slots__ = ()
    verbs = (*View.verbs, "flush")

    def flush(self, start: int, end: int) -> None:
        """Make every CPU forget what it remembers of the addresses from *start* to *end*, and wait until it has."""
        running.environment.op(self.cell, "flush", (start, end))


class Tlb(Handle):
    """What the CPUs remember of one address space; its id is that of the mm."""

    __slots__ = ()
    cached = Atomic((), "translations, in the order in which they were looked up", Translations)
