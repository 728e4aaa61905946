"""Checks: what a function promises, and what is said when it does not keep it."""

from .earlier import use_mine
from .experiment import attempt, experiment
from .notebook import check

__all__ = ["attempt", "check", "experiment", "use_mine"]
