"""Handles and their fields: how kernel code names the things of the machine.

A handle is a class and an id, nothing more; what it seems to hold is in cells.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, ClassVar, NoReturn

from . import running
from .cells import Slot, View
from .running import Cell, Name, check_immutable

KINDS: dict[str, type[Handle]] = {}  # every class of handle, by name


class NotThere(AttributeError):
    """A field that this handle does not have."""


class Atomic(property):
    """A field that is a cell with operations of its own: `mm.rss.inc()`.

    A property, because inspectors and completers look at those without evaluating them.
    """

    def __init__(self, default: Any, doc: str = "", view: type[View] = Slot) -> None:
        super().__init__()
        self.__doc__ = doc
        self.default, self.view, self.verbs, self.name = default, view, view.verbs, "?"

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, handle: Any, owner: type | None = None) -> Any:
        return self if handle is None else self.view((handle, self.name))

    def __set__(self, handle: Handle, value: object) -> NoReturn:
        raise TypeError(
            f"{handle!r}.{self.name} = … would not go through the machine: .{self.view.asked}() tells what it "
            f"holds{self.view._changes()}"
        )


class Field(Atomic):
    """A field that is read and assigned like any other in Python; each is one operation."""

    def __get__(self, handle: Any, owner: type | None = None) -> Any:
        return self if handle is None else running.environment.op((handle, self.name), "read", ())

    def __set__(self, handle: Handle, value: Any) -> None:  # type: ignore[override]
        check_immutable(value)
        running.environment.op((handle, self.name), "set", (value,))


class Handle(Name):
    """A thing of the machine: its class and its id. Two handles of the same thing are one object."""

    __slots__ = ("id",)
    id: Any
    body: ClassVar[Handle | None] = None  # the handle whose life this one shares, if it can die
    slots: ClassVar[type[View] | None] = None  # what `handle[i]` is, if it can be indexed
    dynamic: ClassVar[bool] = False  # may kernel code make new ones?
    fields: ClassVar[dict[str, Atomic]] = {}
    _interned: ClassVar[dict[Any, Any]] = {}

    def __init_subclass__(cls) -> None:
        KINDS[cls.__name__] = cls
        cls._interned = {}
        cls.fields = cls.fields | {k: v for k, v in vars(cls).items() if isinstance(v, Atomic)}

    def __new__(cls, id: Any) -> Any:
        handle = cls._interned.get(id)
        if handle is None:
            handle = cls._interned[id] = object.__new__(cls)
            object.__setattr__(handle, "id", id)
        return handle

    def __getitem__(self, index: int) -> Any:
        if self.slots is None:
            raise TypeError(f"{self!r} has no entries: its fields are {', '.join(sorted(self.fields))}")
        if not isinstance(index, int):
            raise TypeError(f"{self!r}[{index!r}]: entries are counted by whole numbers")
        if index < 0 or (self.bound is not None and index >= self.bound):
            many = "" if self.bound is None else f" {self.bound}"
            raise IndexError(f"{self!r}[{index}]: this table has{many} entries, from 0 on")
        return self.slots((self, index))

    @property
    def size_bytes(self) -> int | None:
        """Return how many bytes it holds; None: as many as are asked for."""
        return None

    @property
    def entries(self) -> int | None:
        """Return how many entries it has; None: as many as are asked for."""
        return None

    @property
    def bound(self) -> int | None:
        """Return the first entry that cannot be asked for; None: all can."""
        return self.entries

    def __iter__(self) -> Iterator[Any]:
        if self.slots is None or self.entries is None:
            raise TypeError(f"{self!r} cannot be gone through: it has no end, or no entries")
        return map(self.__getitem__, range(self.entries))

    def __getattr__(self, name: str) -> NoReturn:
        raise NotThere(self._no(name))

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self.fields:
            raise NotThere(self._no(name))
        object.__setattr__(self, name, value)

    def _no(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.fields, 1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(self.fields)) or 'none'}"
        return f"{self!r} has no field {name!r}: {hint}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id})"

    def __reduce__(self) -> Any:
        return type(self), (self.id,)


def default_of(cell: Cell) -> Any:
    """Return what a cell holds that nobody has written yet."""
    handle, field = cell
    return None if isinstance(field, int) else handle.fields[field].default
