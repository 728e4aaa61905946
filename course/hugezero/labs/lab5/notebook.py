"""What lab 5 adds to what a notebook imports."""

from .disk_programs import every_schedule_with_disk, request_of, with_disk
from .table import five_designs, turn_pages

__all__ = ["every_schedule_with_disk", "five_designs", "request_of", "turn_pages", "with_disk"]
