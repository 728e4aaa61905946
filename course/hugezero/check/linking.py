"""Exercises are judged apart: what one of them calls by the name of another is the kernel's, not the student's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from ..explore.budget import if_left_behind
from ..store import call


def linked_apart(thing: Any, others: Iterable[str]) -> Any:
    """Return *thing* with its calls of the globals named *others* made to the functions of the kernel that runs here.

    This holds for its helpers and classes too, and for names that no cell has defined yet. Outside of a
    call the globals are what they were; a name that the student uses for something else stays theirs.
    """
    names = getattr(inspect.unwrap(thing), "__globals__", None) if callable(thing) else None
    if names is None:
        return thing
    swaps = {
        name: _kernels(name, names.get(name))
        for name in others
        if name not in names or (callable(names[name]) and names[name] is not thing)
    }
    if not swaps:
        return thing

    def asked(*args: Any) -> Any:
        before = {name: names[name] for name in swaps if name in names}

        def restore() -> None:
            for name in swaps:
                names.pop(name, None)
            names.update(before)

        names.update(swaps)
        if_left_behind(restore)
        try:
            return thing(*args)
        finally:
            restore()

    asked.__name__ = getattr(thing, "__name__", repr(thing))
    return asked


def _kernels(name: str, own: Callable[..., Any] | None) -> Callable[..., Any]:
    def kernels(*args: Any, **named: Any) -> Any:
        if named and own is None:
            raise TypeError(
                f"{name} is not defined in this notebook yet: call it without naming its arguments"
            )
        if named and own is not None:
            args = inspect.signature(own).bind(*args, **named).args
        return call(name, *args)

    kernels.__name__ = name
    return kernels
