"""A disk that works while the CPUs do something else: it reads frames, and knows no lives."""

import pytest
from hugezero.block import disk
from hugezero.block.bio import (
    QUEUE,
    bio_add_folio,
    bio_alloc,
    issue_write_zeroes,
    submit_bio,
    submit_bio_wait,
)
from hugezero.block.report import because
from hugezero.block.zeroing import zeroout_borrowing, zeroout_private
from hugezero.check.checks import Failed
from hugezero.check.schedules import every_schedule
from hugezero.labs.actors import shrinker
from hugezero.labs.lab5.lending import BDEV, SECTORS, at_work, borrowing_kernel, program, zeroing
from hugezero.labs.laws import alive, at_rest
from hugezero.machine import Kernel
from hugezero.mm.huge_memory import HUGE_ZERO
from hugezero.mm.mm_types import EIO
from hugezero.mm.page_alloc import ZERO_PAGE, alloc_folio, clear_folio, free_folio
from hugezero.scenario import DropCaches, Exec, Exit, Fork, Madvise, Mmap, Read, Write
from hugezero.scenario.storage import DiskWorks, Zeroout, with_disk

from autograder.course.layout import Course
from solutions.lab5_persistent import end_zeroout, zeroout_counting

MiB = 1 << 20
PER_MM = Course().reference("lab4_mm_flag")


@pytest.fixture
def machine():
    with Kernel().booted(pages=2048) as machine:
        yield machine


def sent(bdev, folio, length=4096, sector=0):
    bio = bio_alloc(bdev, sector)
    bio_add_folio(bio, folio, length)
    submit_bio(bio)
    return bio


def test_a_bio_that_was_sent_is_carried_out_when_the_disk_comes_to_it(machine):
    bdev = machine.disk(64)
    bios = [sent(bdev, ZERO_PAGE, sector=sector) for sector in (0, 8, 16)]
    assert disk.under_way(machine) == bios and bdev.data.load(0, 4) == b"\xcc" * 4
    assert disk.work(machine, bdev, 1) == 1
    assert [bio.bi_status.read() for bio in bios] == [0, None, None]
    assert disk.work(machine, bdev) == 2 and disk.work(machine, bdev) == 0
    assert bdev.data.load(0, 24 * 512) == bytes(24 * 512) and bdev.bios.read() == 3


def test_the_disk_writes_what_the_frames_hold_by_then_whoever_owns_them(machine):
    bdev, folio = machine.disk(8192), alloc_folio(9)
    clear_folio(folio)
    sent(bdev, folio, 2 * MiB)
    free_folio(folio)
    page, gone = alloc_folio(), alloc_folio()
    page.data.clear()
    page.data.store(5, b"mine")
    gone.data.clear()
    gone.data.store(0, b"left behind")
    free_folio(gone)
    assert (page.pfn, gone.pfn) == (folio.pfn, folio.pfn + 1)
    disk.work(machine, bdev)
    assert bdev.data.load(0, 10) == b"\0\0\0\0\0mine\0"
    assert bdev.data.load(4096, 12) == b"left behind\0"
    assert bdev.data.load(8192, 2 * MiB - 8192) == bytes(2 * MiB - 8192)


def test_a_huge_folio_that_comes_after_small_ones_owns_all_their_frames(machine):
    small = [alloc_folio() for _ in range(2)]
    for folio in small:
        folio.data.store(0, b"old")
        free_folio(folio)
    huge = alloc_folio(9)
    assert huge.pfn == small[0].pfn
    clear_folio(huge)
    bdev = machine.disk(8192)
    sent(bdev, huge, 2 * MiB)
    disk.work(machine, bdev)
    assert bdev.data.load(0, 2 * MiB) == bytes(2 * MiB)


def test_when_a_bio_is_through_the_kernel_is_told_and_can_look_how_it_went():
    told = []

    def end(bio):
        told.append((bio, bio.bi_status.read()))

    with Kernel(end=end).booted(pages=64) as machine:
        bdev = machine.disk(16)
        for sector in (0, 12):
            bio = bio_alloc(bdev, sector)
            bio_add_folio(bio, ZERO_PAGE, 4096)
            bio.bi_end_io = "end"
            submit_bio(bio)
        disk.shut_down(machine)
    assert [status for _, status in told] == [0, EIO]
    assert disk.under_way(machine) == []


@pytest.mark.parametrize("wait", [True, False])
def test_a_disk_that_fails_half_way_has_written_what_lies_before_and_reports_it(machine, wait):
    bdev, page = machine.disk(64), alloc_folio()
    page.data.clear()
    bdev.bd_bad_sector = 11
    bio = bio_alloc(bdev, 8)
    for _ in range(2):
        bio_add_folio(bio, page, 4096)
    if wait:
        assert submit_bio_wait(bio) == EIO
    else:
        submit_bio(bio)
        disk.work(machine, bdev)
        assert bio.bi_status.read() == EIO
    assert bdev.data.load(8 * 512, 3 * 512) == bytes(3 * 512)
    assert bdev.data.load(11 * 512, 13 * 512) == b"\xcc" * 13 * 512
    assert (bdev.bios.read(), bdev.vecs.read()) == (1, 1)


@pytest.mark.parametrize(("bad", "written"), [(0, 0), (3, 3), (8, 8), (20, 8)])
def test_a_disk_that_zeroes_by_itself_fails_half_way_too(machine, bad, written):
    bdev = machine.disk(64, max_write_zeroes_sectors=8)
    bdev.bd_bad_sector = bad
    assert issue_write_zeroes(bdev, 0, 8) == (0 if written == 8 else EIO)
    assert bdev.data.load(0, 4096) == bytes(written * 512) + b"\xcc" * (4096 - written * 512)


@pytest.mark.parametrize(("sector", "nr"), [(-1, 4), (60, 5), (64, 1), (0, 0), (0, -3)])
def test_a_range_that_is_not_on_the_disk_is_an_error_and_nothing_is_zeroed(machine, sector, nr):
    bdev = machine.disk(64, max_write_zeroes_sectors=8)
    before = bdev.data.read()
    assert issue_write_zeroes(bdev, sector, nr) == EIO and bdev.data.read() == before


def test_a_queue_that_is_full_is_named(machine):
    bdev = machine.disk(64)
    for _ in range(QUEUE):
        sent(bdev, ZERO_PAGE)
    with pytest.raises(BlockingIOError, match=f"{QUEUE:,} bios wait"):
        sent(bdev, ZERO_PAGE)


def test_a_bio_that_the_disk_has_come_to_is_not_said_to_be_never_sent(machine):
    bdev = machine.disk(64)
    sent(bdev, ZERO_PAGE)
    assert "nobody has waited for it" in because(machine, bdev)
    disk.work(machine, bdev)
    assert because(machine, bdev) == ""


# who holds the zeroes while the disk works

SECRET = [
    Mmap("b", 2 * MiB),
    Madvise("b", "hugepage"),
    Fork("other"),
    Zeroout(),
    Exit(),
    DropCaches(),
    Write("b", 0, b"secret", by="other"),
    DiskWorks(),
]
AWAY = [Zeroout(), Exit()], [Zeroout(), Exec()]
ROUTINES = [zeroout_borrowing, zeroout_counting, zeroout_private]


def test_a_disk_that_reads_what_it_was_lent_writes_what_belongs_to_somebody_else():
    for kernel in (borrowing_kernel(), zeroing(PER_MM, zeroout_borrowing)):
        found = with_disk(SECRET, kernel, pages=4096)
        assert found.on_disk()[0] == (0, 1, "something else") and found.late
        assert found.machine.peek((found.bdev, "data")).load(0, 6) == b"secret"


@pytest.mark.parametrize("routine", ROUTINES[1:])
def test_a_reference_for_each_bio_or_a_page_that_stays_keeps_the_zeroes(routine):
    found = with_disk(SECRET, zeroing(PER_MM, routine, end_zeroout), pages=4096)
    assert found.on_disk()[0] == (0, 4096, "zeroes") and not found.late


@pytest.mark.parametrize("routine", ROUTINES)
@pytest.mark.parametrize("away", AWAY)
def test_io_that_outlives_its_process_writes_zeroes_as_long_as_memory_is_not_tight(routine, away):
    found = with_disk([*away, DiskWorks()], zeroing(PER_MM, routine, end_zeroout), pages=4096)
    assert found.on_disk()[0] == (0, 4096, "zeroes")


@pytest.mark.parametrize("away", AWAY)
def test_a_reference_for_each_bio_is_given_back_when_the_disk_is_through_and_at_shutdown(away):
    found = with_disk([*away, DropCaches()], zeroing(PER_MM, zeroout_counting, end_zeroout), pages=4096)
    count = lambda: found.machine.peek((HUGE_ZERO, "refcount"))  # noqa: E731
    assert count() == 2
    disk.shut_down(found.machine)
    assert count() == 1 and disk.under_way(found.machine) == []
    found.run([DropCaches()])
    assert count() == 0 and found.machine.vmstat()["nr_free_pages"] == 4096


def test_the_first_reference_may_have_to_allocate_2_mib_within_the_io_path():
    kernel = zeroing(PER_MM, zeroout_counting, end_zeroout)
    before = with_disk([], kernel, pages=4096).machine.vmstat()["pgalloc_normal"]
    first = with_disk([Zeroout()], kernel, pages=4096).machine.vmstat()["pgalloc_normal"]
    assert (before, first) == (0, 512)
    refused = with_disk([Zeroout()], kernel, pages=256)
    assert refused.on_disk() == [(0, 1 << 14, "old data")]


def test_zeroing_nothing_sends_nothing_and_what_lies_behind_the_end_is_reported_by_the_bio():
    for routine in ROUTINES:
        kernel = zeroing(PER_MM, routine, end_zeroout)
        assert with_disk([Zeroout(0, 0), DiskWorks()], kernel, pages=4096).on_disk() == [
            (0, 1 << 14, "old data")
        ]
        found = with_disk([Zeroout((1 << 14) - 8, 16)], kernel, pages=4096)
        (bio,) = disk.under_way(found.machine)
        disk.shut_down(found.machine)
        assert found.machine.peek((bio, "bi_status")) == EIO


# under every schedule


def looked_at(routine, bios):
    kernel = zeroing(PER_MM, routine, end_zeroout)
    threads = [program(4096 * bios), at_work(), shrinker()]
    return every_schedule(kernel, threads, SECTORS, at_end=at_rest, always=alive)


def test_every_schedule_finds_the_frame_that_is_free_when_the_disk_reads_it():
    with pytest.raises(Failed, match="the disk reads P1, which has been freed") as found:
        looked_at(zeroout_borrowing, 1)
    assert "the disk carries out a bio" in found.value.schedule[-1]


@pytest.mark.parametrize("bios", [1, 2])
def test_no_schedule_breaks_a_reference_for_each_bio(bios):
    assert looked_at(zeroout_counting, bios).bug is None


def test_a_disk_rests_when_its_programs_have_sent_their_last_bio():
    threads = [program(0), program(8), at_work(programs=2)]
    kernel = zeroing(PER_MM, zeroout_counting, end_zeroout)
    assert every_schedule(kernel, threads, SECTORS, at_end=at_rest).bug is None


def test_a_disk_to_which_nothing_comes_waits_and_that_is_seen():
    threads = [program(0), at_work(programs=2)]
    with pytest.raises(Failed, match=r"[Nn]obody can go on"):
        every_schedule(zeroing(PER_MM, zeroout_counting, end_zeroout), threads, SECTORS)


def test_a_program_that_may_find_no_memory_zeroes_its_range_all_the_same_and_one_that_may_not_is_told():
    kernel = zeroing(PER_MM, zeroout_counting, end_zeroout)

    def zeroed(peek):
        return "old data" if peek((BDEV, "data")).load(0, 4096).strip(b"\0") else None

    threads = [program(8, may_fail=True), at_work()]
    assert every_schedule(kernel, threads, SECTORS, may_fail=True, at_end=zeroed).bug is None
    with pytest.raises(Failed, match="returned ENOMEM; it should return 0"):
        every_schedule(kernel, [program(8), at_work()], SECTORS, may_fail=True)


def test_reads_beside_io_share_the_same_folio():
    kernel = zeroing(PER_MM, zeroout_borrowing)
    found = with_disk(
        [Mmap("a", 2 * MiB), Madvise("a", "hugepage"), Read("a"), Zeroout()], kernel, pages=4096
    )
    assert found.machine.vmstat()["thp_zero_page_alloc"] == 1
