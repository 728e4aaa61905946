"""The open checks of lab 1, in the order of its notebook: what a student sees while writing."""

from . import check_faults, check_disk, check_repairs, guesses  # noqa: F401, I001 (each enters its own)
