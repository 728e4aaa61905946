"""The open checks of lab 3: get, put, count and scan, each beside the others done right."""

from __future__ import annotations

from ...check.checks import check, expect, expect_equal
from ...check.notebook import exercise
from ...check.schedules import every_schedule
from ...explore.threads import calls
from ...hw.ram import ZEROES
from ...machine import Kernel
from ...mm.huge_memory import HPAGE_PMD_NR
from ...mm.huge_memory import HUGE_ZERO as HZ
from ...mm.page_alloc import Folio
from ..actors import GET, PUT, SCAN, reclaim, shrinker, user, visitor
from ..fixtures import folio_in_use, idle_folio, small
from ..guesses import expect_letter
from ..laws import alive, at_rest
from ..locked_kernel import beside

COUNT = "shrink_huge_zero_folio_count"
TWO_FIRST_FAULTS = "predict_two_first_faults"

exercise(
    TWO_FIRST_FAULTS,
    "Your guess is written down. The next cell shows what can happen.",
    in_kernel=False,
)
exercise(
    GET,
    "You now have a page that comes when it is needed. It does not go away yet: that is next.",
    more=1.5,
    untried="three users and the shrinker, allocations that fail, and whole programs",
)
exercise(
    PUT,
    "You now have a way back: who has gone is not counted any more.",
    more=0.25,
    untried="three users and the shrinker",
)
exercise(COUNT, "You now have an answer for those who look for memory: is it worth asking?")
exercise(
    SCAN,
    "You now have a page that goes when nobody needs it, and no CPU is ever left with a freed one.",
    more=1,
    untried="two shrinkers at once, three users, and whoever needs the memory",
)


@check(TWO_FIRST_FAULTS, points=1)
def a_guess_about_two_first_faults(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter(kernel, TWO_FIRST_FAULTS)


# get_huge_zero_folio


@check(GET, points=1)
def the_first_reader_brings_the_folio(kernel: Kernel) -> None:
    """The first reader brings a folio of zeroes, for itself and the shrinker; the second one shares it."""
    with kernel.booted(pages=1024) as machine:
        folio = kernel.get_huge_zero_folio(HZ)
        expect(
            isinstance(folio, Folio),
            f"for the first reader it returned {folio!r}; it should be the folio",
            "there is none yet: who brings it?",
        )
        expect(
            HZ.folio.read() is folio,
            f"it returned {folio!r}, and hz.folio holds {HZ.folio.read()!r}; both should be the same",
        )
        hint = "alloc_folio(HPAGE_PMD_ORDER)"
        expect_equal("the size of the folio in pages", folio.nr_pages, HPAGE_PMD_NR, hint)
        expect(
            folio.data.read() == ZEROES,
            "the folio is not full of zeroes",
            "a new folio holds what its last owner left in it",
        )
        count = HZ.refcount.read()
        expect(
            count == 2,
            f"after the first reader the count is {count}. It should be 2: one for the reader, one for the shrinker",
            "who else must hold the page, so that it survives the reader?",
        )
        expect_equal(
            "one folio was brought, and thp_zero_page_alloc", machine.vmstat()["thp_zero_page_alloc"], 1
        )
        taken = machine.vmstat()["pgalloc_normal"]
        again = kernel.get_huge_zero_folio(HZ)
        more = machine.vmstat()["pgalloc_normal"] - taken
        expect(again is folio, f"the second reader got {again!r}; it should be the same folio, {folio!r}")
        expect_equal("after the second reader the count", HZ.refcount.read(), 3)
        expect(
            more == 0,
            f"the second reader took {more} more frames; it should take none",
            "inc_not_zero() says whether there is a folio already",
        )
    with kernel.booted(pages=64) as machine:
        folio = kernel.get_huge_zero_folio(HZ)
        expect(folio is None, f"no huge page is to be had, and it returned {folio!r}; it should return None")
        found = HZ.refcount.read(), HZ.folio.read()
        expect(
            found == (0, None),
            f"no huge page is to be had, and the count is {found[0]}, hz.folio is {found[1]!r}; they should be 0 and None",
        )
        what, failed = "no huge page was to be had once, and", machine.vmstat()["thp_zero_page_alloc_failed"]
        expect_equal(f"{what} thp_zero_page_alloc_failed", failed, 1)


@check(GET, points=1.5, needs=the_first_reader_brings_the_folio)
def two_first_readers_share_one_folio(kernel: Kernel) -> object:
    """Two CPUs that find no folio at the same moment end up with one, and no page is lost."""
    return every_schedule(
        beside(kernel, GET), [user(), user()], at_end=at_rest, always=alive, story="no page is lost",
        hint="step to the last moment at which both pages are still known to somebody",
    )  # fmt: skip


@check(GET, points=3, needs=two_first_readers_share_one_folio)
def no_schedule_gives_a_reader_a_freed_folio(kernel: Kernel) -> object:
    """Two readers come and go while memory is tight: whoever got the folio can read it."""
    return every_schedule(
        beside(kernel, GET), [user(), user(), reclaim()], at_end=at_rest, always=alive,
        story="no freed page is read",
        hint="between two lines of your function the shrinker may have been there: what do you know for certain then?",
    )  # fmt: skip


# put_huge_zero_folio


@check(PUT, points=1.75)
def a_reference_is_given_back(kernel: Kernel) -> object:
    """Each reader's reference goes back, also when two leave at once; the shrinker's stays, and so does the folio."""
    with kernel.booted(pages=1024) as machine:
        folio = folio_in_use(users=2)
        for left in (2, 1):
            kernel.put_huge_zero_folio(HZ)
            expect_equal(f"the count was {left + 1}, one reader left, and it", HZ.refcount.read(), left)
        expect(
            HZ.folio.read() is folio and machine.peek((folio, "state")) == "live",
            "the last reader has left, and the folio is gone; it should stay until the shrinker takes it",
            "whose is the last reference?",
        )
    with kernel.booted(pages=1024) as machine:
        folio_in_use(users=2)
        cells = small(machine.cells)
    return every_schedule(
        beside(kernel, PUT), [calls("reader", (PUT, HZ)), calls("reader", (PUT, HZ))], cells, at_end=at_rest,
        story="every reference is taken off",
        hint="what if another CPU changes the count between your two operations?",
    )  # fmt: skip


# shrink_huge_zero_folio_count


@check(COUNT, points=1)
def count_tells_what_could_be_freed(kernel: Kernel) -> None:
    """512 pages if only the shrinker holds the folio, 0 if somebody else does or there is none; nothing changes."""
    with kernel.booted(pages=2048) as machine:
        for users in (None, 0, 1, 2):
            if users is not None:
                folio_in_use(users)
            before = dict(machine.cells)
            said = kernel.shrink_huge_zero_folio_count(HZ)
            right = HPAGE_PMD_NR if users == 0 else 0
            what = "there is no folio" if users is None else f"the folio has {users} user{'s' * (users != 1)}"
            expect(said == right, f"{what}, and it returned {said!r}; it should return {right}")
            expect(
                machine.cells == before,
                f"{what}, and asking for the count has changed something",
                "count only looks",
            )


# shrink_huge_zero_folio_scan


@check(SCAN, points=1)
def an_idle_folio_goes_and_a_busy_one_stays(kernel: Kernel) -> None:
    """A folio that nobody uses is given back whole; one with a user, or none at all, is left alone."""
    with kernel.booted(pages=1024) as machine:
        said = kernel.shrink_huge_zero_folio_scan(HZ)
        expect(said == 0, f"there is no folio, and it returned {said!r}; it should return 0")
        folio = folio_in_use(users=1)
        said, count = kernel.shrink_huge_zero_folio_scan(HZ), HZ.refcount.read()
        expect(
            said == 0
            and count == 2
            and HZ.folio.read() is folio
            and machine.peek((folio, "state")) == "live",
            f"the folio had a user; scan returned {said!r}, the count went from 2 to {count}. Nothing should happen",
        )
        HZ.refcount.set(1)
        free = machine.vmstat()["nr_free_pages"]
        said = kernel.shrink_huge_zero_folio_scan(HZ)
        count, pointer, back = HZ.refcount.read(), HZ.folio.read(), machine.vmstat()["nr_free_pages"] - free
        expect(
            back == HPAGE_PMD_NR, f"nobody used the folio, and {back} pages came back; it should be {HPAGE_PMD_NR}",
        )  # fmt: skip
        expect(
            said == HPAGE_PMD_NR,
            f"{back} pages came back, and it returned {said!r}; it should return {HPAGE_PMD_NR}",
        )
        expect(
            (count, pointer) == (0, None),
            f"the folio has gone, the count is {count} and hz.folio is {pointer!r}; they should be 0 and None",
            "what does the next reader find?",
        )


@check(SCAN, points=2, needs=an_idle_folio_goes_and_a_busy_one_stays)
def no_schedule_frees_a_folio_in_use(kernel: Kernel) -> object:
    """The shrinker never frees the folio while a reader holds it, whoever comes at which moment."""
    cells = idle_folio()
    return every_schedule(
        beside(kernel, SCAN), [visitor(), visitor(), shrinker()], cells, at_end=at_rest, always=alive,
        story="no folio in use is freed",
        hint="count only says that there may be work; scan must look and act in one operation",
    )  # fmt: skip
