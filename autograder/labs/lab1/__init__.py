"""Lab 1: hidden checks, mutants, and how these are told."""
