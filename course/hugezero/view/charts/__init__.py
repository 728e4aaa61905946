"""Charts, and a cache line on its way between CPUs."""
