"""Who goes next matters only at cells that are shared; which ones those are, the search finds out."""

from functools import reduce

from hugezero.explore.byhand import ByHand
from hugezero.explore.naive import schedules
from hugezero.explore.replay import given, next_step
from hugezero.explore.search import DEADLOCK, FOR_EVER, explore
from hugezero.explore.threads import Hardware, Thread, calls
from hugezero.hw.cpu import SpinLock
from hugezero.mm.mm_types import Mm
from hugezero.mm.page_alloc import SMALL, Folio, alloc_folio, free_folio
from hugezero.mm.pgtable import Pte, PteTable
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from .versions import COUNT, FOLIO, HZ, at_rest, kernel, shrinker, user

ONE, TWO = Mm(1), Mm(2)
OLD = Folio((512, 0, 1))  # there from the start
TABLE = PteTable(OLD.id)


def run(*functions, **more):
    """Each of *functions* on a CPU of its own."""
    return explore(*on_cpus(*functions), **more)


def on_cpus(*functions):
    names = {f"{n} {f.__name__}": given(f) for n, f in enumerate(functions)}
    return names, [calls(name, (name,)) for name in names]


def test_cells_that_one_cpu_touches_or_none_changes_are_no_scheduling_points():
    def one():
        for n in range(20):
            ONE.rss.set(len(ONE.mmap) + n)

    def two():
        for n in range(20):
            TWO.rss.set(len(ONE.mmap) + n)

    found = run(one, two, cells={(ONE, "mmap"): (1,)})
    assert found.bug is None and found.states == 1 and not found.shared and len(found.ends) == 1


def test_the_cells_that_matter_are_told():
    found = explore(kernel(), [user(), user(), shrinker()], at_end=at_rest)
    assert {COUNT, FOLIO} < found.shared and all(cell[0] is HZ or cell[1] == "state" for cell in found.shared)


def test_what_is_only_found_to_be_shared_on_a_way_that_needs_a_switch_is_found():
    def asks():
        if HZ.refcount.read() == 1 and ONE.rss.read() == 1:
            TWO.rss.set(5)

    def tells():
        HZ.refcount.set(1)
        HZ.refcount.set(2)
        ONE.rss.set(ONE.rss.read() + 1)
        ONE.rss.set(3)
        HZ.refcount.read()
        return TWO.rss.read() if HZ.folio.read() else None

    found = run(asks, tells, at_end=lambda peek: "seen" if peek((TWO, "rss")) else None)
    assert found.bug == "seen" and {(ONE, "rss"), COUNT} <= found.shared


def test_those_who_only_add_come_to_the_same_in_either_order():
    def adds():
        for _ in range(5):
            ONE.rss.inc()

    def looks():
        ONE.rss.inc()
        return ONE.rss.read()

    found = run(adds, adds)
    assert found.states == 1 and found.ends == {frozenset({("Mm(1).rss", "10")})}
    assert (ONE, "rss") in run(adds, looks).shared


def test_a_predicate_that_must_always_hold_makes_what_it_looks_at_shared():
    def one():
        ONE.rss.set(1)
        ONE.rss.set(0)

    def two():
        TWO.rss.set(1)
        TWO.rss.set(0)

    both = lambda peek: "both" if peek((ONE, "rss")) and peek((TWO, "rss")) else None  # noqa: E731
    assert run(one, two, always=both).bug == "both"
    assert run(one, two).states == 1


def test_who_waits_for_another_cpu_is_not_taken_to_go_round_for_ever():
    def waits():
        while HZ.folio.read() is None:
            ONE.rss.read()

    def comes():
        HZ.folio.set(OLD)

    found = run(waits, comes)
    assert found.bug is None and FOLIO in found.shared
    assert run(waits, lambda: None).bug == FOR_EVER


def test_who_publishes_folios_until_another_cpu_ends_it_is_not_out_of_numbers():
    def waits():
        while HZ.refcount.read() == 0:
            HZ.folio.set(alloc_folio())
            free_folio(HZ.folio.xchg(None))

    def comes():
        HZ.refcount.set(1)

    assert (HZ, "refcount") in run(waits, comes, limit=300).shared


def test_a_lock_that_only_one_cpu_takes_is_waited_for_all_the_same():
    def twice():
        SpinLock(1).locked.lock()
        SpinLock(1).locked.lock()

    def other():
        ONE.rss.inc()

    assert run(twice, other).bug == DEADLOCK


def test_freeing_a_folio_matters_to_everybody_who_touches_anything_in_it():
    def frees():
        free_folio(OLD)

    def looks():
        return TABLE[0].read()

    found = run(looks, frees, cells={(OLD, "state"): "live"})
    assert "used after it was freed" in found.bug and len(found.rows) == 2
    assert run(looks, looks, cells={(OLD, "state"): "live"}).states == 1


def test_a_table_that_is_there_from_the_start_and_that_one_cpu_fills_is_its_own_business():
    def fills():
        for i in range(50):
            TABLE[i].set(Pte(OLD, page=i))
        ONE.nr_ptes.set(1)

    def other():
        return ONE.nr_ptes.read()

    found = run(fills, other, cells={(OLD, "state"): "live"})
    assert found.bug is None and found.states < 10


def test_a_folio_found_in_a_published_table_is_known_to_whoever_finds_it():
    def maker():
        folio = alloc_folio()
        TABLE[0].set(Pte(folio))
        folio.refcount.set(5)
        folio.refcount.set(6)

    def finder():
        entry = TABLE[0].read()
        if entry is not None and entry.folio.refcount.read() == 5:
            ONE.rss.set(1)

    found = run(
        maker, finder, cells={(OLD, "state"): "live"}, at_end=lambda peek: "5" if peek((ONE, "rss")) else None
    )
    assert found.bug == "5"


def test_a_folio_there_from_the_start_is_nobodys_own():
    far = Folio((SMALL + (1 << 15), 9, 0))

    def one():
        HZ.folio.read().refcount.set(2)
        HZ.folio.read().refcount.set(3)

    def two():
        if HZ.folio.read().refcount.read() == 2:
            ONE.rss.set(1)

    wrong = lambda peek: "2" if peek((ONE, "rss")) else None  # noqa: E731
    assert run(one, two, cells={(far, "state"): "live", FOLIO: far}, at_end=wrong).bug == "2"


def test_the_same_rows_are_followed_by_hand_with_what_was_shared_and_with_all():
    def reads_then_writes():
        ONE.rss.set(ONE.rss.read() + len(ONE.mmap) + 1)

    wrong = lambda peek: "lost" if peek((ONE, "rss")) == 1 else None  # noqa: E731
    args = on_cpus(reads_then_writes, reads_then_writes)
    found = explore(*args, at_end=wrong)
    assert found.bug == "lost" and found.switches == 2 and len(found.rows) == 6
    some, every = (ByHand(*args, at_end=wrong, shared=shared) for shared in (found.shared, None))
    for hand in (some, every):
        hand.follow(found.rows)
        assert (hand.rows, hand.bug) == (found.rows, "lost")
    assert len(some.picks) < len(every.picks)


# steps of the hardware


def swaps(peek):
    """Both cells change places, in one step."""
    one, two = peek((ONE, "rss")), peek((TWO, "rss"))
    return {(ONE, "rss"): two, (TWO, "rss"): one}, one, None


def hardware(does):
    return Thread(does.__name__, Hardware(does))


def test_a_step_of_the_hardware_on_two_cells_is_one_step():
    def looks():
        return ONE.rss.set(TWO.rss.read() + ONE.rss.read())

    functions, threads = on_cpus(looks)
    cells = {(ONE, "rss"): 1, (TWO, "rss"): 5}
    found = explore(functions, [*threads, hardware(swaps)], cells=cells)
    ends = {(dict(end)["Mm(1).rss"], dict(end)["Mm(2).rss"]) for end in found.ends}
    assert found.bug is None and ends == {("5", "6"), ("6", "1"), ("10", "1"), ("6", "5")} - {("6", "5")}
    assert {(ONE, "rss"), (TWO, "rss")} == found.shared


def test_what_the_hardware_finds_wrong_is_a_row_of_its_own():
    def walk(peek):
        entry = peek(FOLIO)
        return {}, entry, "nothing is mapped" if entry is None else None

    def unmaps():
        HZ.folio.set(None)

    functions, threads = on_cpus(unmaps)
    found = explore(functions, [*threads, hardware(walk)], cells={FOLIO: OLD})
    assert found.bug == "nothing is mapped"
    assert [(row.cpu, row.cell, row.verb) for row in found.rows] == [(0, FOLIO, "set"), (1, FOLIO, "walk")]
    hand = ByHand(functions, [*threads, hardware(walk)], cells={FOLIO: OLD})
    hand.follow(found.rows)
    assert hand.bug == found.bug


def test_states_merge_after_steps_of_the_hardware():
    look = Hardware(lambda peek: ({}, peek(COUNT), None))
    threads = [Thread("twice", lambda: (look(), look())[0])] * 3
    assert explore({}, threads).states == 27


def test_the_hardware_waits_until_there_is_something_to_do():
    takes = Hardware(
        lambda peek, cell: ({cell: 0}, peek(cell), None if peek(cell) else "nothing to take"),
        ready=lambda peek, cell: bool(peek(cell)),
    )

    def device():
        TWO.rss.set(takes((ONE, "rss")))

    def brings():
        ONE.rss.set(5)

    both = [Thread("device", device), Thread("brings", brings)]
    found = explore({}, both)
    assert (found.bug, found.ends) == (None, {frozenset({("Mm(2).rss", "5")})})
    hand = ByHand({}, both)
    assert [choice.cpu for choice in hand.enabled()] == [1] and hand.waiting() == [0]
    assert explore({}, both[:1]).bug == DEADLOCK


def test_what_the_hardware_only_looks_at_is_shared_with_those_who_write_it():
    def writes():
        ONE.rss.set(1)
        ONE.rss.set(2)

    functions, threads = on_cpus(writes)
    sees = hardware(lambda peek: ({}, None, "1" if peek((ONE, "rss")) == 1 else None))
    assert explore(functions, [*threads, sees]).bug == "1"


def test_a_folio_that_the_hardware_stores_is_known_to_whoever_finds_it():
    store = Hardware(lambda peek, folio: ({FOLIO: folio}, None, None))

    def stores():
        folio = alloc_folio()
        store(folio)
        folio.refcount.set(5)
        folio.refcount.set(6)

    def finds():
        folio = HZ.folio.read()
        if folio is not None and folio.refcount.read() == 5:
            ONE.rss.set(1)

    assert run(stores, finds, at_end=lambda peek: "5" if peek((ONE, "rss")) else None).bug == "5"


def test_a_bug_that_needs_one_cpu_is_shown_without_the_others():
    def fine():
        ONE.rss.set(1)

    def wrong():
        TWO.users.dec_and_test()
        TWO.users.dec_and_test()

    found = run(fine, wrong)
    assert found.bug and {row.cpu for row in found.rows} == {1}


# against the naive enumeration: every small program

CELLS = [ONE.rss, ONE.min_flt, TWO.rss]
OPERATION = st.tuples(
    st.integers(0, 2), st.sampled_from(["read", "set", "inc", "cmpxchg", "inc_not_zero"]), st.integers(0, 2)
)


def does(cpu, program):
    """A function of *cpu* that does *program*, and keeps what it saw in a cell of its own."""

    def function():
        seen = [1]
        for cell, verb, n in program:
            args = {"set": (n,), "cmpxchg": (n, n + 1)}.get(verb, ())
            seen.append(int(getattr(CELLS[cell], verb)(*args) or 0))
        Mm(10 + cpu).rss.set(reduce(lambda a, b: a * 10 + b, seen))

    return function


@settings(deadline=None)
@examples(st.lists(st.lists(OPERATION, max_size=3), min_size=2, max_size=2))
def test_the_same_ends_as_of_all_schedules_one_by_one(programs):
    functions = [does(cpu, program) for cpu, program in enumerate(programs)]
    ends = {
        frozenset((f"{cell[0]!r}.{cell[1]}", repr(value)) for cell, value in each.cells.items() if value)
        for each in schedules([lambda log, f=f: next_step(f, (), log) for f in functions])
    }
    assert run(*functions).ends == ends
