"""For notebooks: bugs that Linux really had, run under every schedule."""

from __future__ import annotations

from typing import Any

from ...check.exploration import Shown
from ...check.schedules import Counterexample, Explored, in_words
from ...explore.byhand import ByHand
from ...explore.search import explore
from ...explore.state import Peek
from ...explore.threads import Thread
from ...mm.huge_memory import HUGE_ZERO
from ...store import KERNEL, Atomic, Handle, Slot
from ..actors import Results
from ..fixtures import COUNT, FOLIO
from ..laws import at_rest

LOCK = HUGE_ZERO, "lock"


class HugeZeroPfn(Handle):
    """What some kernels keep beside the pointer, to recognise an entry for the huge zero folio quickly."""

    __slots__ = ()
    pfn = Atomic(None, "the frame number of the huge zero folio, or None", Slot)


PFN = HugeZeroPfn(0), "pfn"
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


def _reader(locked: bool) -> Thread:
    """Takes a reference, recognises the entry by its frame number, and leaves; without the lock it tries once."""

    def joined(r: Results) -> bool:
        return bool(r[0])

    def first(r: Results) -> bool:  # did it bring the folio that stays?
        return not r[0] and r[3] is None

    def there(r: Results) -> bool:
        return joined(r) or first(r) or locked

    items: list[Any] = [
        lambda r: ("op", COUNT, "inc_not_zero", ()),
        lambda r: (
            ("op", FOLIO, "read", ()) if joined(r) else ("op", (KERNEL, "objects"), "new", ("Folio", 9))
        ),
        lambda r: ("op", LOCK, "lock", ()) if locked and not joined(r) else None,
        lambda r: None if joined(r) else ("op", FOLIO, "cmpxchg", (None, r[1])),
        lambda r: ("op", PFN, "set", (r[1].pfn,)) if first(r) else None,
        lambda r: ("op", COUNT, "set", (2,)) if first(r) else None,
        lambda r: ("op", COUNT, "add", (1,)) if locked and not joined(r) and not first(r) else None,
        lambda r: ("op", LOCK, "unlock", ()) if locked and not joined(r) else None,
        lambda r: None if joined(r) or first(r) else ("op", (r[1], "state"), "free", ()),
        lambda r: ("op", PFN, "read", ()) if there(r) else None,
        lambda r: ("bug", BROKE, "reader") if there(r) and r[9] is None else None,
        lambda r: ("op", COUNT, "add", (-1,)) if there(r) else None,
    ]
    return Thread("reader", tuple(items))


def _shrinker(locked: bool) -> Thread:
    items: list[Any] = [
        lambda r: ("op", LOCK, "lock", ()) if locked else None,
        lambda r: ("op", COUNT, "cmpxchg", (1, 0)),
        lambda r: ("op", FOLIO, "xchg", (None,)) if r[1] == 1 else None,
        lambda r: ("op", PFN, "set", (None,)) if r[1] == 1 else None,
        lambda r: ("op", LOCK, "unlock", ()) if locked else None,
        lambda r: ("op", (r[2], "state"), "free", ()) if r[1] == 1 else None,
    ]
    return Thread("shrinker", tuple(items))
