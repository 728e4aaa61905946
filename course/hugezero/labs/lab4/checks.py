"""The open checks of lab 4, in the order of its notebook: what a student sees while writing."""

from . import check_flag, check_places, check_outlives, guesses, stand_ins  # noqa: F401, I001 (each enters its own)
