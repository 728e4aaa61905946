"""Lab 3: the huge zero page comes and goes, and every huge entry is counted."""
