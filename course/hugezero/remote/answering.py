"""Answers the judge's questions about the functions of a notebook.

The kernel forks a copy of itself for each check, and the copy answers: whatever the code under
test does to its process (ends it, fills its memory, changes its globals) costs that one check.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from ..check.local_function import ENDLESS, UNSTOPPABLE, LocalFunction
from ..store import Asked, Cell, Environment, KernelBug, Stop
from . import messages

DISMISSED = 3  # exit status of a copy that was not asked anything
COPIES = 1000  # more than any exercise has checks
MEMORY, FILE, CPU = 2 << 30, 1 << 20, 120  # bytes, bytes, seconds: limits of one copy


def serve(namespace: Mapping[str, Any], path: str | None = None) -> None:
    """Answer with the functions in *namespace* for as long as the judge has questions."""
    for _ in range(COPIES):
        pid = os.fork()
        if pid == 0:
            try:
                answer(namespace, path or os.environ["HUGEZERO_JUDGE"])
            finally:
                os._exit(DISMISSED)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == DISMISSED:
            return


def answer(namespace: Mapping[str, Any], path: str) -> None:
    """Be the copy that answers; returns only if nothing was asked."""
    conn = messages.dial(path)
    _limit()
    message = conn.recv(messages.SIZE)
    if not message:
        return
    asked = messages.question.decode(message)
    with _Line(conn, namespace) as line:
        while True:
            asked = line.handle(asked)


class _Quiet:
    """Where prints go while the judge is asking."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


def _limit() -> None:
    import resource  # not where Python runs in a browser

    sys.stdout = sys.stderr = _Quiet()
    for what, most in (
        (resource.RLIMIT_NPROC, 0),  # no process and no thread: the same every time
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, FILE),
        (resource.RLIMIT_CPU, CPU),
    ):
        resource.setrlimit(what, (most, most))


class _Line(Environment):
    """The judge at the other end: one question, one answer."""

    def __init__(self, conn: Any, namespace: Mapping[str, Any]) -> None:
        self.conn, self.namespace, self.n = conn, namespace, 0
        self.name = ""  # of the function that is asked for
        self.next: messages.Question | None = None
        self.functions: dict[str, LocalFunction] = {}

    def send(self, reply: Any) -> None:
        self.conn.send(messages.encode(reply))

    def receive(self) -> messages.Question:
        message = self.conn.recv(messages.SIZE)
        if not message:
            os._exit(0)  # the judge has seen enough
        asked: messages.Question = messages.question.decode(message)
        self.n = asked.n
        return asked

    def op(self, cell: Cell, verb: str, args: tuple[Any, ...]) -> Any:
        """Return what the operation gives; raise Stop if the judge asks something else instead."""
        self.send(messages.Op(self.n, messages.pack_cell(cell), verb, tuple(map(messages.pack, args))))
        asked = self.receive()
        if isinstance(asked, messages.Saw):
            return messages.unpack(asked.value)
        self.next = asked
        raise Stop

    def handle(self, asked: messages.Question) -> messages.Question:
        """Answer *asked*, and return the next question."""
        self.n, self.next = asked.n, None
        if isinstance(asked, messages.Look):
            function = LocalFunction(asked.name, self.namespace.get(asked.name), asked.calls, self.hang_up)
            self.functions[asked.name] = function
            said = function.complaint(asked.arguments)
            self.send(messages.Looks(asked.n, _plain(said), _plain(function.habits)))
        elif isinstance(asked, messages.Run):
            reply = self.run(asked)
            if self.next is not None:
                return self.next
            self.send(reply)
        return self.receive()

    def run(self, asked: messages.Run) -> Any:
        """Return what the call ends with; anything if it was stopped."""
        self.name, replay = asked.name, Asked(self.op, map(_seen, asked.log))
        try:
            args = tuple(map(messages.unpack, asked.args))
            found = self.functions[asked.name].call(args, replay.op, asked.world)
        except Stop:
            return None
        except KernelBug as bug:
            return messages.Raise(self.n, KernelBug.__name__, _plain(bug.what))
        except BaseException as raised:
            return messages.Raise(self.n, type(raised).__name__[:80], "")
        if found[0] == "bug":
            return messages.Stopped(self.n, *map(_plain, found[1:]))
        if found[0] == "raise":
            return messages.Raise(self.n, found[1][:80], _plain(found[2]))
        reply = messages.Return(self.n, messages.pack(found[1]))
        if len(messages.encode(reply)) > messages.SIZE:
            reply.value = messages.Other(f"{type(found[1]).__name__} that is too large")
        return reply

    def hang_up(self) -> None:
        """End this process, with code in it that nothing stops; say so if an answer is due."""
        what, hint = ENDLESS if self.next is None else UNSTOPPABLE
        self.send(messages.Stopped(self.n, f"{self.name} {what}", hint))
        os._exit(0)


def _seen(seen: messages.Seen) -> tuple[Any, Any]:
    """Return an operation of a log, and what it gave."""
    cell, verb, args, result = seen
    return (messages.unpack_cell(cell), verb, tuple(map(messages.unpack, args))), messages.unpack(result)


def _plain(text: str) -> str:
    return text[:400].encode("utf-8", "replace").decode()
