"""Graders are graded: known answers, mutants, told counterexamples, published figures, the demo."""
