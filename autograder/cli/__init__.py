"""`python -m autograder`: the commands, by what they are for."""

from . import making, grading, proving  # isort: skip  (the order of the list of commands)
from .common import app

__all__ = ["app", "grading", "making", "proving"]
