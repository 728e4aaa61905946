"""Who carries out operations now, and how a cell and what it may hold are named.

Everything here is imported by the kinds of cells (cells.py) and by the handles that name them (handles.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

if TYPE_CHECKING:
    from .handles import Handle

Cell: TypeAlias = "tuple[Handle, str | int]"

RECORDS: dict[str, type[tuple[Any, ...]]] = {}  # every class of immutable value with named parts


class NoMachine(RuntimeError):
    """Kernel code ran while no machine was switched on."""


class Mutable(TypeError):
    """A value that could change behind the machine's back."""


class Name:
    """What names a cell, or a thing of the machine: it never changes, so it may be kept in cells."""

    __slots__ = ()


class _Nobody:
    """The environment while no machine is running."""

    def op(self, cell: Cell, verb: str, args: tuple[Any, ...]) -> NoReturn:
        raise NoMachine(f"{cell_name(cell)}: no machine is running here. Boot one first: machine = boot()")


environment: Any = _Nobody()


def use(env: Any) -> Any:
    """Make *env* carry out the operations from now on; return the one that did before."""
    global environment
    before, environment = environment, _Nobody() if env is None else env
    return before


def current() -> Any:
    """Return the environment that carries out operations now."""
    return environment


def cell_name(cell: Cell) -> str:
    handle, field = cell
    return f"{handle!r}[{field}]" if isinstance(field, int) else f"{handle!r}.{field}"


def record(cls: Any) -> Any:
    """Let a NamedTuple be kept in cells, and be told to the judge."""
    RECORDS[cls.__name__] = cls
    return cls


def check_immutable(value: Any) -> None:
    """Refuse what could be changed without an operation."""
    if value is None or isinstance(value, (bool, int, str, bytes, Name)):
        return
    if isinstance(value, tuple):
        for part in value:
            check_immutable(part)
        return
    if callable(value):
        raise Mutable(f"{getattr(value, '__name__', value)} is a function: call it, and keep what it returns")
    if isinstance(value, float):
        raise Mutable(
            f"{value!r} is a float, and a kernel has none: numbers are whole here, so divide with //"
        )
    raise Mutable(
        f"{value!r} is a {type(value).__name__}, which can change without the machine seeing it. "
        "Keep a number, a string, a handle or a tuple of those"
    )
