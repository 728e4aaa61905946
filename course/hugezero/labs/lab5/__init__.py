"""Lab 5: a page that never goes, and disks that are zeroed out of it."""
