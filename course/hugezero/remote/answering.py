"""Answers the judge's questions about the functions of a notebook.

The kernel forks a copy of itself for each check, and the copy answers: whatever the code under
test does to its process (ends it, fills its memory, changes its globals) costs that one check.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from typing import Any

from ..check.function_under_test import complaint
from ..check.linking import apart
from ..check.lint import files, in_words
from ..check.lint import namespace as globals_of
from ..check.refusals import Confined, Refused
from ..check.student_line import with_line
from ..store import Asked, Cell, Differs, Stop
from . import messages

DISMISSED = 3  # exit status of a copy that was not asked anything
COPIES = 1000  # more than any exercise has checks
MEMORY, FILE, CPU = 2 << 30, 1 << 20, 120  # bytes, bytes, seconds: limits of one copy
PATIENCE = 100  # operations after a stop


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
    line = _Line(conn)
    while True:
        asked = line.handle(namespace, asked)


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


class _Graded(Asked):
    """Asks the judge; code that cannot be stopped ends its process."""

    after_stop = 0

    def __init__(self, line: _Line, log: list[tuple[Any, Any]]) -> None:
        super().__init__(line.ask, log)
        self.line = line

    def op(self, cell: Cell, verb: str, args: tuple[Any, ...]) -> Any:
        if self.stopped is not None:
            self.after_stop += 1
            if self.after_stop > PATIENCE:
                self.line.send(messages.Swallowed(self.line.n))
                os._exit(0)
        return super().op(cell, verb, args)


class _Line:
    """The judge at the other end: one question, one answer."""

    def __init__(self, conn: Any) -> None:
        self.conn, self.n = conn, 0
        self.next: messages.Question | None = None
        self.apart: dict[str, Any] = {}  # functions by name, as they are judged
        self.confined: dict[str, Confined] = {}

    def send(self, reply: Any) -> None:
        self.conn.send(messages.encode(reply))

    def receive(self) -> messages.Question:
        message = self.conn.recv(messages.SIZE)
        if not message:
            os._exit(0)  # the judge has seen enough
        asked: messages.Question = messages.question.decode(message)
        self.n = asked.n
        return asked

    def ask(self, cell: Cell, verb: str, args: tuple[Any, ...]) -> Any:
        """What the operation gives; Stop if the judge asks something else instead."""
        self.send(messages.Op(self.n, messages.pack_cell(cell), verb, tuple(map(messages.pack, args))))
        asked = self.receive()
        if isinstance(asked, messages.Saw):
            return messages.unpack(asked.value)
        self.next = asked
        raise Stop

    def handle(self, namespace: Mapping[str, Any], asked: messages.Question) -> messages.Question:
        """Answer *asked*; gives the next question."""
        self.n, self.next = asked.n, None
        if isinstance(asked, messages.Look):
            thing = namespace.get(asked.name)
            said = complaint(asked.name, thing, asked.arguments)
            self.apart[asked.name] = thing if said else apart(thing, asked.calls)
            self.send(messages.Looks(asked.n, _plain(said or ""), _plain(in_words(thing))))
        elif isinstance(asked, messages.Run):
            reply = self.run(namespace, asked)
            if self.next is not None:
                return self.next
            self.send(reply)
        return self.receive()

    def run(self, namespace: Mapping[str, Any], asked: messages.Run) -> Any:
        """What the call ends with, unless it was stopped."""
        log = [
            ((messages.unpack_cell(cell), verb, tuple(map(messages.unpack, args))), messages.unpack(result))
            for cell, verb, args, result in asked.log
        ]
        name = asked.name
        if name not in self.confined:
            self.confined[name] = Confined(globals_of(namespace.get(name)))
        confined = self.confined[name]
        try:
            with confined(), _elsewhere(confined, asked.world), _Graded(self, log):
                function = self.apart.get(name) or namespace[name]
                value = function(*map(messages.unpack, asked.args))
            if confined.refused:  # and the code has caught it
                raise Refused(confined.refused)
            reply = messages.Return(self.n, messages.pack(value))
            if len(messages.encode(reply)) > messages.SIZE:
                reply.value = messages.Other(f"{type(value).__name__} that is too large")
            return reply
        except Stop:
            return None
        except Differs as differs:
            return messages.Differs(self.n, str(differs)[:400])
        except BaseException as raised:
            if confined.refused:
                return messages.Raise(self.n, Refused.__name__, _plain(confined.refused))
            return messages.Raise(self.n, type(raised).__name__[:80], _text(raised, namespace.get(name)))


def _elsewhere(confined: Confined, world: int | None) -> contextlib.AbstractContextManager[None]:
    """Where a call is run: here, or in another world."""
    return contextlib.nullcontext() if world is None else confined.elsewhere(world)


def _text(raised: BaseException, thing: object) -> str:
    try:
        return _plain(with_line(raised, files(thing)))
    except BaseException:
        return ""


def _plain(text: str) -> str:
    return text[:400].encode("utf-8", "replace").decode()
