"""The open checks of lab 5: what a student sees while writing."""

from __future__ import annotations

import math
from typing import Any

from ...block.bio import SECTOR_SIZE
from ...block.report import because
from ...check.checks import Failed, check, expect, expect_equal
from ...check.notebook import INSTEAD, exercise
from ...hw.ram import PAGE_SIZE, ZEROES
from ...machine import Kernel
from ...mm.huge_memory import HPAGE_PMD_NR, HUGE_ZERO
from ...mm.mm_types import EIO, error_code
from ...mm.mmap import mm_alloc
from ...mm.page_alloc import Folio
from ...mm.shrinker import SHRINKERS, shrink_slab
from ...scenario import NotAScenario, Write
from ...scenario.storage import WithDisk
from ...store import KernelBug
from ..answers import program_in
from ..guesses import expect_letter
from ..lab1.fixtures import expect_zeroed, zero
from . import guesses  # noqa: F401 (its questions are entered)
from .fixtures import (
    BLOCKS,
    BUILT,
    KINDS,
    NO_MEMORY,
    WITHOUT,
    booted,
    data_folio,
    expect_block,
    expect_untouched,
    in_bios,
    lasting,
    pieces,
)
from .lending import borrowing_kernel
from .stand_ins import largest_zero_folio

HZ = HUGE_ZERO
INIT, LARGEST = "hugezero_init", "largest_zero_folio"
MM_GET, MM_PUT = "mm_get_huge_zero_folio", "mm_put_huge_zero_folio"
ZERO, BLOCK = "blkdev_issue_zero_pages", "assemble_block"
MiB = 1 << 20

INSTEAD["lab5"] = {LARGEST: largest_zero_folio}

exercise("secret_on_disk", "You now know what a loan is worth that outlives the lender.", in_kernel=False)
exercise("predict_counting_again", "Your guess is written down. The next cell counts.", in_kernel=False)
exercise(
    INIT,
    "You now have a page that is there from boot on, or a kernel that says that it has none.",
    more=1,
    calls="get_huge_zero_folio",
)
exercise(
    MM_GET,
    "You now have one function for both kernels, and nothing to count in one of them.",
    more=1,
    calls="get_huge_zero_folio put_huge_zero_folio",
)
exercise(
    MM_PUT,
    "You now have an end of an mm that lets go only of what was held.",
    more=1,
    calls="put_huge_zero_folio",
)
exercise(LARGEST, "You now have zeroes for those who have no mm to hold them by.", more=1)
exercise("predict_one_gib", "Your guess is written down. The next cell counts.", in_kernel=False)
exercise(
    ZERO,
    "You now have a disk zeroed in pieces as large as there are.",
    more=2,
    calls="largest_zero_folio",
)
exercise(
    BLOCK,
    "You now have blocks of any size, out of whatever data is at hand.",
    more=3,
    calls="largest_zero_folio",
)
exercise(
    "when_would_you", "That is a position that can be argued about, with a number in it.", in_kernel=False
)


# the bug hunt


def _play(kernel: Kernel) -> tuple[list[Any], WithDisk]:
    answer = kernel.secret_on_disk()
    simulated = WithDisk(borrowing_kernel(), pages=4096)
    scenario = program_in(
        answer, "secret_on_disk", "Zeroout()", 8 * MiB,
        "the disk has 8 MiB, and 2 MiB of memory are enough", most=16, known=simulated.actions,
    )  # fmt: skip
    try:
        simulated.run(scenario)
    except NotAScenario as error:
        raise Failed(str(error)) from None
    except KernelBug as bug:
        raise Failed(f"kernel bug: {bug}") from None
    return scenario, simulated


@check("secret_on_disk", points=2)
def the_disk_reads_a_frame_that_was_freed(kernel: Kernel) -> object:
    """In your program the disk comes to a bio whose folio was freed meanwhile."""
    _, simulated = _play(kernel)
    bdev = simulated.bdev
    expect(
        simulated.machine.peek((bdev, "bios")) or simulated.machine.peek((bdev, "queue")),
        "your program sends the disk no bio",
        "Zeroout(), and later DiskWorks()",
    )
    waits = len(simulated.machine.peek((bdev, "queue")))
    expect(waits == 0, f"when your program is over, {waits} bio still waits for the disk", "DiskWorks()")
    expect(
        simulated.late,
        "whenever the disk came to a bio, its folio was still there",
        "who holds the folio? It must go between Zeroout() and DiskWorks(), and somebody must ask for memory",
    )
    return f"{simulated.late[0]!r} had been freed when the disk read it"


@check("secret_on_disk", points=2, needs=the_disk_reads_a_frame_that_was_freed)
def what_another_process_wrote_is_on_the_disk(kernel: Kernel) -> object:
    """Where the disk should hold zeroes it holds what another process has written to its own memory."""
    scenario, simulated = _play(kernel)
    on_disk = simulated.machine.peek((simulated.bdev, "data")).load(0, 8 * MiB)
    secrets = [a.data for a in scenario if isinstance(a, Write) and a.data.strip(b"\0\xcc")]
    expect(
        secrets, "nobody in your program writes anything to memory", "Write('b', 0, b'secret', by='other')"
    )
    found = [secret for secret in secrets if secret in on_disk]
    expect(
        found,
        f"the disk has read a freed frame, and still nothing of {', '.join(map(repr, secrets))} is on it",
        "who is given the frame when it is free, and when? It must be asked for before the disk comes to it",
    )
    return f"{found[0]!r} is on the disk"


# predictions


@check("predict_counting_again", points=1)
def a_guess_about_counting(kernel: Kernel) -> None:
    """You committed to a guess about 72 CPUs and one count: the point is yours, right or wrong."""
    expect_letter("predict_counting_again", kernel.predict_counting_again())


@check("predict_one_gib", points=1)
def a_guess_about_one_gib(kernel: Kernel) -> None:
    """You committed to a guess about 1 GiB of zeroes: the point is yours, right or wrong."""
    expect_letter("predict_one_gib", kernel.predict_one_gib())


# hugezero_init


@check(INIT, points=1)
def a_persistent_folio_is_there_from_boot_on(kernel: Kernel) -> None:
    """A kernel that was built for it has 2 MiB of zeroes when it is up, and nothing ever takes them away."""
    with kernel.booted(pages=1024, persistent_huge_zero_folio=True) as machine:
        folio = HZ.folio.read()
        expect(
            isinstance(folio, Folio) and folio.nr_pages == HPAGE_PMD_NR,
            f"after boot HUGE_ZERO.folio is {folio!r}; it should be a folio of {HPAGE_PMD_NR} pages",
            "who knows how to bring it? get_huge_zero_folio(HUGE_ZERO)",
        )
        expect(folio.data.read() == ZEROES, "after boot the folio is there, and it is not full of zeroes")
        taken = 1024 - machine.births.nr_free_pages
        expect(taken == HPAGE_PMD_NR, f"boot took {taken} frames; it should take {HPAGE_PMD_NR}")
        count = HZ.refcount.read()
        expect(count > 0, f"the folio is there, and its count is {count}: by that nobody holds it")
        registered = SHRINKERS.registered.read()
        expect(
            not registered,
            "a shrinker is registered for a folio that must never go",
            "who would ask it, and what for?",
        )
        freed = shrink_slab()
        expect(
            freed == 0 and HZ.folio.read() is folio, f"memory got tight, and {freed} pages of the folio went"
        )
        said = machine.dmesg()
        expect(not said, f"all went well, and the kernel's log says {said[-1] if said else ''!r}")


@check(INIT, points=1)
def without_the_option_all_is_as_before(kernel: Kernel) -> None:
    """A kernel that was built without it takes no memory at boot and registers its shrinker, as in lab 3."""
    with kernel.booted(pages=1024) as machine:
        taken = 1024 - machine.births.nr_free_pages
        expect(
            taken == 0 and HZ.folio.read() is None,
            f"the option is off, and boot took {taken} frames",
            "config.PERSISTENT_HUGE_ZERO_FOLIO.test()",
        )
        registered = SHRINKERS.registered.read()
        right = (("shrink_huge_zero_folio_count", "shrink_huge_zero_folio_scan", HZ),)
        expect(
            registered == right,
            f"the option is off, and the shrinkers registered are {registered!r}; there should be one, for the "
            "huge zero folio",
            "register_huge_zero_shrinker(config) of lab 3 did it",
        )


@check(INIT, points=1)
def a_boot_without_memory_is_survived(kernel: Kernel) -> None:
    """Where there are no 2 MiB at boot, the kernel says so in its log, and comes up all the same."""
    for pages, fail in ((256, frozenset[int]()), (1024, frozenset({0}))):
        with kernel.booted(pages=pages, fail=fail, persistent_huge_zero_folio=True) as machine:
            folio, said = HZ.folio.read(), machine.dmesg()
            expect(folio is None, f"there was no memory at boot, and HUGE_ZERO.folio is {folio!r}, not None")
            expect(
                len(said) == 1,
                f"there was no memory at boot, and the kernel's log has {len(said)} lines about it; it should have 1",
                "pr_warn(text)",
            )
            expect_equal("there is no folio, and its count", HZ.refcount.read(), 0)
            expect(not SHRINKERS.registered.read(), "there is no folio, and a shrinker is registered for it")


# mm_get_huge_zero_folio, mm_put_huge_zero_folio


@check(MM_GET, points=1)
def what_never_goes_is_not_counted(kernel: Kernel) -> None:
    """A persistent folio is handed out, if there is one, and nothing on the machine changes."""
    for kind in (BUILT, NO_MEMORY):
        with booted(kernel, kind) as machine:
            mm = mm_alloc()
            before, right = dict(machine.cells), HZ.folio.read()
            folio = kernel.mm_get_huge_zero_folio(mm)
            expect(
                folio is right,
                f"a kernel {kind}: it returned {folio!r}; it should return {right!r}",
                "" if right else "there was no memory at boot: every huge read falls back from then on",
            )
            changed = [cell for cell, value in machine.cells.items() if before.get(cell) != value]
            expect(
                not changed,
                f"a kernel {kind}: it changed {', '.join(f'{h!r}.{f}' for h, f in changed)}; it should change nothing",
                "the folio is there for ever: who would have to be told that one more looks at it?",
            )


@check(MM_GET, points=1)
def where_it_may_go_each_mm_holds_it_once(kernel: Kernel) -> None:
    """Without the option it is lab 4's: the first call takes a reference and sets the flag, later ones do not."""
    with booted(kernel, WITHOUT) as machine:
        mm, folio, start = mm_alloc(), HZ.folio.read(), 0
        for n in (1, 2):
            start = len(machine.log or ())
            said = kernel.mm_get_huge_zero_folio(mm)
            count, flag = HZ.refcount.read(), mm.huge_zero.test()
            expect(said is folio, f"call {n} of the same mm returned {said!r}; it should return {folio!r}")
            expect(
                count == 2 and flag,
                f"after call {n} of the same mm the count is {count} and the flag is {flag}; they should be 2 and True",
            )
        wrote = any(
            row.cell == (HZ, "refcount") and row.verb != "read" for row in (machine.log or [])[start:]
        )
        expect(
            not wrote,
            "the second call of the same mm wrote to the count, which all CPUs share; it should not",
            "the flag tells that this mm has its reference already",
        )
    with booted(kernel, WITHOUT, pages=512):
        mm = mm_alloc()
        HZ.folio.set(None)  # and no memory for another one
        HZ.refcount.set(0)
        said, flag = kernel.mm_get_huge_zero_folio(mm), mm.huge_zero.test()
        expect(
            said is None and not flag,
            f"there is no memory, and it returned {said!r}, with the flag {flag}; it should be None and False",
        )


@check(MM_PUT, points=1)
def only_what_was_held_is_given_back(kernel: Kernel) -> None:
    """Without the option an mm gives back the reference that it has, if it has one; a persistent folio is held by none."""
    for kind in (BUILT, WITHOUT):
        for flag in (False, True):
            with booted(kernel, kind):
                mm = mm_alloc()
                if flag:
                    mm.huge_zero.set()
                HZ.refcount.set(2)
                kernel.mm_put_huge_zero_folio(mm)
                right = 1 if flag and kind == WITHOUT else 2
                what = f"a kernel {kind}, an mm whose flag is {flag}: the count was 2, and it"
                hint = "" if kind == WITHOUT else "who would hold what never goes?"
                expect_equal(what, HZ.refcount.read(), right, hint)


# largest_zero_folio


@check(LARGEST, points=1)
def the_largest_folio_that_never_goes(kernel: Kernel) -> None:
    """It gives the persistent folio, or the zero page where there is none, and takes no reference."""
    for kind in KINDS:
        with booted(kernel, kind) as machine:
            folio, right = kernel.largest_zero_folio(), lasting(kind)
            hint = "a process has left this one behind: what happens to it when memory gets tight?"
            expect(
                folio is right,
                f"a kernel {kind}: it returned {folio!r}; it should return {right!r}",
                hint if kind == WITHOUT and isinstance(folio, Folio) else "",
            )
            expect_untouched(machine, f"a kernel {kind}")


# blkdev_issue_zero_pages


@check(ZERO, points=1)
def zeroes_reach_the_disk_in_any_kernel(kernel: Kernel) -> None:
    """The sectors asked for read as zeroes, and those beside them are as before, whatever zeroes there are."""
    for kind in KINDS:
        for sector, nr in ((0, 8), (3, 5), (1, 100), (7, 0)):
            with booted(kernel, kind) as machine:
                disk = machine.disk(128)
                zero(machine.kernel, disk, sector, nr)
                expect_zeroed(disk, sector, nr)
                expect_untouched(machine, f"a kernel {kind}")


@check(ZERO, points=1, needs=zeroes_reach_the_disk_in_any_kernel)
def pieces_are_as_large_as_there_are(kernel: Kernel) -> None:
    """2 MiB are one piece in one bio, or 512 in two; 5 MiB and a sector are counted out just as well."""
    for kind in KINDS:
        for nr in (4096, 5 * 2048 + 1):
            with booted(kernel, kind) as machine:
                disk = machine.disk(1 << 15, old=0)
                zero(machine.kernel, disk, 8, nr)
                found = disk.vecs.read(), disk.bios.read()
                vecs = pieces(nr * SECTOR_SIZE, lasting(kind))
                expect(
                    found == (vecs, in_bios(vecs)),
                    f"a kernel {kind}: {nr * SECTOR_SIZE:,} bytes took {found[0]} pieces in {found[1]} bios; it should be "
                    f"{vecs} in {in_bios(vecs)}",
                    "the folio knows how large it is: folio.nr_pages"
                    if found[0] != vecs
                    else "bio_add_folio says False when a bio is full: only then is it time to send it",
                )


@check(ZERO, points=1, needs=zeroes_reach_the_disk_in_any_kernel)
def errors_of_the_disk_are_passed_on(kernel: Kernel) -> None:
    """Past the end, and from a bad sector on, it is EIO and nothing more is sent; a disk that can zero is asked to."""
    for kind in (BUILT, WITHOUT):
        with booted(kernel, kind) as machine:
            disk = machine.disk(1 << 14, old=0)
            error = machine.kernel.blkdev_issue_zero_pages(disk, (1 << 14) - 8, 16)
            expect(
                error == EIO,
                f"8 of 16 sectors lie behind the end of the disk: it returned {error_code(error)}, not EIO",
            )
            disk = machine.disk(1 << 14)
            disk.bd_bad_sector = 100
            error = machine.kernel.blkdev_issue_zero_pages(disk, 96, 1 << 13)
            expect(error == EIO, f"sector 100 cannot be written: it returned {error_code(error)}, not EIO")
            what, hint = "the first bio failed, and the number carried out", "who looks at the error?"
            expect_equal(what, disk.bios.read(), 1, hint)
            able = machine.disk(8192, max_write_zeroes_sectors=1024)
            zero(machine.kernel, able, 0, 2560)
            found = able.bios.read(), able.zeroings.read()
            expect(
                found == (0, 3),
                f"a disk that zeroes 1,024 sectors at a time was sent {found[1]} such commands and {found[0]} bios for "
                "2,560 sectors; it should be 3 and none",
            )


# assemble_block


def assemble(
    kernel: Kernel, kind: str, offset: int, length: int, size: int, zeroes: Folio | None = None
) -> None:
    """Let *kernel* write a block, and look at the disk, the bio and the memory."""
    what = f"a kernel {kind}: {length:,} bytes at {offset:,} of a block of {size:,}"
    with booted(kernel, kind) as machine:
        folio, data = data_folio(offset, length)
        machine.at_boot = dict(machine.cells)
        zeroes, disk = zeroes or lasting(kind), machine.disk(512)
        error = machine.kernel.assemble_block(disk, 8, folio, offset, length, size)
        why = because(machine, disk)
        expect(
            error == 0 and error is not None, f"{what}: it returned {error_code(error)}; it should be 0{why}"
        )
        expect_block(disk, 8, offset, data, size, what)
        found = disk.vecs.read(), disk.bios.read()
        vecs = pieces(offset, zeroes) + bool(length) + pieces(size - offset - length, zeroes)
        expect(
            found == (vecs, 1),
            f"{what}: it took {found[0]} pieces in {found[1]} bios; it should be {vecs} in 1",
            "one piece of data; and how many of zeroes, with the folio that there is?",
        )
        expect_untouched(machine, what)
        count = machine.peek((folio, "refcount"))
        expect(count == 1, f"{what}: the count of the data's folio is {count}; it should stay 1")


@check(BLOCK, points=1)
def a_small_block_is_its_data_and_zeroes(kernel: Kernel) -> None:
    """A block of 4 KiB: data in front, in the middle, at the end, or all of it, and zeroes around them."""
    for kind in KINDS:
        for offset, length in ((0, 512), (512, 1024), (3584, 512), (0, PAGE_SIZE), (412, 100)):
            assemble(kernel, kind, offset, length, PAGE_SIZE)


@check(BLOCK, points=1, needs=a_small_block_is_its_data_and_zeroes)
def large_blocks_in_both_kernels(kernel: Kernel) -> None:
    """Blocks of 16 and 64 KiB, in few pieces or many, as the zeroes allow."""
    for kind in KINDS:
        for size in BLOCKS[1:]:
            for offset, length in (
                (0, 512),
                (size // 2, 512),
                (size - 512, 512),
                (512, size - 1024),
                (0, size),
            ):
                assemble(kernel, kind, offset, length, size)


@check(BLOCK, points=1, needs=a_small_block_is_its_data_and_zeroes)
def a_block_that_does_not_reach_the_disk_is_an_error(kernel: Kernel) -> None:
    """Past the end of the disk, or at a bad sector, it is EIO."""
    for kind in (BUILT, WITHOUT):
        for sector, bad in ((63, None), (40, 42)):
            with booted(kernel, kind) as machine:
                folio, _ = data_folio(512, 512)
                disk = machine.disk(64)
                disk.bd_bad_sector = bad
                error = machine.kernel.assemble_block(disk, sector, folio, 512, 512, PAGE_SIZE)
                why = "lies partly behind the end of the disk" if bad is None else "has a bad sector"
                expect(error == EIO, f"the block {why}: it returned {error_code(error)}, not EIO")


# a position

MACHINES = {
    "a router with 64 MiB": 64,
    "a small board with 512 MiB": 512,
    "a telephone with 6 GiB": 6 << 10,
    "a laptop with 16 GiB": 16 << 10,
    "a server with 256 GiB": 256 << 10,
    "a database with 1 TiB": 1 << 20,
}  # MiB of memory


@check("when_would_you", points=2)
def a_position_with_a_number(kernel: Kernel) -> object:
    """You said from how much memory on you would turn it on, in MiB; or "never"."""
    least = kernel.when_would_you()
    number = isinstance(least, int | float) and not isinstance(least, bool) and 0 <= least < math.inf
    expect(
        number or least == "never",
        f'when_would_you returned {least!r}; it should be a number of MiB, like 1024, or "never"',
    )
    if least == "never":
        return "never: whoever zeroes disks goes on with 4 KiB at a time"
    on = [name for name, size in MACHINES.items() if size >= least]
    share = f"on the smallest such machine 2 MiB are {100 * 2 / least:.2g} % of memory; " if least else ""
    return f"{share}on: {', '.join(on) or 'none of those above'}"
