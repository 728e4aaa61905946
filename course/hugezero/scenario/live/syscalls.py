"""The system calls that Python has no function for, and where in its memory a process does what a scenario says."""

from __future__ import annotations

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
_P, _Z, _I, _L = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_long
libc.mmap.argtypes, libc.mmap.restype = [_P, _Z, _I, _I, _I, _L], _P
libc.munmap.argtypes = [_P, _Z]
libc.mprotect.argtypes = libc.madvise.argtypes = [_P, _Z, _I]
libc.readv.argtypes, libc.readv.restype = [_I, _P, _I], ctypes.c_ssize_t
libc.writev.argtypes, libc.writev.restype = [_I, _P, _I], ctypes.c_ssize_t
libc.prctl.argtypes = [_I, _L, _L, _L, _L]

PROT_READ, PROT_WRITE = 1, 2
MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS, MAP_NORESERVE, MAP_FIXED_NOREPLACE = (
    0x01,
    0x02,
    0x20,
    0x4000,
    0x100000,
)
MADV = {"dontneed": 4, "hugepage": 14, "nohugepage": 15, "populate_read": 22, "populate_write": 23}
SYS_exit = {"x86_64": 60}.get(os.uname().machine, 93)  # 93 where the numbers are the generic ones
PR_SET_CHILD_SUBREAPER = 36
FAILED = (-1, ctypes.c_void_p(-1).value)  # as an int, and as an address
ARENA = 1 << 38, (1 << 38) + (1 << 36)  # from, to, in bytes: far from all that is a process's own
