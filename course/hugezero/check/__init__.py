"""Checks: what a function promises, and what is said when it does not keep it. Nothing here knows a lab."""
