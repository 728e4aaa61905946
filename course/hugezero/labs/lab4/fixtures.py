"""The stage for the checks of lab 4: address spaces that hold the huge zero folio, each of them once.

CPUs beside the function under test are lists of operations, as in lab 3, so that they need none of its functions.
"""

from __future__ import annotations

from collections.abc import Callable

from ...check.checks import expect
from ...explore.state import LIVE, Peek
from ...explore.threads import Thread
from ...hw.tlb import Tlb
from ...machine import Kernel
from ...mm.huge_memory import HUGE_ZERO, flush_pmd_tlb_range, is_huge_zero_pmd, pgtable_trans_huge_withdraw
from ...mm.mm_types import VM_HUGEPAGE, VM_READ, VM_WRITE, Mm, Vma, VmFault
from ...mm.mmap import mm_alloc, mmap
from ...mm.pgtable import PmdTable, pmd_offset, pte_free_one
from ...store import Slot
from ..actors import take
from ..fixtures import COUNT, FOLIO, Mapped

MM_GET = "mm_get_huge_zero_folio"
PMD = 2 << 20


def beside(kernel: Kernel, name: str) -> Kernel:
    """The kernel in which *name* is the function of *kernel*, and huge entries of zeroes are unmapped uncounted."""
    others = {"zap_huge_pmd": _zap_zeroes} if name != "zap_huge_pmd" else {}
    return Kernel({**kernel.functions, **others})


def _zap_zeroes(vma: Vma, pmd: Slot, addr: int) -> None:
    """Take a huge entry of zeroes away; each mm is counted, and no entry."""
    pmd.xchg(None)
    flush_pmd_tlb_range(vma, addr, addr + PMD)
    table = pgtable_trans_huge_withdraw(pmd)
    pte_free_one(vma.vm_mm, table)


# on a machine


def holder(mapped: bool = True) -> Mapped:
    """A process that has taken its reference; *mapped*: and still maps the folio."""
    one = Mapped(mapped)
    one.mm.huge_zero.set()
    return one


class Room:
    """A process with an area of several times 2 MiB that may use huge pages; it has touched none of it."""

    def __init__(self, pmds: int = 2) -> None:
        self.mm: Mm = mm_alloc()
        self.at = mmap(self.mm, pmds * PMD, VM_READ | VM_WRITE | VM_HUGEPAGE)
        self.vma: Vma = self.mm.mmap[0][2]
        self.pmds = [pmd_offset(self.mm, self.at + n * PMD) for n in range(pmds)]

    def fault(self, n: int = 0, write: bool = False) -> VmFault:
        """A huge fault at the start of its *n*-th 2 MiB."""
        pmd = self.pmds[n]
        return VmFault(self.vma, self.at + n * PMD, write, pmd, None, None, pmd.read())  # type: ignore[arg-type]


def expect_held(users: int, when: str, hint: str = "") -> None:
    """So many mms hold the folio now, and the shrinker."""
    count, wanted = HUGE_ZERO.refcount.read(), users + 1
    whose = f"{users} mm{'s' * (users != 1)}, and the shrinker" if users else "the shrinker's"
    expect(count == wanted, f"{when} the count is {count}; it should be {wanted}: {whose}", hint)


def expect_forgotten(mm: Mm, what: str) -> None:
    """No CPU remembers where an address of *mm* led."""
    stale = Tlb(mm.id).cached.read()
    expect(
        not stale,
        f"after {what} CPU {stale[0].cpu if stale else 0} still takes {stale[0].start if stale else 0:#x} to be in the "
        "huge zero page: it goes on reading zeroes there, whatever is written",
        "flush_pmd_tlb_range: the reference has gone from here, the flush has not",
    )


# under every schedule


def user(mm: Mm) -> Thread:
    """Return a thread of *mm* that maps the folio, and reads a byte of it."""
    return Thread(f"thread of {mm!r}", lambda: take(MM_GET, mm))


def each_holds_once(*mms: Mm) -> Callable[[Peek], str | None]:
    """When everybody has ended: one reference for each of *mms* that says it has one, and one for the shrinker."""

    def wrong(peek: Peek) -> str | None:
        count, folio = peek(COUNT), peek(FOLIO)
        lost = [each for each in peek(LIVE) if each is not folio]
        if lost:
            return f"{lost[0]!r} is lost: it was never freed, and nobody knows of it any more"
        flags = [mm for mm in mms if peek((mm, "huge_zero"))]
        wanted = 0 if folio is None and not flags else len(flags) + 1
        if count == wanted:
            return None
        many = f"{len(flags) or 'no'} mm{'s have their flags' if len(flags) != 1 else ' has its flag'} set"
        whose = "one for each of them, and the shrinker's" if flags else "the shrinker's, if there is a folio"
        return f"when all is done {many}, and the count is {count}; it should be {wanted}: {whose}"

    return wrong


def all_hold_once(*mms: Mm) -> Callable[[Peek], str | None]:
    """The same where each of *mms* has got the folio, so that its flag must be set."""

    def wrong(peek: Peek) -> str | None:
        for mm in mms:
            if not peek((mm, "huge_zero")):
                return f"{mm!r} has got the folio, and its flag is not set: when it ends, nobody gives anything back"
        return each_holds_once(*mms)(peek)

    return wrong


def nothing_freed_is_mapped(*mms: Mm) -> Callable[[Peek], str | None]:
    """At every step: no entry of *mms* leads to a folio that was freed, nor does the pointer."""

    def wrong(peek: Peek) -> str | None:
        folio = peek(FOLIO)
        for mm in mms:
            for start, end, _ in peek((mm, "mmap")):
                for index in range(start // PMD, -(-end // PMD)):
                    entry = peek((PmdTable(mm.id), index))
                    if is_huge_zero_pmd(entry) and peek((entry.folio, "state")) == "free":
                        return f"an entry of {mm!r} still maps {entry.folio!r}, which has been freed"
        if folio is not None and peek((folio, "state")) == "free":
            return f"hz.folio names {folio!r}, which was freed: whoever looks there takes another's memory for zeroes"
        return None

    return wrong
