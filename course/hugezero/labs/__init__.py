"""The labs: open checks, a folder a lab, and what several of them need. A lab imports only labs before it."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any


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


def exported() -> dict[str, Any]:
    """What the labs that are here add to a notebook: the `__all__` of their modules called notebook."""
    found: dict[str, Any] = {}
    for lab in installed():
        name = f"{__name__}.lab{lab}.notebook"
        if find_spec(name) is not None:
            module = importlib.import_module(name)
            found |= {each: getattr(module, each) for each in module.__all__}
    return found
