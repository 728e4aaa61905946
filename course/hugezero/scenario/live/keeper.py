"""The keeper starts the processes of scenarios, and outlives who asks: it puts settings back and ends what is left.

Processes of scenarios are in its process group, where Ctrl-C of a terminal does not reach them; those whose
parent has ended become its children. When nobody is at the other end of its socket any more, however that came
about, or when it is told to end, it puts back each setting that was changed and kills its group, itself included.
"""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from typing import NoReturn

from . import agent
from .settings import chosen
from .syscalls import PR_SET_CHILD_SUBREAPER, libc
from .wire import receive, send

ENDINGS = signal.SIGTERM, signal.SIGINT, signal.SIGHUP


def _as_if_nobody_asked(*_: object) -> NoReturn:
    raise EOFError


def main(fd: int) -> None:
    """Keep, for who is at the other end of socket *fd*."""
    os.set_inheritable(fd, False)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for anybody: who ends is gone
    for ending in ENDINGS:
        signal.signal(ending, _as_if_nobody_asked)
    sock = socket.socket(fileno=fd)
    before: dict[str, str] = {}
    with suppress(EOFError):
        while True:
            (verb, *args), passed = receive(sock)
            send(sock, start(sock, passed) if verb == "start" else change(before, *args))
    for path, value in before.items():
        change({}, path, value)
    os.killpg(0, signal.SIGKILL)


def start(sock: socket.socket, fd: int | None) -> str | None:
    """Start a process at the other end of socket *fd*; returns what is in the way, if anything is."""
    assert fd is not None, "a socket comes with this message"
    try:
        if os.fork() == 0:
            sock.close()
            for ending in ENDINGS:
                signal.signal(ending, signal.SIG_DFL)
            agent.main(fd)
    except OSError as error:
        return error.strerror
    finally:
        os.close(fd)
    return None


def change(before: dict[str, str], path: str, value: str) -> str | None:
    """Write *value* to the setting *path*, whose value is kept in *before*; returns what is in the way."""
    try:
        with open(path) as file:
            before.setdefault(path, chosen(file.read()))
        with open(path, "w") as file:
            file.write(value)
    except OSError as error:
        return error.strerror
    return None
