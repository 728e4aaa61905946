"""Lab 0: hidden checks, mutants, and how these are told."""
