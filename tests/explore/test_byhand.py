"""A schedule by hand does what the search does, one move at a time."""

import pytest
from hugezero.explore.byhand import ByHand, CannotGo
from hugezero.explore.search import DEADLOCK, FOR_EVER, explore
from hugezero.explore.threads import calls
from hugezero.hw.cpu import SpinLock
from hugezero.mm.page_alloc import alloc_folio, free_folio
from hypothesis import given
from hypothesis import strategies as st

from .test_search import WRONG, once, threads
from .versions import HZ, at_rest, get_that_waits_for_ever, kernel, shrinker, user


def get_that_allocates_first(hz):
    folio = alloc_folio(9)
    if hz.folio.cmpxchg(None, folio) is None:
        hz.refcount.set(2)
        return folio
    free_folio(folio)
    hz.refcount.inc()
    return hz.folio.read()


VERSIONS = {**WRONG, "allocates first": {"get": get_that_allocates_first}}


def given_to_both(version, may_fail=False):
    """What the search and a schedule by hand are given."""
    functions = kernel(**VERSIONS.get(version, {}))
    return (functions, [user(), user(), shrinker()]), {"at_end": at_rest, "may_fail": may_fail}


@pytest.mark.parametrize("may_fail", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_following_a_counterexample_reaches_its_bug(version, may_fail):
    args, more = given_to_both(version, may_fail)
    found, hand = explore(*args, **more), ByHand(*args, **more)
    hand.follow(found.rows)
    assert (hand.rows, hand.bug) == (found.rows, found.bug)
    assert found.bug and hand.ended
    picks = list(hand.picks)
    hand.again(())
    assert hand.rows == [] and hand.bug is None
    hand.again(picks)
    assert (hand.rows, hand.bug) == (found.rows, found.bug)


def test_what_a_cpu_did_before_anybody_could_see_it_stands_before_its_first_row():
    found = explore(*given_to_both("allocates first")[0], at_end=at_rest)
    for cpu in (0, 1):
        assert next(row for row in found.rows if row.cpu == cpu).verb == "new"
    assert found.switches == 3


def test_a_cpu_whose_whole_life_nobody_could_see_is_in_the_schedule():
    def loses_one(hz):
        alloc_folio(9)

    def counts(hz):
        hz.refcount.inc()

    functions = {**once(loses_one), "g": once(counts)["f"]}
    other = calls("g", ("g", HZ))
    found = explore(functions, [*threads(), other], at_end=lambda peek: "lost")
    assert [(row.cpu, row.verb) for row in found.rows] == [(0, "new"), (1, "add")]
    hand = ByHand(functions, [*threads(), other], at_end=lambda peek: "lost")
    hand.follow(found.rows)
    assert hand.bug == "lost"


def test_waiting_for_ever_cannot_be_seen_from_one_schedule():
    functions = kernel(get=get_that_waits_for_ever)
    found = explore(functions, [user(), user()])
    hand = ByHand(functions, [user(), user()])
    hand.follow(found.rows)
    assert found.bug == FOR_EVER and hand.rows == found.rows and hand.bug is None


@given(version=st.sampled_from(["right", *VERSIONS]), may_fail=st.booleans(), data=st.data())
def test_taking_back_restores_what_there_was(version, may_fail, data):
    args, more = given_to_both(version, may_fail)
    hand = ByHand(*args, **more)
    seen = []
    for _ in range(data.draw(st.integers(1, 25))):
        choices = hand.enabled()
        if not choices:
            break
        seen.append((hand.rows, hand.bug, choices))
        choice = data.draw(st.sampled_from(choices))
        assert hand.go(choice.cpu, choice.way) == choice.rows
        assert hand.rows == [*seen[-1][0], *choice.rows]
    while seen:
        hand.undo()
        assert (hand.rows, hand.bug, hand.enabled()) == seen.pop()
    hand.undo()
    assert hand.picks == []


def test_right_code_comes_to_a_good_end_whoever_goes():
    args, more = given_to_both("right")
    hand = ByHand(*args, **more)
    while not hand.ended:
        hand.go(hand.enabled()[-1].cpu)
    assert hand.bug is None and hand.waiting() == []


def test_an_allocation_that_may_fail_is_offered_both_ways():
    args, more = given_to_both("right", may_fail=True)
    hand = ByHand(*args, **more)
    ways = [choice for choice in hand.enabled() if choice.cpu == 0]
    found = [[row.result is not None for row in choice.rows if row.verb == "new"] for choice in ways]
    assert found == [[True], [False]], "the ordinary way comes first"
    assert [choice.way for choice in ways] == [0, 1]
    assert len(ByHand(*args).enabled()) == 3


def test_a_cpu_that_wants_a_held_lock_waits_until_it_is_free():
    def once_locked(hz):
        lock = SpinLock(1)
        lock.locked.lock()
        lock.locked.unlock()

    hand = ByHand(once(once_locked), threads(2))
    hand.go(0)
    assert [choice.cpu for choice in hand.enabled()] == [0] and hand.waiting() == [1]
    with pytest.raises(CannotGo, match="CPU 1 cannot go now; those that can: 0"):
        hand.go(1)
    hand.go(0)
    assert [choice.cpu for choice in hand.enabled()] == [1] and hand.waiting() == []


def test_a_deadlock_is_told():
    def takes_twice(hz):
        SpinLock(1).locked.lock()
        SpinLock(1).locked.lock()

    hand = ByHand(once(takes_twice), threads(1))
    hand.go(0)
    assert hand.bug == DEADLOCK


def test_a_thread_with_nothing_to_do_has_ended():
    hand = ByHand({}, [calls("nothing")])
    assert hand.ended and hand.bug is None


def test_rows_that_nobody_does_are_told():
    args, more = given_to_both("scan trusts count")
    other = explore(*given_to_both("plain increment")[0], at_end=at_rest)
    with pytest.raises(CannotGo, match="nobody does now what row 1 says"):
        ByHand(*args, **more).follow(other.rows)
