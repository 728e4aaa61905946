"""Lab 4: hidden checks, mutants, and how these are told."""
