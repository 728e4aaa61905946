"""Who did an operation is worked out from the log; here the call stack tells it as well."""

import sys
from pathlib import Path

import pytest
from hugezero import store
from hugezero.machine import Kernel, Machine
from hugezero.mm.fault import user_read, user_write
from hugezero.mm.pgtable import walk
from hugezero.scenario import Fork, Madvise, Mmap, Mprotect, Read, Simulated, Write
from hugezero.view.memory.actors import HARDWARE, KERNEL, PROGRAM, actors
from hypothesis import given

from tests.scenario.kernels import KERNELS
from tests.view.memory.test_huge_pages_in_the_map import READ
from tests.view.memory.test_memory_map import programs

STORE = str(Path(store.__file__).parent)
BY_CODE = {walk.__code__: HARDWARE, user_read.__code__: PROGRAM, user_write.__code__: PROGRAM}


class Witness(Machine):
    """A machine that looks who calls."""

    def op(self, cell, verb, args=()):
        frame = sys._getframe(1)
        while frame.f_code.co_filename.startswith(STORE) or frame.f_code.co_name in ("load", "store"):
            frame = frame.f_back
        place = len(self.log)
        self.__dict__.setdefault("seen", {})[place] = BY_CODE.get(frame.f_code, KERNEL)
        return super().op(cell, verb, args)


def witnessed(kernel, actions):
    """What the log tells and what was seen, of a program."""

    class Watched(Kernel):
        def booted(self, **config):
            return Witness(self, **config)

    simulated = Simulated(Watched(kernel.functions), pages=4096)
    simulated.run(actions)
    log, seen = simulated.machine.log, simulated.machine.seen
    return actors(log), [seen[k] for k in range(len(log))]


@given(program=programs())
def test_the_log_tells_who_did_what(program):
    told, seen = witnessed(KERNELS["zero page"], program)
    assert told == seen


@pytest.mark.parametrize("design", KERNELS)
def test_with_huge_pages_as_well(design):
    told, seen = witnessed(
        KERNELS[design],
        [
            *READ,
            Write("a", 0, b"hi"),
            Fork("child"),
            Write("a", 0, b"x", by="child"),
            Madvise("a", "dontneed"),
            Read("a"),
        ],
    )
    assert told == seen
    assert set(told) == {PROGRAM, HARDWARE, KERNEL}


def test_a_program_that_may_not_is_stopped_by_the_kernel():
    told, seen = witnessed(KERNELS["zero page"], [Mmap("a", 4096), Mprotect("a", False), Write("a")])
    assert told == seen
    assert told[-3:] == [HARDWARE, KERNEL, KERNEL]
