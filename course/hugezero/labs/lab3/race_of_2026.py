"""For notebooks: bugs that Linux really had, run under every schedule."""

from __future__ import annotations

from ...check.exploration import Shown
from ...check.schedules import Counterexample, Explored, in_words
from ...explore.byhand import ByHand
from ...explore.search import explore
from ...explore.state import Peek
from ...explore.threads import cpu
from ...mm.huge_memory import HUGE_ZERO
from ...mm.page_alloc import HPAGE_PMD_ORDER, free_folio
from ...store import Atomic, Handle, KernelBug, Slot, new
from ..fixtures import FOLIO
from ..laws import at_rest


class HugeZeroPfn(Handle):
    """What some kernels keep beside the pointer, to recognise an entry for the huge zero folio quickly."""

    __slots__ = ()
    pfn = Atomic(None, "the frame number of the huge zero folio, or None", Slot)


ZERO_PFN = HugeZeroPfn(0)
PFN = ZERO_PFN, "pfn"
BROKE = "an entry for the huge zero folio is here, and the kernel takes it for an ordinary huge page"


def race_of_2026(locked: bool = False) -> Shown:
    """Two readers and the shrinker in a kernel that also keeps the frame number, before the fix or behind it.

    *locked*: pointer, frame number and count change under one lock.
    """
    threads = [_reader(locked), _reader(locked), _shrinker(locked)]
    found = explore({}, threads, at_end=_at_rest)
    if found.bug is None:
        return Shown(f"{Explored(**vars(found), cpus=len(threads), story='nothing goes wrong')}.")
    why, rows = in_words(found)
    return Shown(why, Counterexample(found, threads, lambda: ByHand({}, threads, at_end=_at_rest)), rows)


def _at_rest(peek: Peek) -> str | None:
    wrong = at_rest(peek)
    if wrong is None and (peek(FOLIO) is None) != (peek(PFN) is None):
        return f"when all is done the pointer is {peek(FOLIO)} and the frame number {peek(PFN)}"
    return wrong


@cpu("reader")
def _reader(locked: bool) -> None:
    """Take a reference, recognise the entry by its frame number, and leave; without the lock, try once."""
    if HUGE_ZERO.refcount.inc_not_zero():
        HUGE_ZERO.folio.read()
        _recognise_and_leave()
        return
    folio = new("Folio", HPAGE_PMD_ORDER)
    if locked:
        HUGE_ZERO.lock.lock()
    first = HUGE_ZERO.folio.cmpxchg(None, folio) is None
    if first:
        ZERO_PFN.pfn.set(folio.pfn)
        HUGE_ZERO.refcount.set(2)
    elif locked:
        HUGE_ZERO.refcount.inc()
    if locked:
        HUGE_ZERO.lock.unlock()
    if not first:
        free_folio(folio)
    if first or locked:
        _recognise_and_leave()


def _recognise_and_leave() -> None:
    if ZERO_PFN.pfn.read() is None:
        raise KernelBug(BROKE)
    HUGE_ZERO.refcount.dec()


@cpu("shrinker")
def _shrinker(locked: bool) -> None:
    """Free the folio if nobody uses it, and forget its frame number."""
    if locked:
        HUGE_ZERO.lock.lock()
    idle = HUGE_ZERO.refcount.cmpxchg(1, 0) == 1
    if idle:
        folio = HUGE_ZERO.folio.xchg(None)
        ZERO_PFN.pfn.set(None)
    if locked:
        HUGE_ZERO.lock.unlock()
    if idle:
        free_folio(folio)
