"""From an access to a page: what faults, what is refused, and who is told."""

import pytest
from hugezero.hw.ram import PAGE_SIZE
from hugezero.machine import Kernel, NoSuchFunction
from hugezero.mm.fault import OutOfMemory, SegmentationFault, touch, user_read, user_write
from hugezero.mm.mm_types import VM_FAULT_OOM, VM_READ, VM_SHARED, VM_WRITE
from hugezero.mm.mmap import BadArgument, dup_mm, madvise_dontneed, mm_alloc, mmap, mmput, mprotect, munmap
from hugezero.mm.pgtable import walk
from hugezero.store import KernelBug


@pytest.fixture
def machine():
    with Kernel().booted(pages=2048) as machine:
        yield machine


def test_a_program_faults_once_a_page_and_then_goes_through(machine):
    mm = mm_alloc()
    at = mmap(mm, 4 * PAGE_SIZE)
    for _ in range(2):
        for page in range(4):
            user_write(mm, at + page * PAGE_SIZE, b"x")
    assert mm.min_flt.read() == machine.vmstat()["pgfault"] == 4


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (lambda vmf: 0, "no progress: .* said that it was done, but the entry for 0x200000 is still None"),
        (lambda vmf: None, "returned None: a fault handler returns 0, or VM_FAULT_OOM"),
        (lambda vmf: True, "returned True"),
        (lambda vmf: "done", "returned 'done'"),
    ],
)
def test_a_handler_that_makes_no_progress_or_no_sense_is_reported(handler, message):
    with Kernel(do_anonymous_page=handler).booted(pages=64), pytest.raises(KernelBug, match=message):
        user_read(*_area())


def _area():
    mm = mm_alloc()
    return mm, mmap(mm, PAGE_SIZE)


def test_a_handler_without_memory_stops_the_program():
    with Kernel(do_anonymous_page=lambda vmf: VM_FAULT_OOM).booted(pages=64), pytest.raises(OutOfMemory):
        user_read(*_area())


def test_a_kernel_without_a_function_says_how_to_give_it():
    with pytest.raises(
        NoSuchFunction, match=r"this kernel has no split_huge_zero_page_pmd: build it with Kernel\("
    ):
        Kernel().split_huge_zero_page_pmd  # noqa: B018


@pytest.mark.parametrize("write", [False, True])
def test_an_address_that_is_not_mapped_is_a_segmentation_fault(machine, write):
    mm = mm_alloc()
    with pytest.raises(SegmentationFault, match="no memory is mapped at 0x5000"):
        touch(mm, 0x5000, write)


def test_rights_are_kept(machine):
    mm = mm_alloc()
    at = mmap(mm, PAGE_SIZE, VM_READ)
    user_read(mm, at)
    with pytest.raises(SegmentationFault, match="may not be written to"):
        user_write(mm, at, b"x")
    mprotect(mm, at, PAGE_SIZE, VM_READ | VM_WRITE)
    user_write(mm, at, b"x")
    mprotect(mm, at, PAGE_SIZE, VM_READ)
    with pytest.raises(SegmentationFault):
        user_write(mm, at, b"y")
    assert user_read(mm, at) == b"x"


def test_a_hole_in_the_middle_leaves_both_sides(machine):
    mm = mm_alloc()
    at = mmap(mm, 5 * PAGE_SIZE)
    for page in range(5):
        user_write(mm, at + page * PAGE_SIZE, bytes([page]))
    munmap(mm, at + 2 * PAGE_SIZE, PAGE_SIZE)
    assert [(low - at, high - at) for low, high, _ in mm.mmap] == [(0, 8192), (12288, 20480)]
    assert [vma.vm_end - vma.vm_start for _, _, vma in mm.mmap] == [8192, 8192]
    assert user_read(mm, at + 3 * PAGE_SIZE) == b"\x03" and mm.rss.read() == 4


def test_page_tables_go_with_the_last_area_in_their_2_mib(machine):
    mm = mm_alloc()
    at = mmap(mm, 2 * PAGE_SIZE)
    user_write(mm, at, b"x")
    munmap(mm, at, PAGE_SIZE)
    assert mm.nr_ptes.read() == 1
    munmap(mm, at + PAGE_SIZE, PAGE_SIZE)
    assert mm.nr_ptes.read() == machine.vmstat()["nr_page_table_pages"] == 0


def test_dontneed_forgets_the_bytes_and_keeps_the_area(machine):
    mm = mm_alloc()
    at = mmap(mm, PAGE_SIZE)
    user_write(mm, at, b"x")
    madvise_dontneed(mm, at, PAGE_SIZE)
    assert walk(mm, at) is None and mm.rss.read() == 0 and user_read(mm, at) == b"\0"


def test_shared_memory_is_shared_after_fork_and_private_memory_is_not(machine):
    mm = mm_alloc()
    shared, private = mmap(mm, PAGE_SIZE, VM_READ | VM_WRITE | VM_SHARED), mmap(mm, PAGE_SIZE)
    user_write(mm, private, b"p")
    child = dup_mm(mm)
    user_write(child, shared, b"c")
    user_write(child, private, b"c")
    assert (user_read(mm, shared), user_read(mm, private)) == (b"c", b"p")


def test_a_private_write_to_a_file_stays_private(machine):
    file = machine.file(b"in the file")
    one, two = mm_alloc(), mm_alloc()
    a, b = mmap(one, PAGE_SIZE, file=file), mmap(two, PAGE_SIZE, file=file)
    user_write(one, a, b"IN")
    assert (user_read(one, a, 11), user_read(two, b, 11)) == (b"IN the file", b"in the file")


def test_when_the_last_user_goes_everything_comes_back(machine):
    free = machine.vmstat()["nr_free_pages"]
    mm = mm_alloc()
    at = mmap(mm, 600 * PAGE_SIZE)
    for page in range(0, 600, 7):
        user_write(mm, at + page * PAGE_SIZE, b"x")
    child = dup_mm(mm)
    user_write(child, at, b"y")
    mmput(mm)
    mmput(child)
    assert machine.vmstat()["nr_free_pages"] == free


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda mm: mmap(mm, 0), "mmap of 0 bytes"),
        (lambda mm: mmap(mm, 1, at=5), "mmap at 0x5: the address must be a multiple of 4096"),
        (lambda mm: (mmap(mm, 1, at=4096), mmap(mm, 1, at=4096)), "something is mapped there already"),
        (lambda mm: munmap(mm, 7, 1), "address 0x7: it must be a multiple"),
        (lambda mm: mprotect(mm, 0, -1, 0), "a range of -1 bytes"),
    ],
)
def test_a_system_call_that_makes_no_sense_names_the_value(machine, call, message):
    with pytest.raises(BadArgument, match=message):
        call(mm_alloc())
