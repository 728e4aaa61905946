"""What the search must get right: each rule with code that a simpler rule would let through."""

import random

import pytest
from hugezero.explore.naive import schedules
from hugezero.explore.replay import next_step
from hugezero.explore.search import DEADLOCK, FOR_EVER, explore
from hugezero.explore.threads import calls
from hugezero.hw.cpu import SpinLock
from hugezero.mm.page_alloc import Folio, alloc_folio, free_folio

from .versions import (
    COUNT,
    FOLIO,
    HZ,
    at_rest,
    get_that_counts_before_the_pointer,
    get_that_puts_too_often_after_three_rounds,
    get_that_retries_four_times,
    get_that_spins_without_looking,
    get_that_uses_a_freed_folio_after_four_rounds,
    get_that_waits_for_ever,
    get_that_waits_for_the_installer,
    get_with_a_global_counter,
    get_with_plain_increment,
    kernel,
    scan_that_trusts_count,
    shrinker,
    user,
)

WRONG = {
    "plain increment": {"get": get_with_plain_increment},
    "scan trusts count": {"scan": scan_that_trusts_count},
    "count before pointer": {"get": get_that_counts_before_the_pointer},
    "retries four times, then no reference": {"get": get_that_retries_four_times},
    "uses a freed folio after four rounds": {"get": get_that_uses_a_freed_folio_after_four_rounds},
    "puts too often after three rounds": {"get": get_that_puts_too_often_after_three_rounds},
}


def run(users=2, shrinkers=1, changed=None, **more):
    return explore(
        kernel(**(changed or {})), [user()] * users + [shrinker()] * shrinkers, at_end=at_rest, **more
    )


@pytest.mark.parametrize(("users", "shrinkers"), [(1, 1), (2, 0), (2, 1), (3, 1), (0, 2), (2, 2)])
@pytest.mark.parametrize("may_fail", [False, True])
def test_right_code_is_right_under_every_schedule(users, shrinkers, may_fail):
    found = run(users, shrinkers, may_fail=may_fail)
    assert found.bug is None and not found.inconclusive and found.ends


def test_the_sizes_are_within_what_was_promised():
    assert run(2, 1).states <= 1_100 and run(3, 1).states <= 31_000


@pytest.mark.parametrize("name", WRONG)
def test_wrong_code_is_found_out(name):
    found = run(changed=WRONG[name])
    assert found.bug and found.rows and found.bug != FOR_EVER


def test_code_that_waits_for_ever_is_found_out():
    assert run(changed={"get": get_that_waits_for_ever}).bug == FOR_EVER


def test_code_that_waits_for_something_that_comes_is_right():
    assert run(changed={"get": get_that_waits_for_the_installer}).bug is None


def test_the_schedule_that_is_shown_has_the_fewest_switches():
    assert run(changed={"scan": scan_that_trusts_count}).switches == 4


def test_a_schedule_that_is_shown_does_what_it_says():
    """Carried out again by hand, operation by operation, it gives the same results."""
    from hugezero.store import OPERATIONS, KernelBug, default_of

    found = run(changed={"scan": scan_that_trusts_count})
    cells = {}
    for row in found.rows[:-1]:
        if row.verb == "new":
            cells[row.result, "state"] = "live"
            continue
        old = cells.get(row.cell, default_of(row.cell))
        assert OPERATIONS[row.verb](old, *row.args) == (row.new, row.result), str(row)
        cells[row.cell] = row.new
    last = found.rows[-1]
    with pytest.raises(KernelBug, match="a count of 0 was decremented"):
        OPERATIONS[last.verb](cells[last.cell], *last.args)


def once(function):
    return {"f": type("F", (), {"step": staticmethod(lambda args, log: next_step(function, args, log))})}


def threads(n=1):
    return [calls("f", ("f", HZ))] * n


def test_two_live_folios_have_two_numbers_and_a_number_comes_back():
    seen = []

    def two_then_one(hz):
        one, two = alloc_folio(9), alloc_folio(9)
        seen.append(one.pfn != two.pfn)
        free_folio(one)
        again = alloc_folio(9)
        seen.append(again.pfn == one.pfn and again is not one and again is not two)
        free_folio(again)
        free_folio(two)

    assert explore(once(two_then_one), threads()).bug is None
    assert all(seen) and seen


def test_a_stale_handle_is_caught_after_its_number_was_used_again():
    def stale(hz):
        old = alloc_folio(9)
        free_folio(old)
        alloc_folio(9)
        old.refcount.inc()

    assert "was used after it was freed" in explore(once(stale), threads()).bug


def test_a_folio_that_was_published_never_gives_its_number_away():
    def publish_free_alloc(hz):
        one = alloc_folio(9)
        hz.folio.set(one)
        hz.folio.set(None)
        free_folio(one)
        two = alloc_folio(9)
        hz.refcount.set(int(one.pfn == two.pfn))
        free_folio(two)

    found = explore(
        once(publish_free_alloc), threads(), at_end=lambda peek: "reused" if peek(COUNT) else None
    )
    assert found.bug is None


@pytest.mark.parametrize("way", ["finally", "with", "bare except"])
def test_code_that_catches_the_stop_is_judged_by_its_first_pending_operation(way):
    class Guard:
        def __init__(self, hz):
            self.hz = hz

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.hz.refcount.add(-1)

    def guarded(hz):
        if way == "finally":
            try:
                hz.refcount.inc()
                hz.refcount.read()
            finally:
                hz.refcount.add(-1)
        elif way == "with":
            with Guard(hz):
                hz.refcount.inc()
                hz.refcount.read()
        else:
            try:
                hz.refcount.inc()
                hz.refcount.read()
            except:  # noqa: E722
                pass
            hz.refcount.add(-1)

    found = explore(once(guarded), threads(2), at_end=lambda peek: None if peek(COUNT) == 0 else "wrong")
    assert found.bug is None and found.states > 5


def test_state_in_a_global_is_found_out():
    assert "acts differently when it is run again" in run(changed={"get": get_with_a_global_counter}).bug


def test_a_loop_that_looks_at_nothing_is_found_out():
    assert (
        "is there a loop that looks at nothing and cannot end?"
        in run(changed={"get": get_that_spins_without_looking}).bug
    )


def test_a_loop_that_only_looks_at_its_own_folio_is_found_out():
    def own(hz):
        folio = alloc_folio(9)
        while folio.refcount.read():
            pass

    assert "without looking at anything shared" in explore(once(own), threads()).bug


def test_a_deadlock_is_found_out():
    def takes_twice(hz):
        lock = SpinLock(1)
        lock.locked.lock()
        lock.locked.lock()

    assert explore(once(takes_twice), threads()).bug == DEADLOCK


def test_a_lock_keeps_the_others_out():
    def add_one(hz):
        lock = SpinLock(1)
        lock.locked.lock()
        hz.refcount.set(hz.refcount.read() + 1)
        lock.locked.unlock()

    wrong = lambda peek: None if peek(COUNT) == 3 else f"{peek(COUNT)}"  # noqa: E731
    assert explore(once(add_one), threads(3), at_end=wrong).bug is None


def test_out_of_budget_is_inconclusive_and_says_how_far_it_got():
    found = run(3, 1, limit=100)
    assert found.inconclusive and found.bug is None and found.states > 100


def test_the_same_search_twice_finds_the_same():
    one, two = (run(changed={"get": get_with_plain_increment}) for _ in range(2))
    assert list(map(str, one.rows)) == list(map(str, two.rows)) and one.states == two.states


def test_an_exception_of_the_code_is_a_bug():
    def raises(hz):
        hz.refcount.read()
        return {}["x"]

    assert explore(once(raises), threads()).bug == "f raised KeyError: 'x'"


# cross-checks


def steps(functions, *names):
    return [lambda log, f=functions[name]: f.step((HZ,), log) for name in names]


def plain(*names):
    return [calls(name, (name, HZ)) for name in names]


@pytest.mark.parametrize(
    "names", [("get", "get"), ("get", "scan"), ("scan", "scan"), ("put", "scan"), ("get", "put")]
)
@pytest.mark.parametrize("version", ["right", *list(WRONG)[:3]])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_enumerating_all_schedules_one_by_one_gives_the_same_verdict(names, version, count):
    functions = kernel(**WRONG.get(version, {}))
    folio = Folio((0, 9, 0))
    count += "put" in names and 2  # whoever puts has got before
    cells = {COUNT: count, FOLIO: folio, (folio, "state"): "live"} if count else {}
    quick = explore(functions, plain(*names), cells=cells)
    bugs, ends = set(), set()
    for schedule in schedules(steps(functions, *names), limit=14, cells=cells):
        if schedule.cut:
            continue  # somebody goes round and round, waiting for the other
        raised = [end for end in schedule.ends.values() if end[0] == "raise"]
        if schedule.bug or raised:
            bugs.add(schedule.bug or raised[0])
        else:
            ends.add((schedule.cells.get(COUNT, 0), schedule.cells.get(FOLIO) is None))
    assert (quick.bug is not None) == bool(bugs)
    if not bugs:
        found = {
            (dict(end).get("HugeZero(0).refcount", "0"), dict(end).get("HugeZero(0).folio") is None)
            for end in quick.ends
        }
        assert found == {(str(count), none) for count, none in ends}


def random_schedule(functions, rng):
    """One schedule of two users and the shrinker, drawn step by step with no memory and no folding."""
    from hugezero.explore.naive import carried_out
    from hugezero.store import KernelBug

    todo = {0: ["get", "touch", "put"], 1: ["get", "touch", "put"], 2: ["scan"]}
    logs, kept, cells = dict.fromkeys(todo, ()), {}, {}
    for _ in range(400):
        cpu = rng.choice([cpu for cpu, items in todo.items() if items])
        item = todo[cpu][0]
        if item == "touch":
            step = ("op", (kept[cpu], "data"), "load", (0, 1))
        else:
            step = functions[item].step((HZ,), logs[cpu])
        if step[0] == "op":
            try:
                cells, result = carried_out(cells, *step[1:])
            except KernelBug as bug:
                return bug.what
            logs[cpu] = (*logs[cpu], (*step[1:], result))
        if step[0] == "raise":
            return step
        if step[0] == "return" or item == "touch":
            if item == "get":
                kept[cpu] = step[1]
                if step[1] is None:
                    return "no folio"
            todo[cpu], logs[cpu] = todo[cpu][1:], ()
            if not any(todo.values()):
                return at_rest({COUNT: 0, **cells}.get)
    return "too long"


@pytest.mark.parametrize("many", [300, pytest.param(10_000, marks=pytest.mark.full)])
def test_random_schedules_never_reach_a_bug_that_the_search_missed(many):
    rng, functions = random.Random(2026), kernel()
    assert run().bug is None
    assert {random_schedule(functions, rng) for _ in range(many)} == {None}


def test_random_schedules_do_reach_bugs_that_are_there():
    rng, functions = random.Random(2026), kernel(scan=scan_that_trusts_count)
    assert {random_schedule(functions, rng) for _ in range(300)} != {None}
