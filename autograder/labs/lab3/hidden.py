"""The hidden checks of lab 3. They never enter a notebook: only the judge reads them."""

from . import hidden_counting, hidden_put_sites  # noqa: F401 (each enters its own)
