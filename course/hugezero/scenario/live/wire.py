"""Messages between who asks and the processes of a scenario, over a socket."""

from __future__ import annotations

import marshal
import os
import socket
import struct
import sys
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
START = (  # a package of this folder alone: the rest of the course would cost each process a tenth of a second
    "import sys, types; live = types.ModuleType('live'); live.__path__ = [sys.argv[1]]; sys.modules['live'] = live; "
    "from importlib import import_module; import_module('live.' + sys.argv[2]).main(int(sys.argv[3]))"
)


def command(program: str, fd: int) -> list[str]:
    """The command that starts the module *program*, agent or keeper, at the other end of socket *fd*."""
    return [sys.executable, "-I", "-S", "-c", START, HERE, program, str(fd)]


def send(sock: socket.socket, what: Any, fd: int | None = None) -> None:
    """Send a message, and with it an open file that the receiver gets a copy of."""
    data = marshal.dumps(what)
    head = struct.pack("I", len(data))
    if fd is None:
        sock.sendall(head)
    else:
        socket.send_fds(sock, [head], [fd])
    sock.sendall(data)


def receive(sock: socket.socket) -> tuple[Any, int | None]:
    """The next message, and the file that came with it; EOFError where there is nobody at the other end."""
    try:
        head, fds, _, _ = socket.recv_fds(sock, 4, 1)
        for fd in fds:
            os.set_inheritable(fd, False)
        data = sock.recv(struct.unpack("I", head)[0], socket.MSG_WAITALL) if head else b""
    except ConnectionError:
        data = b""
    if not data:
        raise EOFError
    return marshal.loads(data), (fds[0] if fds else None)
