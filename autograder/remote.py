"""A function of the student's as the judge calls it: each operation is validated, then carried out here."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Sequence
from typing import Any

from hugezero import store
from hugezero.check import wire
from hugezero.check.checks import CodeRaised, Failed
from hugezero.store import KERNEL, KINDS, Cell, Counter, Flag, Handle, View

from .port import Foul, Port, Unanswered

CALL, CHECK = 20_000, 1_000_000  # operations that one call, one check may do
FURTHEST = 1 << 26  # bytes from the start of a frame or a disk, and in one piece
AGAIN = 10  # calls of a check that are asked again
PARTS = {"Mm": ("PmdTable",)}  # handles that kernel code makes from the id of another one
Call = tuple[str, tuple[Any, ...]]
Step = tuple[Any, ...]  # ("op", cell, verb, args), ("return", value) or ("raise", kind, text)


def well_known() -> frozenset[Handle]:
    """Handles that every kernel function may name without being given them."""
    from hugezero import machine

    return frozenset(getattr(machine, "WELL_KNOWN", ())) | {KERNEL}


class Given:
    """The handles one call was given; it can name no other."""

    def __init__(self, constants: frozenset[Handle]) -> None:
        self.handles: dict[wire.Ref, Handle] = {}
        for handle in constants:
            self.learn(handle)

    def learn(self, value: Any) -> None:
        if isinstance(value, Handle):
            ref = wire.Ref(type(value).__name__, value.id)
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

    def find(self, ref: wire.Ref) -> Handle:
        """The handle, if this call has it, or has the one whose life it shares."""
        if ref not in self.handles:
            handle = wire.intern(ref)
            body = handle.body
            if body is None or wire.Ref(type(body).__name__, body.id) not in self.handles:
                raise wire.Unknown(f"it was never given {handle!r}")
            self.learn(handle)
        return self.handles[ref]


class Student:
    """All of the student's functions, through one port at a time."""

    def __init__(self, reference: dict[str, Callable[..., Any]]) -> None:
        self.port: Port | None = None
        self.reference, self.constants = reference, well_known()
        self.operations = 0
        self.calls: list[tuple[Call, list[wire.Seen], Any]] = []

    def connect(self, port: Port) -> None:
        """Ask this port from now on, with a new budget."""
        self.port, self.operations, self.calls = port, 0, []

    def function(self, name: str) -> Callable[..., Any]:
        """The student's *name*, to be called like the reference's."""
        signature = inspect.signature(self.reference[name])

        def remote(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            return self.call(name, bound.args)

        remote.__name__ = name

        def step(args: tuple[Any, ...], log: Sequence[tuple[Cell, str, tuple[Any, ...], Any]]) -> Step:
            try:
                return self.step((name, args), log)
            except Failed as failed:
                return "bug", failed.why

        remote.step = step  # type: ignore[attr-defined]
        return remote

    def call(self, name: str, args: tuple[Any, ...]) -> Any:
        """Run *name* on the machine that is current here."""
        given, answers = Given(self.constants), self._begin(name, args)
        log: list[wire.Seen] = []
        given.learn(args)
        for _ in range(CALL):
            step = self._understand(name, answers, given)
            if step[0] != "op":
                self.calls.append(((name, args), log, _evidence(answers)))
                return self._end(name, step)
            self.operations += 1
            if self.operations > CHECK:
                raise Unanswered(f"{name}: {CHECK:,} operations in one check, and no end")
            _, cell, verb, values = step
            result = _carry_out(cell, verb, values)
            given.learn(result)
            seen = wire.pack(result)
            log.append((answers.cell, verb, answers.args, seen))
            answers = self._port().ask(wire.Saw(0, seen))
        raise Unanswered(
            f"{name}: {CALL:,} operations in one call, and no end: what would make its loop stop?"
        )

    def step(self, call: Call, log: Sequence[tuple[Cell, str, tuple[Any, ...], Any]]) -> Step:
        """What *call* does next when it has seen *log*."""
        given = Given(self.constants)
        given.learn(call[1])
        given.learn([result for *_, result in log])
        seen = [
            (wire.pack_cell(cell), verb, tuple(map(wire.pack, args)), wire.pack(result))
            for cell, verb, args, result in log
        ]
        return self._understand(call[0], self._begin(*call, seen), given)

    def again(self) -> None:
        """The same questions get the same answers."""
        for (name, args), log, before in random.Random(3).sample(self.calls, min(AGAIN, len(self.calls))):
            if len(wire.encode(log)) > wire.SIZE // 2:
                continue
            if _evidence(self._begin(name, args, log)) != before:
                raise Failed(
                    f"{name} acts differently when run again and shown the same",
                    "does it keep something in a global, a default argument, a clock or a random number?",
                )

    def look(self, name: str) -> str:
        """Why what the student calls *name* cannot be called; nothing if it can."""
        parameters = tuple(inspect.signature(self.reference[name]).parameters)
        looks = self._port().ask(wire.Look(0, name, parameters))
        if not isinstance(looks, wire.Looks):
            raise Foul("a question about a function was answered with something else")
        return looks.complaint[:400]

    def _port(self) -> Port:
        if self.port is None:
            raise RuntimeError("no port: connect() comes before a call")
        return self.port

    def _begin(self, name: str, args: tuple[Any, ...], log: list[wire.Seen] | tuple[()] = ()) -> Any:
        port = self._port()
        port.speaking = name
        return port.ask(wire.Run(0, name, tuple(map(wire.pack, args)), tuple(log)))

    def _understand(self, name: str, reply: Any, given: Given) -> Step:
        if isinstance(reply, wire.Swallowed):
            raise Failed(
                f"{name} catches every exception, also the one that stops it",
                "write except with the exception that you expect",
            )
        if isinstance(reply, wire.Differs):
            raise Failed(f"{name} acts differently when run again: {reply.text[:300]}")
        try:
            if isinstance(reply, wire.Op):
                return operation(reply, given)
            if isinstance(reply, wire.Return):
                return "return", wire.unpack(reply.value, given.find)
        except wire.Unknown as unknown:
            raise Failed(
                f"{name}: {unknown}", "use what the function is called with, and what it finds there"
            ) from None
        if isinstance(reply, wire.Raise):
            return "raise", reply.kind, reply.text
        raise Foul("a call was answered with something else")

    def _end(self, name: str, step: Step) -> Any:
        if step[0] == "return":
            return step[1]
        _, kind, text = step
        if kind == "RecursionError":
            raise CodeRaised(name, kind, "it calls itself without end")
        if kind == "MemoryError":
            raise CodeRaised(name, kind, "it asked for more memory than a whole lab takes")
        raise CodeRaised(name, kind, text)


def _evidence(reply: Any) -> tuple[str, bytes]:
    """How a call ended, so that two ends can be compared."""
    what = reply.kind if isinstance(reply, wire.Raise) else getattr(reply, "value", None)
    return type(reply).__name__, wire.encode(what)


def _carry_out(cell: Cell, verb: str, args: tuple[Any, ...]) -> Any:
    try:
        return store.current().op(cell, verb, args)
    except (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError) as wrong:
        shown = ", ".join(map(repr, args))
        raise Failed(
            f"{store.cell_name(cell)}.{verb}({shown}) makes no sense to the machine: {wrong}"
        ) from None


def operation(op: wire.Op, given: Given) -> Step:
    """The operation that *op* asks for, once it is clear that there is such a one."""
    cell = wire.unpack_cell(op.cell, given.find)
    args = tuple(wire.unpack(arg, given.find) for arg in op.args)
    if op.verb == "new":
        return "op", cell, "new", _new(cell, args)
    freed = op.verb == "free" and op.cell.field == "state" and cell[0].dynamic
    if (0 if freed else wire.view_class(*cell).verbs.get(op.verb)) != len(args):
        raise wire.Unknown(f"there is no {store.cell_name(cell)}.{op.verb} with {len(args)} values")
    for arg in args:
        _sane(cell, op.verb, arg)
    return "op", cell, op.verb, args


def _new(cell: Cell, args: tuple[Any, ...]) -> tuple[Any, ...]:
    kind, *rest = args or ("",)
    if cell != (KERNEL, "objects") or type(kind) is not str:
        raise wire.Unknown(f"nothing new comes from {store.cell_name(cell)}")
    if kind not in KINDS or not KINDS[kind].dynamic:
        raise Failed(f"kernel code cannot make a new {kind}")
    if not all(type(part) is int for part in rest):
        raise Failed(f"a new {kind} takes whole numbers, not {', '.join(map(repr, rest))}")
    return args


def _sane(cell: Cell, verb: str, arg: Any) -> None:
    view, why = wire.view_class(*cell), ""
    if isinstance(arg, (wire.Other, tuple, list)) and _has_other(arg):
        why = "a cell cannot hold that: keep a number, a string, a handle or a tuple of those"
    elif issubclass(view, Counter) and type(arg) is not int:
        why = "only a whole number fits there"
    elif issubclass(view, Flag) and type(arg) is not bool:
        why = "only True or False fits there"
    elif verb in ("load", "store", "paste") and type(arg) is int and not 0 <= arg <= FURTHEST:
        why = "that is outside of it"
    if why:
        raise Failed(f"{store.cell_name(cell)}.{verb}({arg!r}): {why}")


def _has_other(value: Any) -> bool:
    return isinstance(value, (wire.Other, list)) or (isinstance(value, tuple) and any(map(_has_other, value)))
