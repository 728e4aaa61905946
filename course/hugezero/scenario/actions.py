"""A scenario is a small user program: a list of actions, each done by a named process.

The same list runs on a simulated kernel and on live Linux. Offsets and lengths are bytes.
The first process is called "main".
"""

from __future__ import annotations

from typing import NamedTuple

from ..hw.ram import PAGE_SIZE
from ..store import record


@record
class Mmap(NamedTuple):
    """Map *length* bytes and call them *area*: private and anonymous, unless *shared*, or a file of *data*."""

    area: str
    length: int
    shared: bool = False
    data: bytes | None = None
    by: str = "main"


@record
class Munmap(NamedTuple):
    """Unmap a part of *area*, or all of it (*length* 0)."""

    area: str
    offset: int = 0
    length: int = 0
    by: str = "main"


@record
class Mprotect(NamedTuple):
    """Make a part of *area*, or all of it (*length* 0), writable or read-only."""

    area: str
    write: bool
    offset: int = 0
    length: int = 0
    by: str = "main"


@record
class Madvise(NamedTuple):
    """Advise "hugepage", "nohugepage" or "dontneed" for a part of *area*, or all of it (*length* 0)."""

    area: str
    advice: str
    offset: int = 0
    length: int = 0
    by: str = "main"


@record
class Read(NamedTuple):
    """Read one byte at *offset*, and one more every *step* bytes up to *length*."""

    area: str
    offset: int = 0
    length: int = 1
    step: int = PAGE_SIZE
    by: str = "main"


@record
class Write(NamedTuple):
    """Write *data* at *offset*, and again every *step* bytes up to *length* (0: once)."""

    area: str
    offset: int = 0
    data: bytes = b"\x01"
    length: int = 0
    step: int = PAGE_SIZE
    by: str = "main"


@record
class Fork(NamedTuple):
    """Make a child process called *child*."""

    child: str
    by: str = "main"


@record
class Thread(NamedTuple):
    """Start a thread called *name*, in the same address space."""

    name: str
    by: str = "main"


@record
class Exec(NamedTuple):
    """Start another program: the address space is replaced by an empty one."""

    by: str = "main"


@record
class Exit(NamedTuple):
    """End the process or thread."""

    by: str = "main"


@record
class DropCaches(NamedTuple):
    """Write *level* to /proc/sys/vm/drop_caches."""

    level: int = 2
    by: str = "main"


@record
class UseZeroPage(NamedTuple):
    """Write 1 or 0 to /sys/kernel/mm/transparent_hugepage/use_zero_page."""

    on: bool
    by: str = "main"


Action = (
    Mmap | Munmap | Mprotect | Madvise | Read | Write | Fork | Thread | Exec | Exit | DropCaches | UseZeroPage
)
ACTIONS: tuple[type, ...] = (
    Mmap, Munmap, Mprotect, Madvise, Read, Write, Fork, Thread, Exec, Exit, DropCaches, UseZeroPage,
)  # fmt: skip


def in_words(action: Action) -> str:
    """One action as a student would write it, without what is left at its default."""
    defaults = type(action)._field_defaults
    given = [
        f"{name}={value!r}" if name in defaults else repr(value)
        for name, value in action._asdict().items()
        if name not in defaults or value != defaults[name]
    ]
    return f"{type(action).__name__}({', '.join(given)})"


def what_is_wrong(action: Action) -> str | None:
    """Which part of *action* is no such thing; None if all are."""
    for name, value in action._asdict().items():
        wanted = [
            kind
            for kind in TYPES
            if kind.__name__ in type(action).__annotations__[name].__forward_arg__.split(" | ")
        ]
        optional = value is None and type(action)._field_defaults.get(name, ...) is None
        if type(value) not in wanted and not optional:
            example = ", like b'A'" if bytes in wanted else ""
            return f"{in_words(action)}: {name} is {value!r}; it must be {wanted[0].__name__}{example}"
        if type(value) is int and value < 0:
            return f"{in_words(action)}: {name} is {value}; it cannot be negative"
    return None


TYPES = (str, int, bool, bytes)
