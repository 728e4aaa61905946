"""Lab 3: hidden checks, mutants, and how these are told."""
