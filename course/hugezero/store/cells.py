"""Handles and their fields: how kernel code written in Python names a cell of the machine.

A handle is a class and an id, nothing more; what it seems to hold is in cells, and every
look at a field or change of it is one operation, carried out by the current environment.
Where ordinary Python would be quietly wrong here, handles raise an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, ClassVar, NoReturn, TypeAlias

Cell: TypeAlias = "tuple[Handle, str | int]"

KINDS: dict[str, type[Handle]] = {}  # every class of handle, by name
RECORDS: dict[str, type[tuple[Any, ...]]] = {}  # every class of immutable value with named parts


class NoMachine(RuntimeError):
    """Kernel code ran while no machine was switched on."""


class NotThere(AttributeError):
    """A field that this handle does not have."""


class Mutable(TypeError):
    """A value that could change behind the machine's back."""


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
    if value is None or isinstance(value, (bool, int, str, bytes, Handle, View)):
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


class View:
    """One cell, named. What it holds is asked for, never assumed."""

    __slots__ = ("cell",)
    verbs: ClassVar[tuple[str, ...]] = ("read",)  # the operations that its methods do
    asked = "read"  # the method that tells what it holds
    changed_by: ClassVar[tuple[str, ...]] = ()  # methods that change it, the most usual ones first

    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    def read(self) -> Any:
        """Return what the cell holds now."""
        return environment.op(self.cell, "read", ())

    @staticmethod
    def called(verb: str, args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        """Return the method that does *verb* with *args*, and what it is called with, as code has it."""
        return verb, args

    def _not_a_value(self, *_: object) -> NoReturn:
        name = cell_name(self.cell)
        raise TypeError(
            f"{name} is a cell of the machine, not what it holds: write {name}.{self.asked}() for that{self._changes()}"
        )

    @classmethod
    def _changes(cls) -> str:
        """Return how a cell of this kind is changed, as the end of a sentence."""
        names = [name for name in cls.changed_by if hasattr(cls, name)]
        return f", and {', '.join(f'.{name}()' for name in names)} change it" if names else ""

    def __eq__(self, other: object) -> bool:
        return self.cell == other.cell if isinstance(other, View) else self._not_a_value()

    def __hash__(self) -> int:
        return hash(self.cell)

    def __repr__(self) -> str:
        return f"<cell {cell_name(self.cell)}>"

    __bool__ = __int__ = __index__ = __len__ = __iter__ = __contains__ = _not_a_value
    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __sub__ = __rsub__ = _not_a_value
    __mul__ = __rmul__ = __and__ = __rand__ = __or__ = __ror__ = __invert__ = __neg__ = _not_a_value


class Slot(View):
    """A cell that is read, set, and exchanged: an entry of a page table, say."""

    __slots__ = ()
    verbs = (*View.verbs, "set", "xchg", "cmpxchg")
    changed_by: ClassVar[tuple[str, ...]] = ("set", "xchg", "cmpxchg")

    def set(self, value: Any) -> None:
        """Store *value*."""
        check_immutable(value)
        environment.op(self.cell, "set", (value,))

    def xchg(self, value: Any) -> Any:
        """Store *value* and return what was there before, in one operation."""
        check_immutable(value)
        return environment.op(self.cell, "xchg", (value,))

    def cmpxchg(self, expected: Any, value: Any) -> Any:
        """Store *value* only if the cell holds *expected*; return what it held, in one operation."""
        check_immutable(expected)
        check_immutable(value)
        return environment.op(self.cell, "cmpxchg", (expected, value))


class Entry(Slot):
    """A slot that keeps values of certain kinds only."""

    __slots__ = ()

    @staticmethod
    def refuses(value: Any) -> str:
        """Return why *value* cannot be kept here, in words; "" if it can."""
        raise NotImplementedError

    def _fitting(self, verb: str, value: Any) -> None:
        check_immutable(value)
        if why := self.refuses(value):
            raise TypeError(f"{cell_name(self.cell)}.{verb}({value!r}): {why}")

    def set(self, value: Any) -> None:
        self._fitting("set", value)
        super().set(value)

    def xchg(self, value: Any) -> Any:
        self._fitting("xchg", value)
        return super().xchg(value)

    def cmpxchg(self, expected: Any, value: Any) -> Any:
        self._fitting("cmpxchg", value)
        return super().cmpxchg(expected, value)


class Counter(Slot):
    """A cell that holds a number."""

    __slots__ = ()
    verbs = (*Slot.verbs, "add", "inc_not_zero", "dec_and_test")
    changed_by: ClassVar[tuple[str, ...]] = ("inc", "dec", "add", "set")

    @staticmethod
    def called(verb: str, args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        by_one = {(1,): "inc", (-1,): "dec"}.get(args) if verb == "add" else None
        return (by_one, ()) if by_one else (verb, args)

    def add(self, n: int) -> None:
        """Add *n*."""
        if not isinstance(n, int):
            raise TypeError(f"{cell_name(self.cell)}.add({n!r}): only a whole number can be added")
        environment.op(self.cell, "add", (n,))

    def inc(self) -> None:
        """Add one."""
        environment.op(self.cell, "add", (1,))

    def dec(self) -> None:
        """Take one off."""
        environment.op(self.cell, "add", (-1,))

    def inc_not_zero(self) -> bool:
        """Add one only if the count is not 0; return whether it was added."""
        return environment.op(self.cell, "inc_not_zero", ())

    def dec_and_test(self) -> bool:
        """Take one off; return whether none is left."""
        return environment.op(self.cell, "dec_and_test", ())


class Flag(View):
    """A cell that holds one bit."""

    __slots__ = ()
    asked = "test"
    verbs = (*View.verbs, "set", "test_and_set")
    changed_by: ClassVar[tuple[str, ...]] = ("set", "clear", "test_and_set")

    @staticmethod
    def called(verb: str, args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        if verb == "set":
            return "set" if args[0] else "clear", ()
        return "test" if verb == "read" else verb, args

    def test(self) -> bool:
        """Return whether it is set."""
        return environment.op(self.cell, "read", ())

    def set(self) -> None:
        """Set it."""
        environment.op(self.cell, "set", (True,))

    def clear(self) -> None:
        """Clear it."""
        environment.op(self.cell, "set", (False,))

    def test_and_set(self) -> bool:
        """Set it and return whether it was set before, in one operation."""
        return environment.op(self.cell, "test_and_set", ())


class Lock(Flag):
    """A bit that is waited for: a CPU that wants it while it is set does not go on."""

    __slots__ = ()
    verbs = (*Flag.verbs, "lock", "unlock")
    changed_by: ClassVar[tuple[str, ...]] = ("lock", "unlock")

    def lock(self) -> None:
        """Wait until it is clear, and set it."""
        environment.op(self.cell, "lock", ())

    def unlock(self) -> None:
        """Clear it; it must be set."""
        environment.op(self.cell, "unlock", ())


class Vector(View):
    """A cell that holds a list of bounded length, which only grows."""

    __slots__ = ()
    verbs = (*View.verbs, "append")

    def append(self, value: Any, limit: int) -> bool:
        """Add *value* at the end unless there are *limit* already; return whether it was added."""
        check_immutable(value)
        return environment.op(self.cell, "append", (value, limit))


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
        return self if handle is None else environment.op((handle, self.name), "read", ())

    def __set__(self, handle: Handle, value: Any) -> None:  # type: ignore[override]
        check_immutable(value)
        environment.op((handle, self.name), "set", (value,))


class Handle:
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
