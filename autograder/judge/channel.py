"""The judge's end of the socket to the student's process: one question, one answer, and an end to waiting.

No clock decides a point: what is limited is CPU time of that one process, and how often it is seen asleep.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
from typing import Any

import msgspec
from hugezero.remote import messages

CPU_SECONDS = 1.0  # of the process, without one operation
LOOK_MS, LOOKS = 50, 100  # between two looks at a process that is silent; looks that find it asleep
CHECK_BYTES = 64 << 20  # of answers
TICK = os.sysconf("SC_CLK_TCK")


class Unanswered(BaseException):
    """The check came to no end: the process died, hung, or asked for too much.

    A BaseException, so that nothing between here and the judge tries the same thing again.
    """


class WaitsTooLong(Unanswered):
    """It neither answers nor works. On a machine at its limits an honest process might look like that: ask again."""


class ProtocolBroken(BaseException):
    """An answer that no honest code gives: nothing this process says counts any more."""


class Channel:
    """One copy of the student's process, and what it was last asked."""

    def __init__(self, conn: socket.socket) -> None:
        self.conn, self.n, self.speaking = conn, 0, "your code"
        self.bytes = 0
        conn.setblocking(False)
        self.pid: int = struct.unpack("3i", conn.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        try:
            self.process: int | None = os.pidfd_open(self.pid) if self.pid else None
        except OSError:
            self.process = None

    def close(self) -> None:
        """Let the copy end; what it is doing just now does not matter."""
        self.conn.close()
        if self.process is not None:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self.process, signal.SIGKILL)
            os.close(self.process)
            self.process = None

    def ask(self, question: Any) -> Any:
        """The answer to *question*, whose number is set here."""
        self.n += 1
        question.n = self.n
        packet = messages.encode(question)
        if len(packet) > messages.SIZE:
            raise ValueError(f"a question of {len(packet)} bytes: at most {messages.SIZE} fit in one message")
        try:
            self.conn.send(packet)
        except OSError:
            raise self._died() from None
        try:
            reply = messages.answer.decode(self._receive())
        except (msgspec.DecodeError, RecursionError, ValueError) as wrong:
            raise ProtocolBroken(
                f"what came back is not an answer to the judge's question: {wrong}"
            ) from None
        if reply.n != self.n:
            raise ProtocolBroken(
                f"an answer to question {reply.n} where {self.n} was asked: two of you are answering"
            )
        return reply

    def _died(self) -> Unanswered:
        return Unanswered(
            f"{self.speaking} ended the whole process: os._exit, or more memory or recursion than there is"
        )

    def _receive(self) -> bytes:
        poll = select.poll()
        poll.register(self.conn, select.POLLIN)
        burnt, asleep = None, 0
        while not poll.poll(LOOK_MS):
            works, cpu = self._state()
            burnt = cpu if burnt is None else burnt
            asleep += not works
            if cpu - burnt > CPU_SECONDS:
                raise Unanswered(
                    f"{self.speaking} computed for {CPU_SECONDS:.0f} s without one operation on the machine: "
                    "is there a loop that looks at nothing?"
                )
            if asleep > LOOKS:
                waited = LOOKS * LOOK_MS // 1000
                raise WaitsTooLong(
                    f"{self.speaking} waited for {waited} s without one operation on the machine"
                )
        try:
            packet, _, flags, _ = self.conn.recvmsg(messages.SIZE)
        except OSError:
            raise self._died() from None
        if not packet:
            raise self._died()
        self.bytes += len(packet)
        if self.bytes > CHECK_BYTES:
            raise Unanswered(f"{self.speaking} sent {CHECK_BYTES >> 20} MiB in one check, and no end")
        if flags & socket.MSG_TRUNC:
            raise ProtocolBroken(f"an answer longer than {messages.SIZE} bytes")
        return packet

    def _state(self) -> tuple[bool, float]:
        """Does the process work, or would if it had a CPU? And the seconds of CPU that it has used."""
        try:
            with open(f"/proc/{self.pid}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
            return fields[0] == "R", (int(fields[11]) + int(fields[12])) / TICK
        except (OSError, IndexError, ValueError):
            return False, 0.0
