"""The reference: a module a lab."""
