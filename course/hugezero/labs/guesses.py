"""Guesses in a notebook: written down before, and answered by the cell that shows what happens.

A guess is one line, guess("a name", "b"), or an exercise whose name begins with predict_, which gives its letter.
Each lab's `guesses` says what the questions are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from ..machine import Kernel
from . import open_checks
from .answers import expect_guess


class Question(NamedTuple):
    """Something to guess.

    *choices*: letters; nothing where a number is guessed, or several. *right*: given what was seen, the right
    guess, or None if that does not show it. *because*: how the sentence goes on; {0} is the first thing seen.
    """

    choices: str
    right: Callable[..., Any]
    because: str


QUESTIONS: dict[str, Question] = {}
_guessed: dict[str, Any] = {}
_answered: set[str] = set()


def question(name: str, choices: str, right: str | Callable[..., Any], because: str) -> None:
    """Enter a question; a *right* that is a letter is right whatever was seen."""
    always = right if callable(right) else lambda *seen: right
    QUESTIONS[name] = Question(choices, always, because)


def expect_letter(kernel: Kernel, name: str) -> None:
    """What *name*, an exercise that is a guess, returns is one of its letters, whichever."""
    expect_guess(getattr(kernel, name)(), QUESTIONS[name].choices)


def _question(name: str) -> Question:
    open_checks()
    if name not in QUESTIONS:
        raise ValueError(f"there is no question {name!r}; there are {', '.join(QUESTIONS)}")
    return QUESTIONS[name]


def guess(name: str, what: Any) -> None:
    """Write down what you guess: guess("2 MiB of zeroes", "b"). The cell that shows it will come back to it.

    A guess may be changed until it is answered.
    """
    asked = _question(name)
    if not _is_guess(asked, what):
        wanted = f"one of {', '.join(asked.choices)}" if asked.choices else "your guess"
        print(f"No guess yet. Put {wanted} in place of {'the dots' if what is ... else repr(what)}.")
    elif name in _answered and _guessed.get(name) not in (None, what):
        print(f"It was answered already: your guess stays {_said(_guessed[name])}.")
    else:
        _guessed[name] = what
        print(f"Noted: {_said(what)}.")


def answer(name: str, *seen: Any) -> None:
    """Say what is right, after what was *seen*, beside what was guessed."""
    asked = _question(name)
    right = _plain(asked.right(*seen))
    if right is None:
        print("Your kernel does not show it yet. Run this cell again when it is done.")
        return
    said = _guess_of(name, asked, sys._getframe(1).f_globals)
    _answered.add(name)
    because = asked.because.format(*seen)
    if said is None:
        print(f"It is {_said(right)}, because {because}.")
    elif said == right:
        print(f"You said {_said(said)}, and so it is, because {because}.")
    else:
        print(f"You said {_said(said)}; it is {_said(right)}, because {because}.")


def _guess_of(name: str, asked: Question, names: Mapping[str, Any]) -> Any:
    """What was guessed: by guess(), or by the function *name* among *names*; None if nothing was."""
    found = names.get(name, _guessed.get(name))
    if callable(found):
        try:
            found = found()
        except Exception:  # it is not written yet, or wrong: the check says so
            return None
    return _plain(found) if _is_guess(asked, found) else None


def _plain(what: Any) -> Any:
    """Several numbers are a list, however they came."""
    return list(what) if isinstance(what, tuple) else what


def _is_guess(asked: Question, what: Any) -> bool:
    if asked.choices:
        return isinstance(what, str) and len(what) == 1 and what in asked.choices
    numbers = what if isinstance(what, (list, tuple)) else [what]
    return bool(numbers) and all(isinstance(each, (int, float)) for each in numbers)


def _said(what: Any) -> str:
    if isinstance(what, Iterable) and not isinstance(what, str):
        return ", ".join(map(_said, what))
    return what if isinstance(what, str) else f"{what:,}"
