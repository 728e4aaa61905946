"""What lab 3 adds to what a notebook imports."""

from .explorations import every_schedule_of, to_break

__all__ = ["every_schedule_of", "to_break"]
