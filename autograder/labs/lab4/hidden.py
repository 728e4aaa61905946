"""The hidden checks of lab 4. They never enter a notebook: only the judge reads them."""

from . import hidden_flag, hidden_outlives, hidden_places  # noqa: F401 (each enters its own)
