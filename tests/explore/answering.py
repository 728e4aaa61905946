"""The functions of versions.py, answering from a process of their own, as a student's do."""

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Any

from hugezero.check.function_under_test import FunctionUnderTest
from hugezero.remote.answering import serve

from autograder.judge.channel import Channel
from autograder.judge.remote_function import RemoteFunction, StudentProcess

from . import versions


@contextlib.contextmanager
def answering(**changed: Any) -> Iterator[dict[str, Any]]:
    """get, put and scan by name, each with `step`, asked across a socket."""
    functions = {"get": versions.get, "put": versions.put, "scan": versions.scan, **changed}
    path = f"\0hugezero-explore-{os.getpid()}-{id(functions)}"
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    door.bind(path)
    door.listen()
    pid = os.fork()
    if pid == 0:
        door.close()
        try:
            serve(functions, path)
        finally:
            os._exit(0)
    process = StudentProcess(lambda: Channel(door.accept()[0]))
    try:
        with process:
            yield {
                name: FunctionUnderTest(name, RemoteFunction(process, name, others), others)
                for name in functions
                for others in [functions.keys() - {name}]
            }
    finally:
        door.close()
        os.waitpid(pid, 0)
