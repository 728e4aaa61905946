"""What a student's function asks the machine for: is there such an operation, on what the call was given?"""

from __future__ import annotations

from typing import Any

from hugezero import store
from hugezero.check.checks import Failed
from hugezero.hw.ram import Bytes
from hugezero.remote import messages
from hugezero.store import DECLARED, KERNEL, KINDS, Cell, Counter, Entry, Flag, Handle, View

FURTHEST = 1 << 26  # bytes from the start of a frame or a disk, and in one piece
# handles that kernel code makes from the id of another one
PARTS = {"Mm": ("PmdTable", "Tlb"), "PmdTable": ("Deposits",)}
Step = tuple[Any, ...]  # ("op", cell, verb, args), ("return", value) or ("raise", kind, text)


def well_known() -> frozenset[Handle]:
    """Handles that every kernel function may name without being given them."""
    from hugezero import machine

    return frozenset(getattr(machine, "WELL_KNOWN", ())) | {KERNEL}


class Given:
    """The handles one call was given; it can name no other."""

    def __init__(self, constants: frozenset[Handle]) -> None:
        self.handles: dict[messages.Ref, Handle] = {}
        for handle in constants:
            self.learn(handle)

    def learn(self, value: Any) -> None:
        if isinstance(value, Handle):
            ref = messages.Ref(type(value).__name__, value.id)
            if ref not in self.handles:
                self.handles[ref] = value
                self.learn(value.body)
                for part in PARTS.get(ref.kind, ()):
                    self.learn(KINDS[part](value.id))
        elif isinstance(value, View):
            self.learn(value.cell[0])
        elif isinstance(value, (tuple, list)):
            for part in value:
                self.learn(part)

    def find(self, ref: messages.Ref) -> Handle:
        """The handle, if this call has it, or has the one whose life it shares."""
        if ref not in self.handles:
            handle = messages.intern(ref)
            body = handle.body
            if body is None or messages.Ref(type(body).__name__, body.id) not in self.handles:
                raise messages.Unknown(f"it was never given {handle!r}")
            self.learn(handle)
        return self.handles[ref]


def operation(op: messages.Op, given: Given) -> Step:
    """The operation that *op* asks for, once it is clear that there is such a one."""
    cell = messages.unpack_cell(op.cell, given.find)
    args = tuple(messages.unpack(arg, given.find) for arg in op.args)
    if op.verb == "new":
        return "op", cell, "new", _new(cell, args)
    if op.verb == "call":
        return "op", cell, "call", _call(cell, args)
    freed = op.verb == "free" and op.cell.field == "state" and cell[0].dynamic
    known = freed or op.verb in messages.view_class(*cell).verbs
    if not known or len(args) != DECLARED[op.verb].arity:
        raise messages.Unknown(f"there is no {store.cell_name(cell)}.{op.verb} with {len(args)} values")
    for arg in args:
        _sane(cell, op.verb, arg)
    return "op", cell, op.verb, args


def _new(cell: Cell, args: tuple[Any, ...]) -> tuple[Any, ...]:
    kind, *rest = args or ("",)
    if cell != (KERNEL, "objects") or type(kind) is not str:
        raise messages.Unknown(f"nothing new comes from {store.cell_name(cell)}")
    if kind not in KINDS or not KINDS[kind].dynamic:
        raise Failed(f"kernel code cannot make a new {kind}")
    if not all(type(part) is int for part in rest):
        raise Failed(f"a new {kind} takes whole numbers, not {', '.join(map(repr, rest))}")
    return args


def _call(cell: Cell, args: tuple[Any, ...]) -> tuple[Any, ...]:
    name, *values = args or ("",)
    if cell != (KERNEL, "functions") or type(name) is not str or not name:
        raise messages.Unknown(f"the kernel has no function {name}")
    if any(map(_has_other, values)):
        raise Failed(
            f"{name}({', '.join(map(repr, values))}): a function of the kernel cannot be called with that"
        )
    return args


def _sane(cell: Cell, verb: str, arg: Any) -> None:
    view, why = messages.view_class(*cell), ""
    if isinstance(arg, (messages.Other, tuple, list)) and _has_other(arg):
        why = "a cell cannot hold that: keep a number, a string, a handle or a tuple of those"
    elif issubclass(view, Entry) and (refused := view.refuses(arg)):
        why = refused
    elif issubclass(view, Counter) and type(arg) is not int:
        why = "only a whole number fits there"
    elif issubclass(view, Flag) and type(arg) is not bool:
        why = "only True or False fits there"
    elif issubclass(view, Bytes) and type(arg) is int and not 0 <= arg <= FURTHEST:
        why = "that is outside of it"
    if why:
        raise Failed(f"{store.cell_name(cell)}.{verb}({arg!r}): {why}")


def _has_other(value: Any) -> bool:
    return isinstance(value, (messages.Other, list)) or (
        isinstance(value, tuple) and any(map(_has_other, value))
    )
