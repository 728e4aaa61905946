"""The given half of a fault, on two CPUs: every schedule, with memory that may run out anywhere."""

import pytest
from hugezero.explore.replay import given
from hugezero.explore.search import explore
from hugezero.explore.threads import calls
from hugezero.machine import Kernel
from hugezero.mm.fault import OutOfMemory, user_read
from hugezero.mm.mm_types import VM_HUGEPAGE
from hugezero.mm.mmap import madvise, mm_alloc, mmap
from hugezero.mm.pgtable import PmdTable

from autograder.course.layout import Course

MiB = 1 << 20
KERNELS = {lab: Kernel(Course().reference(lab)) for lab in ("lab1_zero_page", "lab3_shrinker")}


def read_or_die(mm, address):
    try:
        return user_read(mm, address)
    except OutOfMemory:
        return None


@pytest.mark.parametrize("lab", KERNELS)
@pytest.mark.parametrize("second", [0, 4096])
def test_two_threads_that_fault_in_the_same_2_mib_lose_no_table(lab, second):
    kernel = KERNELS[lab]
    functions = {name: given(function) for name, function in kernel.functions.items() if callable(function)}
    functions["read_or_die"] = given(read_or_die)
    with kernel.booted() as machine:
        mm = mm_alloc()
        start = mmap(mm, 2 * MiB)
        madvise(mm, start, 2 * MiB, VM_HUGEPAGE, 0)
    threads = [calls("reader", ("read_or_die", mm, start + at)) for at in (0, second)]

    def one_table_at_most(peek):
        tables, below = peek((mm, "nr_ptes")), peek((PmdTable(mm.id), start // (2 * MiB)))
        wanted = int(below is not None)
        return None if tables == wanted else f"{tables} page tables are counted; it should be {wanted}"

    found = explore(functions, threads, machine.cells, at_end=one_table_at_most, may_fail=True)
    assert (found.bug, found.inconclusive) == (None, False)
