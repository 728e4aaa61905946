"""The open checks of lab 5: a folio that is there from boot on, and whom it is lent to."""

from __future__ import annotations

from ...check.checks import check, expect, expect_equal
from ...check.notebook import exercise
from ...hw.ram import ZEROES
from ...machine import Kernel
from ...mm.huge_memory import HPAGE_PMD_NR, HUGE_ZERO
from ...mm.mmap import mm_alloc
from ...mm.page_alloc import Folio
from ...mm.shrinker import SHRINKERS, shrink_slab
from .fixtures import (
    BUILT,
    KINDS,
    NO_MEMORY,
    WITHOUT,
    booted,
    expect_untouched,
    lasting,
)

HZ = HUGE_ZERO
INIT, LARGEST = "hugezero_init", "largest_zero_folio"
MM_GET, MM_PUT = "mm_get_huge_zero_folio", "mm_put_huge_zero_folio"

exercise(
    INIT,
    "You now have a page that is there from boot on, or a kernel that says that it has none.",
    more=0.5,
    untried="whole programs on whatever was booted",
    calls="get_huge_zero_folio",
)
exercise(
    MM_GET,
    "You now have one function for both kernels, and nothing to count in one of them.",
    more=0.5,
    untried="two threads beside the shrinker, in both kernels",
    calls="get_huge_zero_folio put_huge_zero_folio",
)
exercise(
    MM_PUT,
    "You now have an end of an mm that lets go only of what was held.",
    more=0.5,
    untried="processes that come and go beside the shrinker, in both kernels",
    calls="put_huge_zero_folio",
)
exercise(
    LARGEST,
    "You now have zeroes for those who have no mm to hold them by.",
    more=0.5,
    untried="a process that ends while somebody reads, and memory that gets tight",
)


@check(INIT, points=1.5)
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


@check(MM_GET, points=0.5)
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


@check(MM_PUT, points=0.5)
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


@check(LARGEST, points=1.5)
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
