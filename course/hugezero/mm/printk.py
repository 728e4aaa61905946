"""What the kernel has to say, and what it was built with.

Linux: kernel/printk, .config
"""

from __future__ import annotations

from ..store import Atomic, Flag, Handle, Vector

LINES = 1000  # that the log of the kernel holds


class Config(Handle):
    """The options that a kernel was built with."""

    __slots__ = ()
    PERSISTENT_HUGE_ZERO_FOLIO = Atomic(
        False, "keep the huge zero folio for ever, from boot on; off by default", Flag
    )


class Printk(Handle):
    """The kernel's own log, as dmesg shows it."""

    __slots__ = ()
    lines = Atomic((), "what was said, the oldest first", Vector)


CONFIG, PRINTK = Config(0), Printk(0)


def pr_warn(text: str) -> None:
    """Write a warning into the kernel's log."""
    PRINTK.lines.append(text, LINES)
