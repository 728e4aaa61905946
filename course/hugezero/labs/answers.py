"""What an answer that is no function of the kernel must be, before anything is made of it: a guess, or a program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..check.checks import Failed, expect
from ..scenario import ACTIONS, in_words


def expect_guess(guess: object, choices: Iterable[str]) -> None:
    """*guess* is one of *choices*, whichever."""
    known = tuple(choices)
    one = isinstance(guess, str) and guess in known
    expect(one, f"the guess is {guess!r}; it should be one of {', '.join(map(repr, known))}")


def program_in(
    answer: object,
    name: str,
    example: str,
    largest: int,
    enough: str,
    most: int = 12,
    known: tuple[type, ...] = ACTIONS,
) -> list[Any]:
    """What *name* returned, if it is a list of *known* actions, like *example*: *most* of them, no number above *largest*."""
    if not isinstance(answer, (list, tuple)):
        raise Failed(f"{name} returned {answer!r}; it should be a list of actions, like [{example}]")
    for n, action in enumerate(answer, start=1):
        if not isinstance(action, known):
            called = f": write {action.__name__}(…)" if isinstance(action, type) else ""
            raise Failed(f"number {n} of your list is {action!r}, which is no action like {example}{called}")
    expect(len(answer) <= most, f"your program has {len(answer)} actions; {most} are enough")
    large = [in_words(a) for a in answer if max([n for n in a if isinstance(n, int)], default=0) > largest]
    expect(not large, f"{', '.join(large)}: {enough}")
    return list(answer)
