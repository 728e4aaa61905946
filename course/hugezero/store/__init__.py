"""The flat store of cells that is the machine's whole state."""

from .cells import (
    KINDS,
    RECORDS,
    Atomic,
    Cell,
    Counter,
    Entry,
    Field,
    Flag,
    Handle,
    Lock,
    Mutable,
    NoMachine,
    NotThere,
    Slot,
    Vector,
    View,
    cell_name,
    check_immutable,
    current,
    default_of,
    record,
    use,
)
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
from .words import in_code, with_result

__all__ = [
    "ALIVE", "DECLARED", "KERNEL", "KINDS", "NOTHING", "OPERATIONS", "RECORDS", "RESULT", "SOMETHING", "Asked", "Atomic", "Cell", "Counter", "Differs", "Direct",
    "Done", "Entry", "Environment", "Field", "Flag", "Handle", "KernelBug", "Lock", "Mutable", "NoKernel", "NoMachine", "NotThere", "Operation", "OtherThread", "RunsOn", "Slot",
    "Stop", "Vector", "View", "Words", "call", "cell_name", "check_immutable", "current", "default_of", "in_code", "new", "operation",
    "record", "use", "with_result",
]  # fmt: skip
