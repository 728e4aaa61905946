"""Checks: what a function promises, and what is said when it does not keep it."""

from .notebook import check

__all__ = ["check"]
