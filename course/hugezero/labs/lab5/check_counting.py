"""The open checks of lab 5: a reference for each bio, the end that gives it back, and a guess."""

from __future__ import annotations

from typing import Any

from ...block.bio import SECTOR_SIZE, BlockDevice, bio_add_folio, bio_alloc, submit_bio
from ...block.disk import work
from ...check.checks import check, expect, expect_equal
from ...check.notebook import exercise
from ...check.schedules import every_schedule
from ...explore.state import Peek
from ...explore.threads import cpu
from ...hw.ram import PMD_SIZE, Contents
from ...machine import Kernel, Machine
from ...mm.huge_memory import HUGE_ZERO
from ...mm.mm_types import EIO, ENOMEM, error_code
from ...mm.mmap import mm_alloc
from ...store import Cell
from ..actors import reclaim, visitor
from ..fixtures import small
from ..guesses import expect_letter
from ..lab1.fixtures import expect_zeroed
from ..laws import alive, at_rest
from .fixtures import WITHOUT, booted
from .lending import BDEV, DMA, NO_MORE, QUEUE, SECTORS, at_work, program

COUNTING, END = "zeroout_counting", "end_zeroout"
COUNTING_AGAIN = "predict_counting_again"
WHOLE = PMD_SIZE // SECTOR_SIZE  # sectors that one huge zero folio fills
RANGES = ((0, 8), (3, WHOLE), (0, WHOLE + 1), (5, 2 * WHOLE + 100), (7, 0))
STORY = "the disk reads nothing that has gone"

exercise(
    COUNTING,
    "You now have zeroes that stay for as long as a disk needs them, whoever asked for them.",
    more=0.5,
    untried="ranges of every size, and two programs at once",
    calls="get_huge_zero_folio put_huge_zero_folio",
)
exercise(
    END,
    "You now have an end for the loan: when the disk is through, the zeroes may go.",
    more=0.5,
    untried="bios of several pieces, and the bios that zeroout_counting sends",
    calls="put_huge_zero_folio",
)
exercise(COUNTING_AGAIN, "Your guess is written down. The next cell counts.", in_kernel=False)


# zeroout_counting: what gives references back beside it is the check itself


def nobody_gives_back(kernel: Kernel) -> Kernel:
    """The kernel, where nothing is done when the disk is through with a bio."""
    return Kernel({**kernel.functions, END: lambda bio: None})


def send(machine: Machine, disk: BlockDevice, sector: int, nr: int) -> int:
    """Let the kernel zero *nr* sectors from *sector*, and return how many bios are on their way."""
    error = machine.kernel.zeroout_counting(mm_alloc(), disk, sector, nr)
    expect(
        error == 0 and error is not None,
        f"{nr} sectors from {sector}: it returned {error_code(error)}; it should be 0",
    )
    return len(disk.queue.read())


@check(COUNTING, points=1)
def each_bio_has_a_reference_of_its_own(kernel: Kernel) -> None:
    """While bios wait for the disk there is one reference for each, and each says who is to give it back."""
    for sector, nr in RANGES:
        with booted(nobody_gives_back(kernel), WITHOUT) as machine:
            disk = machine.disk(1 << 14)
            many = send(machine, disk, sector, nr)
            what = f"{nr} sectors from {sector}"
            for bio in disk.queue.read():
                expect(
                    bio.bi_end_io == END,
                    f"{what}: bi_end_io of a bio is {bio.bi_end_io!r}; it should be {END!r}",
                    "who else would give its reference back?",
                )
            expect_equal(
                f"{what}: bios that wait for the disk: {many}. The count, which was 1,",
                HUGE_ZERO.refcount.read(),
                1 + many,
                "who still needs the folio when your function has returned?",
            )


@check(COUNTING, points=0.5)
def the_whole_range_is_zeroed_when_the_disk_is_through(kernel: Kernel) -> None:
    """Nothing is written before the disk works; then the sectors asked for are zeroes, and those beside them as before."""
    for sector, nr in ((0, 8), (3, WHOLE + 1), (7, 0)):
        with booted(nobody_gives_back(kernel), WITHOUT) as machine:
            disk = machine.disk(sector + nr + 8)
            many = send(machine, disk, sector, nr)
            expect(
                disk.bios.read() == 0,
                f"{nr} sectors from {sector}: it waited for the disk; it should return when all bios are sent",
                "submit_bio(bio) sends it and goes on",
            )
            expect(many > 0 or nr == 0, f"{nr} sectors from {sector}: no bio waits for the disk")
            work(machine, disk)
            expect_zeroed(disk, sector, nr)


@check(COUNTING, points=0.5)
def without_memory_nothing_is_sent_or_counted(kernel: Kernel) -> None:
    """Where there is no huge zero folio to be had it returns ENOMEM, and all is as it was; no sectors need no folio."""
    for nr, right in ((8, ENOMEM), (0, 0)):
        with booted(nobody_gives_back(kernel), WITHOUT, pages=512) as machine:
            HUGE_ZERO.folio.set(None)  # and no memory for another one
            HUGE_ZERO.refcount.set(0)
            disk = machine.disk(64)
            error = machine.kernel.zeroout_counting(mm_alloc(), disk, 0, nr)
            what = f"there is no memory, and {nr} sectors are to be zeroed"
            expect(
                error == right and error is not None,
                f"{what}: it returned {error_code(error)}; it should be {error_code(right)}",
            )
            expect_equal(f"{what}: the number of bios sent", len(disk.queue.read()), 0)
            expect_equal(f"{what}: the count, which was 0,", HUGE_ZERO.refcount.read(), 0)


@cpu("disk")
def _gives_back() -> None:
    """Carry out bios as they come, and take one off the count for each that asks for that."""
    while (bio := DMA()) is not NO_MORE:
        if bio.bi_end_io == END:
            HUGE_ZERO.refcount.dec()


def old_data(nr_sects: int) -> Contents:
    """What is on a disk that is not zeroed yet: a byte of each 1,024 sectors, at their beginning and at their end."""
    data = Contents()
    for n in range(0, nr_sects, 1024):
        data = data.store(n * SECTOR_SIZE, b"\xcc").store((n + 1024) * SECTOR_SIZE - 1, b"\xcc")
    return data


def zeroed(peek: Peek) -> str | None:
    """When everybody has ended: the folio is at rest, and no old data are left on the disk."""
    left = peek((BDEV, "data")).runs
    return at_rest(peek) or (f"byte {left[0][0]:,} of the disk still holds old data" if left else None)


@check(COUNTING, points=1, needs=each_bio_has_a_reference_of_its_own)
def the_zeroes_stay_until_the_disk_is_through(kernel: Kernel) -> object:
    """A process that has 4 MiB zeroed and ends, the disk, and the shrinker, under every schedule; also without memory."""
    hint = "who holds the folio from submit_bio to the end of the bio?"
    disk = {**SECTORS, (BDEV, "data"): old_data(2 * WHOLE)}
    threads = [program(2 * WHOLE, COUNTING), _gives_back(), reclaim()]
    found = every_schedule(kernel, threads, disk, always=alive, at_end=zeroed, story=STORY, hint=hint)
    threads[0] = program(2 * WHOLE, COUNTING, may_fail=True)
    every_schedule(
        kernel, threads, disk, always=alive, at_end=zeroed, may_fail=True,
        hint="memory may run out between two bios: whose reference is whose then?",
    )  # fmt: skip
    return found


# end_zeroout: the bios that it ends are made here, and their references are counted already


def bios_on_their_way(disk: BlockDevice, sectors: tuple[int, ...], pieces: int = 1) -> None:
    """Send a bio of *pieces* pieces to each of *sectors* of *disk*, with one reference for each bio."""
    for sector in sectors:
        bio = bio_alloc(disk, sector)
        for _ in range(pieces):
            bio_add_folio(bio, HUGE_ZERO.folio.read(), SECTOR_SIZE)
        bio.bi_end_io = END
        submit_bio(bio)
        HUGE_ZERO.refcount.inc()


def expect_given_back(kernel: Kernel, pieces: int = 1) -> None:
    """As the disk gets through with each of three bios, of which one is past its end, one reference goes."""
    with booted(kernel, WITHOUT) as machine:
        disk = machine.disk(64)
        bios_on_their_way(disk, (0, 64, 8), pieces)
        for n in (1, 2, 3):
            bio = disk.queue.read()[0]
            work(machine, disk, 1)
            how = "could not be written" if bio.bi_status.read() == EIO else "is on the disk"
            expect_equal(
                f"bio {n} of 3 {how}: the count, which was {5 - n},",
                HUGE_ZERO.refcount.read(),
                4 - n,
                "one reference for each bio, however it went; the last one is the kernel's own",
            )
        folio = HUGE_ZERO.folio.read()
        expect(
            folio is not None and machine.peek((folio, "state")) == "live",
            "all bios are through, and the folio has gone; whether it goes is for the shrinker to say",
        )


@check(END, points=0.5)
def each_bio_gives_its_reference_back(kernel: Kernel) -> None:
    """When the disk is through with a bio, one reference goes, also where the bio failed; the folio is left in place."""
    expect_given_back(kernel)


def two_bios() -> dict[Cell, Any]:
    """A small machine on which two bios wait for the disk, and nothing comes after them."""
    with booted(Kernel(), WITHOUT, pages=512) as machine:
        disk = machine.disk(64)
        bios_on_their_way(disk, (0, 8))
        queue = disk.queue.read()
    cells: dict[Cell, Any] = small(machine.cells)
    return {**cells, QUEUE: (*queue, NO_MORE)}


@check(END, points=0.5, needs=each_bio_gives_its_reference_back)
def the_last_bio_lets_the_folio_go_and_no_earlier_one(kernel: Kernel) -> object:
    """Two bios end while somebody reads and memory gets tight, under every schedule; then nobody holds the folio."""
    threads = [at_work(), visitor(), reclaim()]
    hint = "somebody else may take a reference, or give one back, between two of your operations"
    return every_schedule(kernel, threads, two_bios(), always=alive, at_end=at_rest, story=STORY, hint=hint)


@check(COUNTING_AGAIN, points=1)
def a_guess_about_counting(kernel: Kernel) -> None:
    """You committed to a guess about 72 CPUs and one count: the point is yours, right or wrong."""
    expect_letter(kernel, COUNTING_AGAIN)
