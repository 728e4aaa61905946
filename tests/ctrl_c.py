"""Ctrl-C for processes that tests start."""

from __future__ import annotations

import signal


def hears_ctrl_c() -> None:
    """Undo, in a new process, what a shell does to what it starts in the background: it ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
