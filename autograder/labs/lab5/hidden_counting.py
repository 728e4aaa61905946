"""The hidden checks of lab 5: a reference for each bio, and the end that gives it back."""

from __future__ import annotations

from hugezero.block.bio import SECTOR_SIZE
from hugezero.block.disk import work
from hugezero.check.checks import check, expect, expect_equal
from hugezero.check.schedules import every_schedule
from hugezero.hw.ram import Contents
from hugezero.labs.actors import reclaim
from hugezero.labs.lab5 import check_counting as open_checks
from hugezero.labs.lab5.check_counting import COUNTING, END, STORY, WHOLE
from hugezero.labs.lab5.fixtures import WITHOUT, booted
from hugezero.labs.lab5.lending import BDEV, SECTORS, at_work, program
from hugezero.labs.laws import alive, at_rest
from hugezero.machine import Kernel
from hugezero.mm.huge_memory import HUGE_ZERO
from hypothesis import strategies as st

from ..programs import EXAMPLES, always

FEW = max(10, EXAMPLES // 20)


def _range(kernel: Kernel, sector: int, nr: int) -> None:
    """One range, from the first bio until the disk is through; there are old data at its edges and here and there."""
    first, end, what = sector * SECTOR_SIZE, (sector + nr) * SECTOR_SIZE, f"{nr} sectors from {sector}"
    old = open_checks.old_data(sector + nr + 1)
    for at in (first, first + SECTOR_SIZE, end, end + SECTOR_SIZE):
        old = old.store(at, b"\xcc").store(at + SECTOR_SIZE - 1, b"\xcc")
    with booted(kernel, WITHOUT, log=False) as machine:
        disk = machine.disk(sector + nr + 1024)
        machine.cells[disk, "data"] = old
        many = open_checks.send(machine, disk, sector, nr)
        expect_equal(
            f"{what}: bios that wait for the disk: {many}. The count, which was 1,",
            HUGE_ZERO.refcount.read(),
            1 + many,
        )
        work(machine, disk)
        right = old.paste(first, Contents(), 0, end - first)
        expect(disk.data.read() == right, f"{what}: they are not all zero, or others were written to as well")
        expect_equal(f"{what}: when the disk is through, the count", HUGE_ZERO.refcount.read(), 1)


@check(
    COUNTING,
    points=0.5,
    needs=[
        open_checks.the_zeroes_stay_until_the_disk_is_through,
        open_checks.the_whole_range_is_zeroed_when_the_disk_is_through,
    ],
)
def any_range_and_two_programs_at_once(kernel: Kernel) -> object:
    """Generated ranges, of up to 40 MiB; and two programs that share a disk, under every schedule, with and without memory."""
    ranges = st.tuples(
        st.integers(0, 70), st.integers(0, 300) | st.integers(0, 20).map(lambda n: n * WHOLE + 1)
    )
    always(lambda example: _range(kernel, *example), ranges, FEW)
    return every_schedule(
        kernel, [*(program(8, COUNTING, may_fail=True) for _ in range(2)), at_work(programs=2), reclaim()],
        SECTORS, always=alive, at_end=at_rest, may_fail=True, story=STORY,
    )  # fmt: skip


@check(END, points=0.5, needs=open_checks.the_last_bio_lets_the_folio_go_and_no_earlier_one)
def bios_of_all_kinds_give_one_reference_back(kernel: Kernel) -> object:
    """Bios of one piece and of several; and those of zeroout_counting, under every schedule with the shrinker."""
    for pieces in (1, 2, 5):
        open_checks.expect_given_back(kernel, pieces)
    threads = [program(2 * WHOLE, COUNTING), at_work(), reclaim()]
    disk = {**SECTORS, (BDEV, "data"): open_checks.old_data(2 * WHOLE)}
    return every_schedule(kernel, threads, disk, always=alive, at_end=open_checks.zeroed, story=STORY)
