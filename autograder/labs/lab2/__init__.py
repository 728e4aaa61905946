"""Lab 2: hidden checks, mutants, and how these are told."""
