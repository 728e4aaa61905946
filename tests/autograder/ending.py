"""Work for processes that are ended in the middle; it imports next to nothing, since each new one does."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def ends_at(task: tuple[int, str]) -> int:
    """Return the task's number; at the first try, or always, end this process instead."""
    number, marker = task
    if marker:
        path = Path(marker)
        if marker.endswith("always") or not path.exists():
            path.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return number
