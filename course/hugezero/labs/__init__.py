"""The labs: open checks, a folder a lab, and what several of them need. A lab imports only labs before it."""

from __future__ import annotations

import importlib
from pathlib import Path


def installed() -> list[int]:
    """The labs that are here: all in the repository, and in a student's package those up to its own."""
    return sorted(
        int(path.parent.name[3:]) for root in __path__ for path in Path(root).glob("lab*/checks.py")
    )


def open_checks(last: int | None = None) -> None:
    """Import every lab's open checks, so that they are entered; up to lab *last*, if that is given."""
    for lab in installed():
        if last is None or lab <= last:
            importlib.import_module(f"{__name__}.lab{lab}.checks")
