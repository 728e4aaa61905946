"""Every schedule of a few CPUs."""
