"""The hidden checks of lab 5. They never enter a notebook: only the judge reads them."""

from . import hidden_counting, hidden_folio, hidden_disk  # noqa: F401, I001 (each enters its own)
