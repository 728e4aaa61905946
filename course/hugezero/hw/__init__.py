"""The hardware: what a kernel finds when it is switched on."""
