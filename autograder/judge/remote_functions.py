"""A function of the student's as the judge calls it: each operation is validated, then carried out here."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hugezero import store
from hugezero.check.checks import CodeRaised, Failed, NotStarted
from hugezero.check.limits import AGAIN, CHECK_OPERATIONS, OPERATIONS, RAN_ON, RAN_ON_HINT, REMEMBERED
from hugezero.check.lint import odd, told
from hugezero.check.refusals import Refused, no_business
from hugezero.remote import messages
from hugezero.store import Cell

from .channel import Foul, Port, Unanswered
from .validation import Given, Step, operation, well_known

Call = tuple[str, tuple[Any, ...]]


class RanOn(Failed):
    """A call did more operations than any needs. To see that costs seconds."""


class Student:
    """All of the student's functions, through one port at a time."""

    def __init__(self, reference: dict[str, Callable[..., Any]], calls: Iterable[str]) -> None:
        self.port: Port | None = None
        self.reference, self.constants = reference, well_known()
        self.may_call = tuple(sorted(calls))  # functions of the kernel
        self.asked = 0  # how often a call was begun
        self.operations = 0
        self.habits = ""  # what the code does besides, for messages: in its own words, so only for those
        self.calls: list[tuple[Call, list[messages.Seen], Any]] = []

    def connect(self, port: Port, forget: bool = True) -> None:
        """Ask this port from now on, with a new budget."""
        self.port, self.operations = port, 0
        if forget:
            self.calls = []

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
        log: list[messages.Seen] = []
        given.learn(args)
        for _ in range(OPERATIONS):
            step = self._understand(name, answers, given)
            if step[0] != "op":
                self._remember((name, args), log, answers)
                return self._end(name, step)
            self.operations += 1
            if self.operations > CHECK_OPERATIONS:
                raise Unanswered(f"{name}: {CHECK_OPERATIONS:,} operations in one check, and no end")
            _, cell, verb, values = step
            begun = self.asked
            result = _called(values) if verb == "call" else _carry_out(cell, verb, values)
            given.learn(result)
            seen = messages.pack(result)
            log.append((answers.cell, verb, answers.args, seen))
            if self.asked == begun:
                answers = self._port().ask(messages.Saw(0, seen))
            else:  # the kernel has called the student's code again meanwhile: this call was left
                answers = self._begin(name, args, log)
        raise RanOn(told(f"{name} {RAN_ON}", self.habits), RAN_ON_HINT)

    def step(self, call: Call, log: Sequence[tuple[Cell, str, tuple[Any, ...], Any]]) -> Step:
        """What *call* does next when it has seen *log*."""
        given = Given(self.constants)
        given.learn(call[1])
        given.learn([result for *_, result in log])
        seen = [
            (messages.pack_cell(cell), verb, tuple(map(messages.pack, args)), messages.pack(result))
            for cell, verb, args, result in log
        ]
        reply = self._begin(*call, seen)
        self._remember(call, seen, reply)
        return self._understand(call[0], reply, given)

    def _remember(self, call: Call, log: list[messages.Seen], reply: Any) -> None:
        if len(self.calls) < REMEMBERED and len(messages.encode(log)) <= messages.SIZE // 2:
            self.calls.append((call, log, _evidence(reply)))

    def again(self) -> None:
        """The same questions get the same answers, whatever the time, the random numbers and the ids are."""
        calls, self.calls = self.calls, []
        some = random.Random(3).sample(calls, min(AGAIN, len(calls)))
        for world in range(AGAIN if some else 0):
            (name, args), log, before = some[world % len(some)]
            if _evidence(self._begin(name, args, log, world)) != before:
                raise Failed(
                    told(f"{name} acts differently when it is run again and shown the same", self.habits),
                    "what a function does may depend on what it is called with and finds on the machine, on nothing else",
                )

    def look(self, name: str) -> str:
        """Why what the student calls *name* cannot be called; nothing if it can."""
        arguments = len(inspect.signature(self.reference[name]).parameters)
        looks = self._port().ask(messages.Look(0, name, arguments, self.may_call))
        if not isinstance(looks, messages.Looks):
            raise Foul("a question about a function was answered with something else")
        self.habits = looks.habits[:400]
        return looks.complaint[:400]

    def _port(self) -> Port:
        if self.port is None:
            raise RuntimeError("no port: connect() comes before a call")
        return self.port

    def _begin(
        self,
        name: str,
        args: tuple[Any, ...],
        log: list[messages.Seen] | tuple[()] = (),
        world: int | None = None,
    ) -> Any:
        port = self._port()
        port.speaking = name
        self.asked += 1
        return port.ask(messages.Run(0, name, tuple(map(messages.pack, args)), tuple(log), world))

    def _understand(self, name: str, reply: Any, given: Given) -> Step:
        if isinstance(reply, messages.Swallowed):
            raise Failed(
                told(f"{name} catches every exception, also the one that stops it", self.habits),
                "write except with the exception that you expect",
            )
        if isinstance(reply, messages.Differs):
            raise Failed(
                told(f"{name} acts differently when it is run again: {reply.text[:300]}", self.habits)
            )
        try:
            if isinstance(reply, messages.Op):
                step = operation(reply, given)
                if step[2] == "call" and step[3][0] not in self.may_call:
                    raise Failed(f"{name} {no_business(step[3][0], self.may_call)}")
                return step
            if isinstance(reply, messages.Return):
                return "return", messages.unpack(reply.value, given.find)
        except messages.Unknown as unknown:
            raise Failed(
                f"{name}: {unknown}", "use what the function is called with, and what it finds there"
            ) from None
        if isinstance(reply, messages.Raise):
            if reply.kind == Refused.__name__:
                raise Failed(f"{name} {reply.text}")
            return "raise", reply.kind, odd(reply.kind, reply.text, self.habits)
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
    what = reply.kind if isinstance(reply, messages.Raise) else getattr(reply, "value", None)
    if isinstance(reply, messages.Op):
        what = reply.cell, reply.verb, reply.args
    return type(reply).__name__, messages.encode(what)


def _carry_out(cell: Cell, verb: str, args: tuple[Any, ...]) -> Any:
    try:
        return store.current().op(cell, verb, args)
    except (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError) as wrong:
        shown = ", ".join(map(repr, args))
        raise Failed(
            f"{store.cell_name(cell)}.{verb}({shown}) makes no sense to the machine: {wrong}"
        ) from None


def _called(args: tuple[Any, ...]) -> Any:
    """What a function of the kernel gives that a student's function has called by name."""
    try:
        return store.call(*args)
    except (Failed, CodeRaised, NotStarted):
        raise
    except Exception as wrong:
        name, *values = args
        why = f"{type(wrong).__name__}: {wrong}"
        raise Failed(f"{name}({', '.join(map(repr, values))}) came to no good end, {why}") from None
