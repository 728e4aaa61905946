"""Small user programs, and what they observe."""

from .actions import (
    ACTIONS,
    Action,
    DropCaches,
    Exec,
    Exit,
    Fork,
    Madvise,
    Mmap,
    Mprotect,
    Munmap,
    Read,
    Thread,
    UseZeroPage,
    Write,
    in_words,
)
from .simulated import Simulated, simulate
from .stage import NotAScenario, Observation

__all__ = [
    "ACTIONS", "Action", "DropCaches", "Exec", "Exit", "Fork", "Madvise", "Mmap", "Mprotect", "Munmap",
    "NotAScenario", "Observation", "Read", "Simulated", "Thread", "UseZeroPage", "Write", "in_words", "simulate",
]  # fmt: skip
