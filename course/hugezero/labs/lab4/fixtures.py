"""The stage for the checks of lab 4: address spaces that hold the huge zero folio, each of them once.

CPUs beside the function under test do their operations themselves, as in lab 3: they need none of its functions.
"""

from __future__ import annotations

from ...check.checks import expect
from ...explore.state import Peek
from ...explore.threads import Thread
from ...hw.ram import PMD_SIZE
from ...hw.tlb import Tlb
from ...machine import Kernel
from ...mm.huge_memory import HUGE_ZERO, flush_pmd_tlb_range, pgtable_trans_huge_withdraw
from ...mm.mm_types import Mm, Vma
from ...mm.pgtable import pte_free_one
from ...store import Slot
from ..actors import take
from ..fixtures import FOLIO
from ..laws import counted, lost

MM_GET = "mm_get_huge_zero_folio"


def beside(kernel: Kernel, name: str) -> Kernel:
    """The kernel in which *name* is the function of *kernel*, and huge entries of zeroes are unmapped uncounted."""
    others = {"zap_huge_pmd": _zap_zeroes} if name != "zap_huge_pmd" else {}
    return Kernel({**kernel.functions, **others})


def _zap_zeroes(vma: Vma, pmd: Slot, addr: int) -> None:
    """Take a huge entry of zeroes away; each mm is counted, and no entry."""
    pmd.xchg(None)
    flush_pmd_tlb_range(vma, addr, addr + PMD_SIZE)
    table = pgtable_trans_huge_withdraw(pmd)
    pte_free_one(vma.vm_mm, table)


# on a machine


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


def each_holds_once(peek: Peek, *mms: Mm) -> str | None:
    """When everybody has ended: one reference for each of *mms* that says it has one, and one for the shrinker."""
    flags = [mm for mm in mms if peek((mm, "huge_zero"))]
    many = f"{len(flags) or 'no'} mm{'s have their flags' if len(flags) != 1 else ' has its flag'} set"
    whose = "one for each of them, and the shrinker's" if flags else "the shrinker's"
    told = f"{many}, and the count is {{count}}; it should be {{wanted}}: {whose}"
    return lost(peek, [peek(FOLIO)]) or counted(peek, len(flags), told)


def all_hold_once(peek: Peek, *mms: Mm) -> str | None:
    """The same where each of *mms* has got the folio, so that its flag must be set."""
    for mm in mms:
        if not peek((mm, "huge_zero")):
            return (
                f"{mm!r} has got the folio, and its flag is not set: when it ends, nobody gives anything back"
            )
    return each_holds_once(peek, *mms)
