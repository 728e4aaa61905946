"""One process of a scenario: it does what it is told over a socket, and counts what that took.

The standard library only, and nothing of this package but its neighbours; `wire.command` starts it.

Memory is touched by the kernel on the process's behalf, byte by byte: writev from the addresses into
a pipe is a read, readv from a pipe to the addresses is a write. The same fault handler runs, faults are
counted on this process, and an address that may not be touched gives EFAULT instead of a signal.
"""

from __future__ import annotations

import _thread
import ctypes
import errno
import os
import resource
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from .syscalls import (
    ARENA,
    FAILED,
    MADV,
    MAP_ANONYMOUS,
    MAP_FIXED_NOREPLACE,
    MAP_PRIVATE,
    PROT_READ,
    PROT_WRITE,
    SYS_exit,
    libc,
)
from .wire import command, receive, send

PAGE = resource.getpagesize()
VECTORS = 1024  # bytes in one call: what readv and writev take at a time, and less than a pipe holds
NOTHING = (libc.madvise, (0, 0, 0))

Took = tuple[int, int]  # minor faults, and page tables in kB


def counted(call: Callable[..., Any], *args: Any) -> tuple[Any, str | None, Took]:
    """Do one system call; returns its result, the name of its error, and what it took.

    It comes after two that do nothing, so that by then Python has all that it needs for counting.
    """
    status = os.open("/proc/thread-self/status", os.O_RDONLY)
    for function, given in (NOTHING, NOTHING, (call, args)):
        tables, faults = _tables(status), _faults()
        result = function(*given)
        took = _faults() - faults, _tables(status) - tables
    os.close(status)
    failed = result in FAILED
    return result, errno.errorcode.get(ctypes.get_errno(), "an error") if failed else None, took


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _tables(status: int) -> int:
    return int(os.pread(status, 4096, 0).split(b"VmPTE:")[1].split()[0])


def touch(pieces: Iterable[tuple[int, bytes]], write: bool) -> tuple[Any, Took]:
    """Touch each (address, bytes), one after the other; returns what was read, or the error, and what it took."""
    got, faults, tables = [], 0, 0
    there = iter(pieces)
    while some := list(islice(there, VECTORS)):
        vectors = struct.pack(f"{2 * len(some)}N", *(n for at, data in some for n in (at, len(data))))
        data = b"".join(data for _, data in some)
        out, into = os.pipe()
        if write:
            os.write(into, data)
        call, end = (libc.readv, out) if write else (libc.writev, into)
        done, error, took = counted(call, end, vectors, len(some))
        if not write and done == len(data):
            got.append(os.read(out, len(data)))
        os.close(out)
        os.close(into)
        faults, tables = faults + took[0], tables + took[1]
        if error or done < len(data):
            return "SIGSEGV" if error in (None, "EFAULT") else error, (faults, tables)
    return b"".join(got), (faults, tables)


def read(start: int, length: int, step: int) -> tuple[Any, Took]:
    """Read a byte every *step* bytes; returns (byte, times) runs, or the error."""
    seen, took = touch(((start + n * step, b"?") for n in range(-(-length // step))), False)
    return (_runs(seen) if isinstance(seen, bytes) else seen), took


def _runs(data: bytes) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for byte in data:
        times = found.pop()[1] if found and found[-1][0] == byte else 0
        found.append((byte, times + 1))
    return found


def write(start: int, length: int, step: int, data: bytes) -> tuple[Any, Took]:
    """Write *data* every *step* bytes; returns None, or the error."""
    starts = (start + n * step for n in range(-(-(length or 1) // step)))
    seen, took = touch((piece for at in starts for piece in _bytes_of(at, data)), True)
    return (None if isinstance(seen, bytes) else seen), took


def _bytes_of(at: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    return ((at + n, data[n : n + 1]) for n in range(len(data)))


def mmap(address: int, length: int, flags: int, *, fd: int | None) -> tuple[Any, Took]:
    """Map memory there, or the file *fd*."""
    both = PROT_READ | PROT_WRITE
    _, error, took = counted(libc.mmap, address, length, both, flags, -1 if fd is None else fd, 0)
    if fd is not None:
        os.close(fd)
    return error, took


def change(call: str, *args: int) -> tuple[Any, Took]:
    """One of munmap, mprotect and madvise."""
    _, error, took = counted(getattr(libc, call), *args)
    return error, took


DOES: dict[str, Callable[..., tuple[Any, Took]]] = {"change": change, "read": read, "write": write}


def settle(anchor: bool) -> None:
    """Take by now the faults that this process's own memory would take later.

    With *anchor*, also those of a page at the arena's start: page tables of the levels above are there from then on.
    """
    if anchor:
        flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE
        libc.mmap(ARENA[0], PAGE, PROT_READ | PROT_WRITE, flags, -1, 0)
    with open("/proc/thread-self/maps") as file:
        lines = file.read().splitlines()
    for line in lines:
        where, rights, *_ = line.split()
        low, high = (int(part, 16) for part in where.split("-"))
        if rights == "rw-p" and not ARENA[0] < low < ARENA[1]:
            libc.madvise(low, high - low, MADV["populate_write"])
    for _ in range(3):
        write(ARENA[0], 1, 1, b"\1")
        read(ARENA[0], 1, 1)


def serve(sock: socket.socket, others: list[socket.socket]) -> None:
    """Do what is told over *sock*, until told to end or until there is nobody to tell.

    *others*: the sockets of this process's other threads, which a child must let go of.
    """
    send(sock, (os.getpid(), _thread.get_native_id()))
    while True:
        try:
            told, fd = receive(sock)
        except EOFError:
            os._exit(0)
        verb, *args = told
        if verb == "mmap":
            send(sock, mmap(*args, fd=fd))
        elif verb in DOES:
            send(sock, DOES[verb](*args))
        elif verb == "fork":
            _fork(sock, others, _socket(fd))
        elif verb == "thread":
            new = _socket(fd)
            others.append(new)
            _thread.stack_size(1 << 18)
            _thread.start_new_thread(serve, (new, others))
            settle(False)
            send(sock, "done")
        elif verb == "exec":
            os.set_inheritable(sock.fileno(), True)
            line = command("agent", sock.fileno())
            os.execv(line[0], line)
        elif verb == "exit":
            others.remove(sock)
            if not others:
                os._exit(
                    0
                )  # which closes the socket after the memory is gone, so that who waits for the end knows
            sock.close()
            libc.syscall(SYS_exit, 0)  # this thread only; Python's own end of a thread would touch memory


def _fork(sock: socket.socket, others: list[socket.socket], new: socket.socket) -> None:
    try:
        child = os.fork()
    except OSError as error:
        new.close()
        send(sock, errno.errorcode.get(error.errno or 0, "an error"))
        return
    if child == 0:
        for each in others:
            each.close()
        settle(False)
        serve(new, [new])
    new.close()
    settle(False)
    send(sock, None)


def _socket(fd: int | None) -> socket.socket:
    assert fd is not None, "a socket comes with this message"
    return socket.socket(fileno=fd)


def main(fd: int) -> None:
    """Be a process at the other end of socket *fd*; ends with the process."""
    os.set_inheritable(fd, False)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # /proc may be read-only
        file.write("1000")  # where memory is short, this process goes, and not the notebook
    settle(True)
    sock = socket.socket(fileno=fd)
    serve(sock, [sock])
