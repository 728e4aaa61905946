"""Exercises are judged apart: what one of them calls by the name of another is the kernel's, not the student's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from ..explore.budget import if_left_behind
from ..store import call


def apart(thing: Any, others: Iterable[str]) -> Any:
    """*thing*, for whose calls the globals named *others* are the functions of the kernel that runs here.

    Also for helpers that it calls. Only names that its globals have; outside of its calls they are what they were.
    """
    names = getattr(inspect.unwrap(thing), "__globals__", None) if callable(thing) else None
    if names is None:
        return thing
    own = {name: names[name] for name in others if callable(names.get(name)) and names[name] is not thing}
    swaps = {name: _kernels(name, function) for name, function in own.items()}
    if not swaps:
        return thing

    def asked(*args: Any) -> Any:
        before = {name: names.get(name) for name in swaps}
        names.update(swaps)
        if_left_behind(lambda: names.update(before))
        try:
            return thing(*args)
        finally:
            names.update(before)

    asked.__name__ = getattr(thing, "__name__", repr(thing))
    return asked


def _kernels(name: str, own: Callable[..., Any]) -> Callable[..., Any]:
    def kernels(*args: Any, **named: Any) -> Any:
        if named:
            args = inspect.signature(own).bind(*args, **named).args
        return call(name, *args)

    kernels.__name__ = name
    return kernels
