"""Memory management: the part of the kernel that this course rebuilds."""
