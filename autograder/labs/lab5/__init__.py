"""Lab 5: hidden checks, mutants, and how these are told."""
