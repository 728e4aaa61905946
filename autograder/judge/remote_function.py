"""A student's function in their own process: each operation that it asks for is validated, then carried out here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from hugezero.check.checks import Failed
from hugezero.check.local_function import Do
from hugezero.check.remembered_calls import TooLong
from hugezero.explore.generations import Seen
from hugezero.remote import messages
from hugezero.store import KernelBug, current

from .channel import Channel, ProtocolBroken, Unanswered
from .validation import Given, Step, operation, well_known

NO_EVIDENCE = "no evidence: nothing answered the judge"


class StudentProcess:
    """The student's process: a copy of it for each check, and a second one for what is asked again.

    *accept* gives the channel to the next copy, or None when there is none.
    """

    def __init__(self, accept: Callable[[], Channel | None]) -> None:
        self.accept = accept
        self.first: Channel | None = None
        self.second: Channel | None = None
        self.begun = 0  # calls that were begun

    def __enter__(self) -> None:
        self.first = self._next()

    def __exit__(self, *_: object) -> None:
        for channel in (self.first, self.second):
            if channel is not None:
                channel.close()
        self.first = self.second = None

    def channel(self, another: bool = False) -> Channel:
        """Return the channel to the copy of this check, or to *another* one, which has kept nothing of its calls."""
        if self.first is None:
            raise RuntimeError(
                "there is no copy of the student's process: calls are made inside a `with` block"
            )
        if not another:
            return self.first
        if self.second is None:
            self.first.close()  # the next copy comes only when this one has gone
            self.second = self._next()
        return self.second

    def _next(self) -> Channel:
        channel = self.accept()
        if channel is None:
            raise NoEvidence(NO_EVIDENCE)
        return channel


class NoEvidence(Unanswered):
    """No copy of the student's process came to answer."""


class RemoteFunction:
    """The student's function *name*, over a channel; of the kernel's functions it may call *calls*."""

    def __init__(self, process: StudentProcess, name: str, calls: Collection[str]) -> None:
        self.process, self.name, self.may_call = process, name, tuple(sorted(calls))
        self.constants = well_known()
        self.habits = ""
        self.looked_at: dict[Channel, dict[int, str]] = {}  # what was said of it, by the number of arguments
        self.arguments = 0

    def complaint(self, arguments: int) -> str:
        """Return why it cannot be called with so many *arguments*; nothing if it can."""
        self.arguments = arguments
        return self._look(self.process.channel())

    def call(self, args: tuple[Any, ...], do: Do) -> Step:
        """Run a whole call, let *do* carry out its operations, and return how it ends."""
        given = Given(self.constants)
        given.learn(args)
        log: list[messages.Seen] = []
        reply = self._begin(self.process.channel(), args, log)
        while True:
            found = self._understood(reply, given)
            if found[0] != "op":
                if found[:2] == ("raise", KernelBug.__name__):
                    raise current().bug(found[2])
                return found
            begun = self.process.begun
            result = do(*found[1:])
            given.learn(result)
            seen = messages.pack(result)
            log.append((reply.cell, reply.verb, reply.args, seen))
            if self.process.begun == begun:
                reply = self.process.channel().ask(messages.Saw(0, seen))
            else:  # the kernel has called the student's code again meanwhile: this call was left
                reply = self._begin(self.process.channel(), args, log)

    def step(self, args: tuple[Any, ...], log: tuple[Seen, ...], world: int | None = None) -> Step:
        """Return what a call does next when it has seen *log*, in another *world* if one is named."""
        given = Given(self.constants)
        given.learn(args)
        given.learn([result for *_, result in log])
        seen = [
            (messages.pack_cell(cell), verb, tuple(map(messages.pack, values)), messages.pack(result))
            for cell, verb, values, result in log
        ]
        if world is not None and len(messages.encode(seen)) > messages.SIZE // 2:
            raise TooLong
        found = self._understood(
            self._begin(self.process.channel(world is not None), args, seen, world), given
        )
        return ("bug", found[2]) if found[:2] == ("raise", KernelBug.__name__) else found

    def _look(self, channel: Channel) -> str:
        """Return what the copy behind *channel* says of the function; it calls the kernel's from then on."""
        said = self.looked_at.setdefault(channel, {})
        if self.arguments not in said:
            looks = channel.ask(messages.Look(0, self.name, self.arguments, self.may_call))
            if not isinstance(looks, messages.Looks):
                raise ProtocolBroken("a question about a function was answered with something else")
            self.habits, said[self.arguments] = looks.habits[:400], looks.complaint[:400]
        return said[self.arguments]

    def _begin(
        self, channel: Channel, args: tuple[Any, ...], log: list[messages.Seen], world: int | None = None
    ) -> Any:
        self._look(channel)
        channel.speaking = self.name
        self.process.begun += 1
        return channel.ask(messages.Run(0, self.name, tuple(map(messages.pack, args)), tuple(log), world))

    def _understood(self, reply: Any, given: Given) -> Step:
        """Return *reply* as a step, once it is clear that there is such a one."""
        try:
            if isinstance(reply, messages.Op):
                return operation(reply, given)
            if isinstance(reply, messages.Return):
                return "return", messages.unpack(reply.value, given.find)
        except messages.Unknown as unknown:
            return (
                "bug",
                f"{self.name}: {unknown}",
                "use what the function is called with, and what it finds there",
            )
        except Failed as failed:
            return "bug", failed.why, failed.hint
        if isinstance(reply, messages.Raise):
            return "raise", reply.kind[:80], reply.text[:400]
        if isinstance(reply, messages.Stopped):
            return "bug", reply.text[:400], reply.hint[:400]
        raise ProtocolBroken("a call was answered with something else")
