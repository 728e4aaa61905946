"""The judge: machine, checks and reference in a process that asks the student's, and never believes it."""
