"""Lab 2: one page of 2 MiB, set aside at boot."""
