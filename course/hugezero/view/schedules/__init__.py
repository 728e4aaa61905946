"""A schedule: its rows, the names in it, its drawing, and the small memory map beside it."""
