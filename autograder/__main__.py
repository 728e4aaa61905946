"""`python -m autograder`: the instructor's commands."""

from .cli import app

app(prog_name="python -m autograder")
