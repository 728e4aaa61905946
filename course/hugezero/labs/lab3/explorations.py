"""For notebooks: run some functions of lab 3 under every schedule, or under one that somebody picks by hand."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ...check.exploration import Shown, shown
from ...check.function_under_test import subject
from ...check.schedules import Counterexample
from ...explore.search import Outcome
from ...explore.threads import Thread
from .. import open_checks
from ..actors import reader, reclaim, shrinker, visitor
from ..fixtures import idle_folio
from ..laws import alive, at_rest
from .broken import Broken
from .broken import to_break as _to_break

GET, PUT, SCAN = "get_huge_zero_folio", "put_huge_zero_folio", "shrink_huge_zero_folio_scan"


def every_schedule_of(users: int = 2, shrinkers: int = 0, **functions: Callable[..., Any]) -> Shown:
    """Let *users* CPUs take, read and give back the huge zero folio, and *shrinkers* ask for it, in every order.

    *functions*: yours, by the names of the kernel's. What is not given is done right.
    Shows the shortest schedule that goes wrong, or says how much was looked at.
    """
    open_checks()
    for name in functions:
        if name not in (GET, PUT, SCAN):
            raise ValueError(f"every_schedule_of({name}=...): the functions are {GET}, {PUT} and {SCAN}")
    kernel = {name: subject(name, function) for name, function in functions.items()}
    person = reader(put=PUT in kernel) if GET in kernel else visitor(put=PUT in kernel)
    threads = [person] * users + [shrinker() if SCAN in kernel else reclaim()] * shrinkers
    cells = {} if GET in kernel else idle_folio()
    return shown(kernel, threads, cells, at_end=at_rest, always=alive, what=" or ".join(functions))


def to_break(name: str, seed: str) -> Shown:
    """The version of the function *name* that is yours to break, in a picture that you play by hand.

    *seed*: your student id, or any text that is yours; it decides which version you get, here and in the check.
    """
    broken: Broken = _to_break(name, seed)
    threads: Sequence[Thread] = broken.threads
    return Shown(inspect.getsource(broken.function), Counterexample(Outcome(), threads, broken.by_hand))
