"""The open checks of lab 5, in the order of its notebook: what a student sees while writing."""

from . import check_secret, check_counting, check_folio, check_disk, check_position, guesses, stand_ins  # noqa: F401, I001 (each enters its own)
from .check_position import MACHINES

__all__ = ["MACHINES"]
