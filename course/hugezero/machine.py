"""A machine with a kernel on it: memory, disks, counters, and the functions that students write."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from .block.bio import BlockDevice
from .hw.ram import LEFT_BEHIND, Contents
from .mm import memory
from .mm.huge_memory import HUGE_ZERO, TRANSPARENT_HUGEPAGE
from .mm.mm_types import AddressSpace
from .mm.page_alloc import ZERO_PAGE, Births, set_zero_page_aside
from .mm.printk import CONFIG, PRINTK
from .mm.shrinker import SHRINKERS
from .mm.vmstat import VMSTAT
from .store import KERNEL, Direct, Done, Handle, new, use

WELL_KNOWN: frozenset[Handle] = frozenset(
    {ZERO_PAGE, HUGE_ZERO, TRANSPARENT_HUGEPAGE, SHRINKERS, CONFIG, PRINTK, VMSTAT, KERNEL}
)  # handles that any code may name


class NoSuchFunction(AttributeError):
    """This kernel was built without the function."""


def linked(functions: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return the same functions; where one calls another by its name, that is the one of this kernel.

    A function of lab 4 that calls one which lab 5 has written anew must get the new one.
    """
    made = dict(functions)
    to_link: list[tuple[dict[str, Any], set[str]]] = []
    for name, function in functions.items():
        if not inspect.isfunction(function):
            continue
        calls = {
            other
            for other in functions.keys() & set(function.__code__.co_names)
            if callable(function.__globals__.get(other))
        }
        if calls:
            names = dict(function.__globals__)
            twin = FunctionType(
                function.__code__, names, function.__name__, function.__defaults__, function.__closure__
            )
            twin.__kwdefaults__, twin.__doc__ = function.__kwdefaults__, function.__doc__
            made[name] = twin
            to_link.append((names, calls))
    for names, calls in to_link:
        names.update({other: made[other] for other in calls})
    return made


class Kernel:
    """The functions of one kernel, by name; those that are not given are the ones that share nothing."""

    def __init__(self, functions: Mapping[str, Any] | None = None, **more: Any) -> None:
        given = {
            k: v for k, v in vars(memory).items() if inspect.isfunction(v) and v.__module__ == memory.__name__
        }
        self.functions = linked({**given, **dict(functions or {}), **more})

    def __getattr__(self, name: str) -> Callable[..., Any]:
        try:
            function: Callable[..., Any] = self.__dict__["functions"][name]
        except KeyError:
            raise NoSuchFunction(f"this kernel has no {name}: build it with Kernel({name}=...)") from None
        self.__dict__[name] = function
        return function

    def booted(self, **config: Any) -> Machine:
        """Return a machine that runs this kernel, for a `with` block; see Machine."""
        return Machine(self, **config)


class Machine(Direct):
    """*pages* frames of 4 KiB, a kernel, and a log of everything done to it.

    *fail*: numbers of the allocations of memory, from 0, that find none.
    *persistent_huge_zero_folio*: was the kernel built with CONFIG_PERSISTENT_HUGE_ZERO_FOLIO?
    """

    def __init__(
        self,
        kernel: Kernel | None = None,
        pages: int = 1 << 20,
        log: bool = True,
        fail: frozenset[int] = frozenset(),
        persistent_huge_zero_folio: bool = False,
    ) -> None:
        rows: list[Done] | None = [] if log else None
        self.births: Births
        super().__init__(Births(pages, fail), rows)
        self.kernel = kernel or Kernel()
        set_zero_page_aside(self.cells)
        if persistent_huge_zero_folio:
            self.cells[CONFIG, "PERSISTENT_HUGE_ZERO_FOLIO"] = True
        if "hugezero_init" in self.kernel.functions:
            with self:
                self.call("hugezero_init", CONFIG)
        if self.log:
            self.log.clear()  # a log tells what was done to a machine that is up
        self.at_boot = dict(self.cells)

    def call(self, name: str, *args: Any) -> Any:
        """Let the kernel run its function *name*."""
        return getattr(self.kernel, name)(*args)

    def vmstat(self) -> dict[str, int]:
        """Return the counters of the whole machine, under the names of /proc/vmstat; pages and events."""
        births = self.births
        counts = {name: self.peek((VMSTAT, name)) for name in VMSTAT.fields}
        return {
            **counts,
            "nr_free_pages": births.nr_free_pages,
            "pgalloc_normal": births.pgalloc,
            "pgfree": births.pgfree,
        }

    def dmesg(self) -> tuple[str, ...]:
        """Return what the kernel has said, the oldest first."""
        lines: tuple[str, ...] = self.peek((PRINTK, "lines"))
        return lines

    def disk(self, nr_sectors: int, max_write_zeroes_sectors: int = 0, old: int = LEFT_BEHIND) -> BlockDevice:
        """Return a new disk of *nr_sectors* sectors of 512 bytes, full of old data: all 0xCC, or the byte *old*."""
        with self:
            bdev: BlockDevice = new("BlockDevice")
            bdev.bd_nr_sectors = nr_sectors
            if max_write_zeroes_sectors:
                bdev.max_write_zeroes_sectors = max_write_zeroes_sectors
        if old != LEFT_BEHIND:
            self.cells[bdev, "data"] = Contents(fill=old)
        return bdev

    def file(self, data: bytes) -> AddressSpace:
        """Return a new file with *data* in it."""
        with self:
            mapping: AddressSpace = new("AddressSpace")
        self.cells[mapping, "data"] = Contents().store(0, data)
        return mapping


def boot(functions: Mapping[str, Any] | None = None, **config: Any) -> Machine:
    """Switch a machine on and leave it on, for playing with it in a notebook."""
    machine = Kernel(functions).booted(**config)
    use(machine)
    return machine
