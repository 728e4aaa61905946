"""What several CPUs share: a lock is one bit in memory."""

from __future__ import annotations

from ..store import Atomic, Handle, Lock


class SpinLock(Handle):
    """A lock: taken, or not."""

    __slots__ = ()
    locked = Atomic(False, "does somebody hold it?", Lock)
