"""The hidden checks of lab 5. They never enter a notebook: only the judge reads them."""

from . import hidden_disk, hidden_folio  # noqa: F401 (each enters its own)
