"""The kinds of cells: how kernel code written in Python looks at a cell of the machine, and changes it.

Every look at a cell or change of it is one operation, carried out by the current environment. Where
ordinary Python would be quietly wrong here, cells raise an error.
"""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from . import running
from .running import Cell, Name, cell_name, check_immutable


class View(Name):
    """One cell, named. What it holds is asked for, never assumed."""

    __slots__ = ("cell",)
    verbs: ClassVar[tuple[str, ...]] = ("read",)  # the operations that its methods do
    asked = "read"  # the method that tells what it holds
    changed_by: ClassVar[tuple[str, ...]] = ()  # methods that change it, the most usual ones first

    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    def read(self) -> Any:
        """Return what the cell holds now."""
        return running.environment.op(self.cell, "read", ())

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
        running.environment.op(self.cell, "set", (value,))

    def xchg(self, value: Any) -> Any:
        """Store *value* and return what was there before, in one operation."""
        check_immutable(value)
        return running.environment.op(self.cell, "xchg", (value,))

    def cmpxchg(self, expected: Any, value: Any) -> Any:
        """Store *value* only if the cell holds *expected*; return what it held, in one operation."""
        check_immutable(expected)
        check_immutable(value)
        return running.environment.op(self.cell, "cmpxchg", (expected, value))


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
        running.environment.op(self.cell, "add", (n,))

    def inc(self) -> None:
        """Add one."""
        running.environment.op(self.cell, "add", (1,))

    def dec(self) -> None:
        """Take one off."""
        running.environment.op(self.cell, "add", (-1,))

    def inc_not_zero(self) -> bool:
        """Add one only if the count is not 0; return whether it was added."""
        return running.environment.op(self.cell, "inc_not_zero", ())

    def dec_and_test(self) -> bool:
        """Take one off; return whether none is left."""
        return running.environment.op(self.cell, "dec_and_test", ())


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
        return running.environment.op(self.cell, "read", ())

    def set(self) -> None:
        """Set it."""
        running.environment.op(self.cell, "set", (True,))

    def clear(self) -> None:
        """Clear it."""
        running.environment.op(self.cell, "set", (False,))

    def test_and_set(self) -> bool:
        """Set it and return whether it was set before, in one operation."""
        return running.environment.op(self.cell, "test_and_set", ())


class Lock(Flag):
    """A bit that is waited for: a CPU that wants it while it is set does not go on."""

    __slots__ = ()
    verbs = (*Flag.verbs, "lock", "unlock")
    changed_by: ClassVar[tuple[str, ...]] = ("lock", "unlock")

    def lock(self) -> None:
        """Wait until it is clear, and set it."""
        running.environment.op(self.cell, "lock", ())

    def unlock(self) -> None:
        """Clear it; it must be set."""
        running.environment.op(self.cell, "unlock", ())


class Vector(View):
    """A cell that holds a list of bounded length, which only grows."""

    __slots__ = ()
    verbs = (*View.verbs, "append")

    def append(self, value: Any, limit: int) -> bool:
        """Add *value* at the end unless there are *limit* already; return whether it was added."""
        check_immutable(value)
        return running.environment.op(self.cell, "append", (value, limit))
