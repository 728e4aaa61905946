"""Lab 0: the machine, and the four voices of a check."""
