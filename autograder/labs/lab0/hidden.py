"""Lab 0 is not graded: it has no hidden checks."""
