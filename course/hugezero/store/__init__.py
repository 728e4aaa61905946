"""The flat store of cells that is the machine's whole state."""

from .cells import Counter, Entry, Flag, Lock, Slot, Vector, View
from .environments import (
    ALIVE,
    KERNEL,
    Asked,
    Differs,
    Direct,
    Done,
    Environment,
    NoKernel,
    OtherThread,
    RunsOn,
    Stop,
    call,
    new,
)
from .handles import KINDS, Atomic, Field, Handle, NotThere, default_of
from .operations import (
    DECLARED,
    NOTHING,
    OPERATIONS,
    RESULT,
    SOMETHING,
    KernelBug,
    Operation,
    Words,
    operation,
)
from .running import RECORDS, Cell, Mutable, NoMachine, cell_name, check_immutable, current, record, use
from .words import in_code, with_result

__all__ = [
    "ALIVE", "DECLARED", "KERNEL", "KINDS", "NOTHING", "OPERATIONS", "RECORDS", "RESULT", "SOMETHING", "Asked", "Atomic", "Cell", "Counter", "Differs", "Direct",
    "Done", "Entry", "Environment", "Field", "Flag", "Handle", "KernelBug", "Lock", "Mutable", "NoKernel", "NoMachine", "NotThere", "Operation", "OtherThread", "RunsOn", "Slot",
    "Stop", "Vector", "View", "Words", "call", "cell_name", "check_immutable", "current", "default_of", "in_code", "new", "operation",
    "record", "use", "with_result",
]  # fmt: skip
