"""Lab 1: one page of 4 KiB for everybody who has written nothing."""
