"""What the judge and the student's process say to each other.

The judge asks, the process answers; there is no word for a verdict. A message is one packet of
msgpack on a SOCK_SEQPACKET socket, and never longer than SIZE.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from ..store import KINDS, RECORDS, Cell, Handle, View

SIZE = 65536  # bytes of one message
DEEPEST = 12  # tuples in tuples
LARGEST = 2**63  # of a whole number


class Ref(msgspec.Struct, array_like=True, frozen=True, tag="handle"):
    """A handle."""

    kind: str
    id: int | tuple[int, ...]


class At(msgspec.Struct, array_like=True, frozen=True, tag="cell"):
    """A cell of the machine, and the view of one."""

    on: Ref
    field: str | int


class Data(msgspec.Struct, array_like=True, tag="bytes"):
    """Bytes."""

    data: bytes


class Parts(msgspec.Struct, array_like=True, tag="parts"):
    """A tuple; a list, which only a function's result may be; or the record *kind*."""

    kind: str
    parts: tuple[Value, ...]


class Other(msgspec.Struct, array_like=True, eq=False, tag="other"):
    """A value the machine has no word for. It equals nothing."""

    what: str

    def __repr__(self) -> str:
        return f"<{self.what}>"


Value: TypeAlias = bool | int | str | Data | Ref | At | Parts | Other | None
Seen = tuple[At, str, tuple[Value, ...], Value]  # an operation, and what it gave


class Look(msgspec.Struct, tag="look"):
    """Can *name* be called with so many *arguments*? From now on *calls*, where it calls them, are the kernel's."""

    n: int
    name: str
    arguments: int
    calls: tuple[str, ...] = ()


class Run(msgspec.Struct, tag="run"):
    """What does *name* do next, called with *args*, when it has seen *log*?"""

    n: int
    name: str
    args: tuple[Value, ...]
    log: tuple[Seen, ...] = ()
    world: int | None = None  # another one than this, in what is not the machine's: see check/refusals.py


class Saw(msgspec.Struct, tag="saw"):
    """Your operation gave *value*. What next?"""

    n: int
    value: Value


class Looks(msgspec.Struct, tag="looks", forbid_unknown_fields=True):
    """It cannot, because of *complaint*; or it can, if that is empty. *habits* may explain odd answers."""

    n: int
    complaint: str
    habits: str = ""


class Op(msgspec.Struct, tag="op", forbid_unknown_fields=True):
    """It does *verb* on *cell*."""

    n: int
    cell: At
    verb: str
    args: tuple[Value, ...]


class Return(msgspec.Struct, tag="return", forbid_unknown_fields=True):
    """It returns *value*."""

    n: int
    value: Value


class Raise(msgspec.Struct, tag="raise", forbid_unknown_fields=True):
    """It ends with an exception."""

    n: int
    kind: str
    text: str


class Stopped(msgspec.Struct, tag="stopped", forbid_unknown_fields=True):
    """It did what no function of a kernel does, and was stopped: what that was, and one thing to try."""

    n: int
    text: str
    hint: str = ""


Question = Look | Run | Saw
Answer = Looks | Op | Return | Raise | Stopped
encode = msgspec.msgpack.encode
question = msgspec.msgpack.Decoder(Question)
answer = msgspec.msgpack.Decoder(Answer)


class Unknown(ValueError):
    """A message names something that does not exist."""


def _is_id(id: object) -> bool:
    return type(id) is int or (type(id) is tuple and all(type(part) is int for part in id))


def pack(value: Any, deep: int = 0) -> Value:
    """*value* as it goes over the wire."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if -LARGEST <= value < LARGEST else Other("whole number beyond 64 bits")
    if kind is str:
        return value if value.isascii() or _is_text(value) else Other("string that is no text")
    if kind is bytes:
        return Data(value)
    if isinstance(value, Handle) and KINDS.get(kind.__name__) is kind and _is_id(value.id):
        return Ref(kind.__name__, value.id)
    if isinstance(value, View) and type(value.cell) is tuple:
        return pack_cell(value.cell)
    if deep < DEEPEST and (kind in (tuple, list) or RECORDS.get(kind.__name__) is kind):
        return Parts(kind.__name__, tuple(pack(part, deep + 1) for part in value))
    return Other(kind.__name__[:80])


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def pack_cell(cell: Cell) -> At:
    handle, field = cell
    return At(Ref(type(handle).__name__, handle.id), field)


def intern(ref: Ref) -> Handle:
    """The handle that *ref* names."""
    if ref.kind not in KINDS:
        raise Unknown(f"there is no kind of handle called {ref.kind!r}")
    return KINDS[ref.kind](ref.id)


def view_class(handle: Handle, field: str | int) -> type[View]:
    """What a view of that cell is."""
    if isinstance(field, int):
        if handle.slots is None:
            raise Unknown(f"{handle!r} has no entries")
        return handle.slots
    if field not in handle.fields:
        raise Unknown(f"{handle!r} has no field {field!r}")
    return handle.fields[field].view


def unpack_cell(at: At, handle: Callable[[Ref], Handle] = intern) -> Cell:
    """The cell that *at* names; *handle* finds its handle."""
    on = handle(at.on)
    view_class(on, at.field)
    return on, at.field


def unpack(value: Value, handle: Callable[[Ref], Handle] = intern) -> Any:
    """The value that came over the wire; *handle* finds the handles it names."""
    if isinstance(value, Ref):
        return handle(value)
    if isinstance(value, At):
        cell = unpack_cell(value, handle)
        return view_class(*cell)(cell)
    if isinstance(value, Data):
        return value.data
    if isinstance(value, Parts):
        return _unpack_parts(value.kind, [unpack(part, handle) for part in value.parts])
    return value


def _unpack_parts(kind: str, parts: Sequence[Any]) -> Any:
    if kind in ("tuple", "list"):
        return tuple(parts) if kind == "tuple" else list(parts)
    if kind not in RECORDS:
        raise Unknown(f"there is no record called {kind!r}")
    try:
        return RECORDS[kind](*parts)
    except (TypeError, ValueError) as wrong:
        raise Unknown(f"{kind} does not take {len(parts)} parts: {wrong}") from None


def dial(path: str) -> socket.socket:
    """Connect to the judge that listens at *path*."""
    conn = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    conn.connect(path)
    return conn
