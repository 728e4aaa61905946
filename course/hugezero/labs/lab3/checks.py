"""The open checks of lab 3: what a student sees while writing."""

from __future__ import annotations

from ...check.checks import Failed, check, expect, expect_equal
from ...check.notebook import exercise
from ...check.schedules import every_schedule
from ...explore.byhand import CannotGo
from ...explore.state import Peek
from ...explore.threads import calls
from ...hw.ram import PAGE_SIZE, ZEROES
from ...machine import Kernel
from ...mm.huge_memory import HPAGE_PMD_NR, HUGE_ZERO, is_huge_zero_pmd, mk_huge_pmd, pmd_mkwrite
from ...mm.mm_types import VM_FAULT_FALLBACK, error_code, fault_code
from ...mm.page_alloc import HPAGE_PMD_ORDER, Folio, alloc_folio
from ..actors import reclaim, shrinker, user, visitor
from ..fixtures import Mapped, beside, expect_fallback, folio_in_use, idle_folio, small
from ..guesses import expect_letter
from ..laws import alive, at_rest, settled
from . import guesses  # noqa: F401 (its questions are entered)
from .broken import to_break

HZ = HUGE_ZERO
ANON, WP, SPLIT = "do_huge_pmd_anonymous_page", "do_huge_pmd_wp_page", "split_huge_zero_page_pmd"
ZAP, COPY = "zap_huge_pmd", "copy_huge_pmd"
GET, PUT = "get_huge_zero_folio", "put_huge_zero_folio"
COUNT, SCAN = "shrink_huge_zero_folio_count", "shrink_huge_zero_folio_scan"

exercise(
    "predict_two_first_faults",
    "Your guess is written down. The next cell shows what can happen.",
    in_kernel=False,
)
exercise(
    GET,
    "You now have a page that comes when it is needed. It does not go away yet: that is next.",
    more=3,
)
exercise(PUT, "You now have a way back: who has gone is not counted any more.", more=1)
exercise(COUNT, "You now have an answer for those who look for memory: is it worth asking?")
exercise(
    SCAN,
    "You now have a page that goes when nobody needs it, and no CPU is ever left with a freed one.",
    more=2,
)
exercise(
    ANON,
    "You now have a reference for each huge entry, and none for one that was not made.",
    more=2,
    given="83406eee74cf",
    calls="get_huge_zero_folio put_huge_zero_folio",
)
exercise(
    WP,
    "You now have a write that gives back what the read took.",
    more=1,
    given="6f83eecc4b6a",
    calls="put_huge_zero_folio split_huge_zero_page_pmd",
)
exercise(
    SPLIT,
    "You now have a split that leaves nobody counted who is not there.",
    more=1,
    given="9a22c36fce4d",
    calls="put_huge_zero_folio",
)
exercise(
    ZAP,
    "You now have an unmap that lets go when no CPU can look any more, and not before.",
    more=2,
    given="90152f375fa0",
    calls="put_huge_zero_folio",
)
exercise(
    COPY,
    "You now have a child that holds what it maps.",
    more=0.5,
    given="8b089fc2efe3",
    calls="get_huge_zero_folio put_huge_zero_folio",
)
exercise("break_get_schedule", "You now know what one operation too late can do.", in_kernel=False)
exercise("break_scan_schedule", "You now know why to look and to act must be one operation.", in_kernel=False)
exercise("predict_idle", "Your guess is written down. The next cell counts.", in_kernel=False)


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


@check(GET, points=1, needs=the_first_reader_brings_the_folio)
def two_first_readers_share_one_folio(kernel: Kernel) -> object:
    """Two CPUs that find no folio at the same moment end up with one, and no page is lost."""
    return every_schedule(
        beside(kernel, GET), [user(), user()], at_end=at_rest, always=alive, story="no page is lost",
        hint="step to the last moment at which both pages are still known to somebody",
    )  # fmt: skip


@check(GET, points=2, needs=two_first_readers_share_one_folio)
def no_schedule_gives_a_reader_a_freed_folio(kernel: Kernel) -> object:
    """Two readers come and go while memory is tight: whoever got the folio can read it."""
    return every_schedule(
        beside(kernel, GET), [user(), user(), reclaim()], at_end=at_rest, always=alive,
        story="no freed page is read",
        hint="between two lines of your function the shrinker may have been there: what do you know for certain then?",
    )  # fmt: skip


# put_huge_zero_folio


@check(PUT, points=1)
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


@check(SCAN, points=1, needs=an_idle_folio_goes_and_a_busy_one_stays)
def no_schedule_frees_a_folio_in_use(kernel: Kernel) -> object:
    """The shrinker never frees the folio while a reader holds it, whoever comes at which moment."""
    cells = idle_folio()
    return every_schedule(
        beside(kernel, SCAN), [visitor(), visitor(), shrinker()], cells, at_end=at_rest, always=alive,
        story="no folio in use is freed",
        hint="count only says that there may be work; scan must look and act in one operation",
    )  # fmt: skip


# the put sites


def _expect_count(wanted: int, when: str, hint: str = "") -> None:
    expect_equal(f"{when} the count", HZ.refcount.read(), wanted, hint)


@check(ANON, points=1)
def each_huge_entry_holds_a_reference(kernel: Kernel) -> None:
    """A read fault takes one reference for its entry; one that finds no huge page leaves nothing behind."""
    with beside(kernel, ANON).booted(pages=2048) as machine:
        for n, one in enumerate((Mapped(False), Mapped(False)), 1):
            said = kernel.do_huge_pmd_anonymous_page(one.fault())
            entry = one.pmd.read()
            expect(
                said == 0 and is_huge_zero_pmd(entry) and entry.folio is HZ.folio.read(),
                f"reader {n} of 2 MiB: it returned {fault_code(said)}, and the entry is {entry}; it should map the huge zero page",
                "nothing is set aside at boot any more: who brings the folio?",
            )
            _expect_count(
                n + 1, f"with {n} huge entr{'y' if n == 1 else 'ies'}", "an entry, and the shrinker"
            )
    with beside(kernel, ANON).booted(pages=64) as machine:
        one = Mapped(False)
        said = kernel.do_huge_pmd_anonymous_page(one.fault())
        expect_fallback(said, one.pmd, left=64 - machine.vmstat()["nr_free_pages"])
    with beside(kernel, ANON).booted(pages=2048):
        folio_in_use(users=0)
        kernel.do_huge_pmd_anonymous_page(Mapped(False).fault(write=True))
        _expect_count(1, "a write got a huge page of its own, and", "whose entry maps the zeroes?")
        narrow = Mapped(False, length=2 * PAGE_SIZE)
        said = kernel.do_huge_pmd_anonymous_page(narrow.fault())
        expect(
            said == VM_FAULT_FALLBACK,
            f"2 MiB do not fit in an area of 8 KiB, and it returned {fault_code(said)}; it should be VM_FAULT_FALLBACK",
        )
        _expect_count(1, "2 MiB do not fit in an area of 8 KiB, and", "whose entry maps the zeroes?")


@check(ANON, points=1, needs=each_huge_entry_holds_a_reference)
def two_threads_fault_the_same_memory(kernel: Kernel) -> object:
    """Two threads read the same 2 MiB at once: one entry, one reference, one page table put aside."""
    with kernel.booted(pages=2048) as machine:
        one = Mapped(mapped=False)
        fault, cells = one.fault(), small(machine.cells)

    def at_end(peek: Peek) -> str | None:
        tables = peek((one.mm, "nr_ptes"))
        if tables != 1:
            return f"one huge entry was made, and {tables} page tables are in use; it should be 1"
        return settled(users=1)(peek)

    return every_schedule(
        beside(kernel, ANON), [calls("reader", (ANON, small(fault))), calls("reader", (ANON, small(fault)))], cells, at_end=at_end,
        story="nothing is counted twice",
        hint="the slower one took a reference as well: for which entry?",
    )  # fmt: skip


@check(WP, points=1)
def a_write_gives_the_reference_back(kernel: Kernel) -> object:
    """A write fault puts a real page in the place of the zeroes; then nobody can see those, and their reference goes."""
    with beside(kernel, WP).booted(pages=4096) as machine:
        folio_in_use(users=1)
        one = Mapped()
        one.remembered(machine, 1)
        cells = small(machine.cells)
        fault = one.fault(write=True)
        one.expect_replaced(kernel.do_huge_pmd_wp_page(fault))
        _expect_count(1, "the only huge entry was replaced, and", "who gives back what the read fault took?")
    every_schedule(
        beside(kernel, WP), [calls("writer", (WP, small(fault))), calls("writer", (WP, small(fault)))], cells, at_end=_gone_or_idle,
        hint="two threads wrote at once, and one entry was replaced: how many references were its?",
    )  # fmt: skip
    return every_schedule(
        beside(kernel, WP), [calls("writer", (WP, small(fault))), one.reader(1), reclaim()], cells, at_end=_gone_or_idle,
        story="no CPU is left with a freed page", hint=FLUSH,
    )  # fmt: skip


@check(SPLIT, points=1)
def a_split_gives_the_reference_back(kernel: Kernel) -> object:
    """A split maps small zero pages; the huge one is not mapped any more, and its reference goes."""
    with beside(kernel, SPLIT).booted(pages=2048) as machine:
        folio_in_use(users=1)
        one = Mapped()
        one.remembered(machine, 1)
        cells = small(machine.cells)
        kernel.split_huge_zero_page_pmd(one.vma, one.at, one.pmd)
        one.expect_split()
        _expect_count(1, "the only huge entry was split, and", "who gives back what the read fault took?")
    return every_schedule(
        beside(kernel, SPLIT), [calls("splitter", (SPLIT, one.vma, one.at, one.pmd)), one.reader(1), reclaim()], cells,
        at_end=_gone_or_idle, story="no CPU is left with a freed page", hint=FLUSH,
    )  # fmt: skip


@check(ZAP, points=1)
def an_unmap_gives_the_reference_back(kernel: Kernel) -> object:
    """An unmap gives back the table and the reference, when no CPU can read there any more."""
    with beside(kernel, ZAP).booted(pages=2048) as machine:
        folio_in_use(users=1)
        one = Mapped()
        one.remembered(machine, 1)
        cells = small(machine.cells)
        kernel.zap_huge_pmd(one.vma, one.pmd, one.at)
        one.expect_unmapped()
        _expect_count(1, "the only huge entry was unmapped, and", "who gives back what the read fault took?")
        other = Mapped()
        folio = other.with_a_page_of_its_own()
        kernel.zap_huge_pmd(other.vma, other.pmd, other.at)
        other.expect_unmapped()
        _expect_count(
            1, "an ordinary huge page was unmapped, and", "which entries hold a reference on the zeroes?"
        )
        gone = machine.peek((folio, "state")) == "free"
        expect(gone, "an ordinary huge page was unmapped, and nobody has freed it", "folio_put(folio)")
    return every_schedule(
        beside(kernel, ZAP), [calls("unmapper", (ZAP, one.vma, one.pmd, one.at)), one.reader(1), reclaim()], cells,
        at_end=_gone_or_idle, story="no CPU is left with a freed page", hint=FLUSH,
    )  # fmt: skip


FLUSH = "a CPU remembers where an address led until flush_pmd_tlb_range has told it to forget: what must wait for that?"


def _gone_or_idle(peek: Peek) -> str | None:
    return settled(users=0)(peek)


@check(COPY, points=0.5)
def a_child_takes_a_reference_of_its_own(kernel: Kernel) -> None:
    """A forked child's huge entry holds a reference of its own; a fork that finds no memory takes none."""
    with beside(kernel, COPY).booted(pages=2048) as machine:
        folio = folio_in_use(users=1)
        parent, child = Mapped(), Mapped(mapped=False)
        machine.births.fail = frozenset([machine.births.tries])
        said = kernel.copy_huge_pmd(child.vma, parent.vma, child.pmd, parent.pmd)
        expect(
            said,
            f"there was no memory for the child's page table, and it returned {error_code(said)}; it should be ENOMEM",
        )
        _expect_count(2, "a fork found no memory, and")
        said = kernel.copy_huge_pmd(child.vma, parent.vma, child.pmd, parent.pmd)
        entry = child.pmd.read()
        expect(
            said == 0 and is_huge_zero_pmd(entry) and entry.folio is folio,
            f"after a fork it returned {error_code(said)}, and the child's entry is {entry}; it should map the huge zero page",
        )
        rss, tables = child.mm.rss.read(), child.mm.nr_ptes.read()
        expect(
            (rss, tables) == (0, 1),
            f"the child's RSS is {rss} and it has {tables} page tables; it should be 0 and 1",
        )
        _expect_count(3, "parent and child map the folio, and", "two entries, and the shrinker")
        own = alloc_folio(HPAGE_PMD_ORDER)
        assert own is not None
        parent, child = Mapped(), Mapped(mapped=False)
        parent.pmd.set(pmd_mkwrite(mk_huge_pmd(own)))
        kernel.copy_huge_pmd(child.vma, parent.vma, child.pmd, parent.pmd)
        _expect_count(3, "a huge page of the parent's own was copied, and", "whose is that reference?")


# two to break


def _breaks(name: str, answer: object) -> str:
    """The schedule in *answer* breaks the version that its seed stands for; whose it is, and what went wrong."""
    if not (isinstance(answer, (tuple, list)) and len(answer) == 2):
        raise Failed(
            f"it returned {answer!r}; it should return two things: your seed, and a list of CPU numbers"
        )
    seed, schedule = answer
    if not isinstance(seed, str) or not seed.strip():
        raise Failed(f"the seed is {seed!r}; it should be a text: the one that you gave to to_break")
    right = isinstance(schedule, (tuple, list)) and all(type(cpu) is int for cpu in schedule)
    expect(right, f"the schedule is {schedule!r}; it should be a list of CPU numbers, like [0, 0, 1]")
    expect(len(schedule) <= 100, f"your schedule has {len(schedule)} moves; 100 are more than enough")
    version = to_break(name, seed)
    hand = version.by_hand()
    for n, cpu in enumerate(schedule, 1):
        if hand.bug is not None:
            break
        try:
            hand.go(cpu)
        except CannotGo as wrong:
            raise Failed(f"move {n} of your schedule: {wrong}") from None
    if hand.bug is None:
        able = " and ".join(str(cpu) for cpu in dict.fromkeys(choice.cpu for choice in hand.enabled()))
        how = f"CPU {able} can still go" if able else "everybody has come to an end, and all is well"
        raise Failed(
            f"after the {len(schedule)} moves of your schedule nothing is broken yet: {how}. The seed {seed!r} "
            f"draws {version.function.__name__}",
            "was it that one that you were shown? Play it in the picture above, and ask after each move: what does this CPU believe that is no longer so?",
        )
    return f"the version of {seed.strip()!r} is broken: {hand.bug}"


@check("break_get_schedule", points=1)
def your_schedule_breaks_get(kernel: Kernel) -> str:
    """Your schedule breaks your version of get_huge_zero_folio."""
    return _breaks(GET, kernel.break_get_schedule())


@check("break_scan_schedule", points=1)
def your_schedule_breaks_scan(kernel: Kernel) -> str:
    """Your schedule breaks your version of shrink_huge_zero_folio_scan."""
    return _breaks(SCAN, kernel.break_scan_schedule())


# predictions


@check("predict_two_first_faults", points=1)
def a_guess_about_two_first_faults(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter("predict_two_first_faults", kernel.predict_two_first_faults())


@check("predict_idle", points=1)
def a_guess_about_an_idle_folio(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter("predict_idle", kernel.predict_idle())
