"""The open checks of lab 2, in the order of its notebook: what a student sees while writing."""

from . import check_reads, check_writes, check_splits, check_repairs, guesses  # noqa: F401, I001 (each enters its own)
