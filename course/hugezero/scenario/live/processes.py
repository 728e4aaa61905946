"""Real processes that do what they are told, and the keeper that starts them and outlives us."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import suppress
from typing import Any

from .here import Unavailable
from .looking import Looked
from .wire import command, receive, send

SECONDS = 60  # that a process may take for one action


class Process:
    """One process of a scenario, or one thread of it: its socket, and what can be seen of it from outside."""

    def __init__(self, sock: socket.socket, mates: list[Process] | None = None) -> None:
        self.sock = sock
        self.mates = [self] if mates is None else mates  # who share the address space
        self.faults = self.tables = 0  # so far; the mates share these, see took()
        self.pid, self.tid = self.answer()
        self.looked = Looked(self.tid)
        if mates is not None:
            self.faults, self.tables = mates[0].faults, mates[0].tables
            mates.append(self)

    def ask(self, *what: Any, fd: int | None = None) -> Any:
        """Tell it to do something; returns the answer."""
        self.tell(*what, fd=fd)
        return self.answer()

    def tell(self, *what: Any, fd: int | None = None) -> None:
        """Tell it to do something."""
        try:
            send(self.sock, what, fd)
        except OSError:
            raise Unavailable("a process of the scenario was ended by somebody else") from None

    def answer(self) -> Any:
        """The next thing that it says."""
        try:
            return receive(self.sock)[0]
        except TimeoutError:
            raise Unavailable(f"a process of the scenario did not answer within {SECONDS} s") from None
        except EOFError:
            raise Unavailable(
                "a process of the scenario was ended by somebody else; was memory short?"
            ) from None

    def took(self, faults: int, tables: int) -> None:
        """Count what an action took, for all who share the address space."""
        for each in self.mates:
            each.faults, each.tables = each.faults + faults, each.tables + tables

    def end(self) -> None:
        """Have it end, and wait until it has let go of its memory."""
        with suppress(Unavailable):
            self.tell("exit")
        with suppress(OSError, EOFError):
            receive(self.sock)
        self.gone()

    def gone(self) -> None:
        """Let go of what has ended."""
        self.mates.remove(self)
        self.looked.close()
        self.sock.close()


class Keeper:
    """Starts processes, changes settings, puts them back at the end: see keeper.py."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            os.set_inheritable(theirs.fileno(), True)
            self.process = subprocess.Popen(
                command("keeper", theirs.fileno()),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        self.sock = ours

    def start(self) -> Process:
        """Start a process with nothing mapped in the arena."""
        ours, theirs = pair()
        with theirs:
            why = self._ask("start", fd=theirs.fileno())
        if why is not None:
            raise Unavailable(f"no process can be started: {why}")
        return Process(ours)

    def set(self, path: str, value: str) -> None:
        """Change a setting of the machine; it is put back when we close, or end."""
        why = self._ask("set", path, value)
        if why is not None:
            raise Unavailable(f"{path} cannot be changed: {why}")

    def _ask(self, *what: str, fd: int | None = None) -> Any:
        try:
            send(self.sock, what, fd)
            return receive(self.sock)[0]
        except (OSError, EOFError):
            raise Unavailable("who keeps the processes of scenarios was ended by somebody else") from None

    def close(self) -> None:
        """Have settings put back and every process ended, and wait until it is so."""
        self.sock.close()
        self.process.wait()


def pair() -> tuple[socket.socket, socket.socket]:
    """Our end and a process's end of a connection."""
    ours, theirs = socket.socketpair()
    ours.settimeout(SECONDS)
    return ours, theirs
