"""What code under test may not do while it runs, and the other world in which it is run again.

Only calls from the student's own code are looked at: everything else in the process goes on as ever.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import datetime
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

WAITS = "a kernel function ends at once, and never waits for anything but the machine"
ALONE = "a kernel function runs on the CPU that calls it, and starts nothing"
LOCKS = "what keeps CPUs apart is on the machine; Python's locks are not"
BLIND = "a kernel function knows what it is called with, and what it finds on the machine"
REFUSED: tuple[tuple[Any, str, str, str], ...] = (  # whose, what, in the student's words, why
    (time, "sleep", "time.sleep()", WAITS),
    (builtins, "input", "input()", WAITS),
    (builtins, "breakpoint", "breakpoint()", WAITS),
    (asyncio, "run", "asyncio.run()", WAITS),
    (threading.Thread, "start", "a thread's start()", ALONE),
    (subprocess.Popen, "__init__", "subprocess", ALONE),
    (subprocess, "run", "subprocess.run()", ALONE),
    (os, "system", "os.system()", ALONE),
    (os, "fork", "os.fork()", ALONE),
    (os, "_exit", "os._exit(), which would have ended the whole process", ALONE),
    (os, "abort", "os.abort(), which would have ended the whole process", ALONE),
    (os, "kill", "os.kill()", ALONE),
    (socket.socket, "__init__", "a socket", ALONE),
    (signal, "signal", "signal.signal()", ALONE),
    (threading, "Lock", "threading.Lock()", LOCKS),
    (threading, "RLock", "threading.RLock()", LOCKS),
    (threading.Event, "__init__", "threading.Event()", LOCKS),
    (threading.Condition, "__init__", "threading.Condition()", LOCKS),
    (threading.Semaphore, "__init__", "threading.Semaphore()", LOCKS),
    (sys, "settrace", "sys.settrace()", BLIND),
    (sys, "setprofile", "sys.setprofile()", BLIND),
    (threading, "settrace", "threading.settrace()", BLIND),
    (sys, "_getframe", "sys._getframe()", BLIND),
)
BLOCKING = (type(threading.Lock()), type(threading.RLock()), threading.Event, threading.Condition, threading.Semaphore)  # fmt: skip
FAR = 10**7  # microseconds that the clocks of another world are ahead, at least; at most FAR²


class Refused(BaseException):
    """The code did something that no kernel function does."""


def no_business(name: object, calls: Iterable[str]) -> str:
    """What is said to a function that lets the kernel run *name*, and may let it run *calls* only."""
    may = " and ".join(sorted(calls)) or "no other function of the kernel"
    return f"calls the kernel's {name}: what it is for needs {may}"


class Confinement:
    """Code whose globals are *names* is refused what it may not do; *refused* is what it tried first."""

    def __init__(self, names: dict[str, Any] | None) -> None:
        self.names = {} if names is None else names
        self.refused, self._deep = "", 0
        self._changes = [
            (whose, name, self._refusal(getattr(whose, name), *why))
            for whose, name, *why in REFUSED
            if hasattr(whose, name)
        ]
        self._swaps = [*self._same(self._changes), *self._locks()]

    @contextlib.contextmanager
    def __call__(self, world: int | None = None) -> Iterator[None]:
        """Refuse, as long as the `with` block runs, here or in another *world*: see `elsewhere`."""
        if not self._deep:
            self.refused = ""
        self._deep += 1
        try:
            with _changed(self._changes), _renamed(self.names, self._swaps):
                if world is None:
                    yield
                else:
                    with self.elsewhere(world):
                        yield
        finally:
            self._deep -= 1

    def refuse(self, why: str) -> NoReturn:
        """End the code under test, which has done what it may not do."""
        self.refused = self.refused or why
        raise Refused(self.refused)

    def theirs(self, frame: Any) -> bool:
        """Does the code in *frame* stand in the notebook?"""
        return frame.f_globals is self.names

    def _refusal(self, original: Any, what: str, why: str) -> Callable[..., Any]:
        deeper = original is sys._getframe

        def refuse(*args: Any, **kwargs: Any) -> Any:
            if self.theirs(_frame(1)):
                self.refuse(f"calls {what}: {why}")
            if deeper:
                return original((args[0] if args else 0) + 1)
            return original(*args, **kwargs)

        refuse.__name__ = getattr(original, "__name__", what)
        refuse.original = original  # type: ignore[attr-defined]
        return refuse

    def _same(self, changes: list[tuple[Any, str, Any]]) -> list[tuple[str, Any]]:
        """What the notebook has imported by name: `from time import sleep`."""
        new = {id(getattr(whose, name)): change for whose, name, change in changes if whose is not builtins}
        return [(name, new[id(value)]) for name, value in self.names.items() if id(value) in new]

    def _locks(self) -> list[tuple[str, Any]]:
        """Locks that the notebook has made: whoever takes one may wait for ever."""
        return [
            (name, _NoLock(self, name)) for name, value in self.names.items() if isinstance(value, BLOCKING)
        ]

    @contextlib.contextmanager
    def elsewhere(self, world: int) -> Iterator[None]:
        """Another *world*: other random numbers, another time, other ids. What is the machine's is the same."""
        before, unlike = random.getstate(), random.Random(world)
        ahead, mask = unlike.randrange(FAR, FAR**2), unlike.getrandbits(28) << 4
        changes: list[tuple[Any, str, Any]] = [
            (time, name, self._later(getattr(time, name), ahead)) for name in _CLOCKS
        ]
        changes += [(builtins, "id", self._other(id, mask)), (builtins, "hash", self._other(hash, mask))]
        swaps = self._same(changes[: len(_CLOCKS)])
        later = _later_datetime(ahead)
        swaps += [(name, later) for name, value in self.names.items() if value is datetime.datetime]
        random.seed(world)
        try:
            with _changed([*changes, (datetime, "datetime", later)]), _renamed(self.names, swaps):
                yield
        finally:
            random.setstate(before)

    def _later(self, clock: Callable[[], Any], ahead: int) -> Callable[[], Any]:
        more = ahead if clock.__name__.endswith("_ns") else ahead / 10**6

        def now() -> Any:
            return clock() + more if self.theirs(_frame(1)) else clock()

        return now

    def _other(self, original: Any, mask: int) -> Callable[[Any], int]:
        def other(thing: Any) -> int:
            kind: Any = type(thing)
            hashed: Any = kind.__hash__
            known = original is hash and hashed is not object.__hash__ and kind not in (str, bytes)
            return original(thing) ^ (mask if not known and self.theirs(_frame(1)) else 0)

        return other


class _NoLock:
    """Stands for a lock that the notebook has made."""

    def __init__(self, confinement: Confinement, name: str) -> None:
        self.__dict__.update(confinement=confinement, name=name)

    def _refuse(self, *_: Any) -> Any:
        self.__dict__["confinement"].refuse(f"uses the lock {self.__dict__['name']}: {LOCKS}")

    __getattr__ = __enter__ = __exit__ = _refuse


_frame = sys._getframe
_CLOCKS = [
    f"{name}{unit}"
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time")
    for unit in ("", "_ns")
    if hasattr(time, name)
]


def _later_datetime(ahead: int) -> type[datetime.datetime]:
    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.datetime.fromtimestamp(time.time() + ahead / 10**6, tz)

        today = now

    return Later


@contextlib.contextmanager
def _changed(changes: list[tuple[Any, str, Any]]) -> Iterator[None]:
    """Attributes of modules and classes are others for a while."""
    before = [(whose, name, whose.__dict__[name]) for whose, name, _ in changes]
    try:
        for whose, name, new in changes:
            setattr(whose, name, new)
        yield
    finally:
        for whose, name, old in before:
            setattr(whose, name, old)


@contextlib.contextmanager
def _renamed(names: dict[str, Any], swaps: list[tuple[str, Any]]) -> Iterator[None]:
    """Names of the notebook mean something else for a while."""
    before = [(name, names[name], new) for name, new in swaps if name in names]
    names.update((name, new) for name, _, new in before)
    try:
        yield
    finally:
        for name, old, new in before:
            if names.get(name) is new:
                names[name] = old
