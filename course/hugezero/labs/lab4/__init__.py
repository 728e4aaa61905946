"""Lab 4: a flag in each mm, and a reference for each mm."""
