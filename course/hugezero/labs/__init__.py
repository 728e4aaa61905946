"""The labs: open checks, a folder a lab, and what several of them need. A lab imports only labs before it."""

from __future__ import annotations

import importlib
import pkgutil


def open_checks(last: int | None = None) -> None:
    """Import every lab's open checks, so that they are entered; up to lab *last*, if that is given."""
    for module in pkgutil.iter_modules(__path__):
        if module.ispkg and (last is None or int(module.name.removeprefix("lab")) <= last):
            importlib.import_module(f"{__name__}.{module.name}.checks")
