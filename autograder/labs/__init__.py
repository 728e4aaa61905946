"""What belongs to single labs and is hidden from students: checks, mutants, told counterexamples."""
