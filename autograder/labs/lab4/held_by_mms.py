"""Where each mm that uses the huge zero folio holds it once: what must be so of whole paths in lab 4."""

from __future__ import annotations

from functools import cache

from hugezero.explore.state import Peek
from hugezero.hw.ram import PMD_SIZE
from hugezero.hw.tlb import Tlb
from hugezero.mm.huge_memory import HUGE_ZERO
from hugezero.mm.mm_types import Mm
from hugezero.mm.pgtable import Pmd, PmdTable

from ..explorations import Town
from .programs import PROGRAMS


class HeldByMms(Town):
    """A town where each mm that uses the folio holds it once, from its first fault to its end."""

    def users(self, peek: Peek) -> tuple[int, str]:
        """The mms that have their flag set and are still in use."""
        n = len(self._holders(peek))
        return n, f"{n} living mm{'s have their flags' if n != 1 else ' has its flag'} set"

    def at_end(self, peek: Peek) -> str | None:
        """And each mm that maps the folio is one of them."""
        holders = self._holders(peek)
        for mm in self.mms:
            if mm not in holders and any(entry.special for entry in self._huge(peek, mm)):
                return f"when all is done {mm!r} maps the folio, and its flag is not set"
        if holders and peek((HUGE_ZERO, "folio")) is None:
            return f"when all is done {holders[0]!r} has its flag set, and the folio has gone"
        for mm in self.mms:
            for one in peek((Tlb(mm.id), "cached")):
                entry = peek((PmdTable(mm.id), one.start // PMD_SIZE))
                if not isinstance(entry, Pmd) or entry.folio is not one.folio:
                    return f"when all is done a CPU still takes {one.start:#x} to be in {one.folio!r}; the entry says {entry}"
        return super().at_end(peek)

    def _holders(self, peek: Peek) -> list[Mm]:
        return [mm for mm in self.mms if peek((mm, "huge_zero")) and peek((mm, "users")) > 0]


@cache
def town(*mapped: bool, threads: int = 1) -> HeldByMms:
    """Programs on the reference's kernel; each has so many threads."""
    return HeldByMms(PROGRAMS.reference, *mapped, threads=threads)
