"""Every schedule of two small threads, counted by hand."""

from itertools import pairwise
from math import comb

from hugezero.explore.naive import schedules
from hugezero.explore.replay import next_step
from hugezero.hw.cpu import SpinLock
from hugezero.mm.mm_types import Mm


def twice(mm):
    mm.rss.inc()
    mm.rss.inc()


def reads_then_writes(mm):
    mm.rss.set(mm.rss.read() + 1)
    return mm.rss.read()


def threads(function, n, handle):
    return [lambda log: next_step(function, (handle,), log)] * n


def test_two_threads_of_two_operations_have_six_schedules():
    found = list(schedules(threads(twice, 2, Mm(1))))
    # a return is a step as well: three steps each
    assert len(found) == comb(6, 3)
    assert len({tuple(each.rows) for each in found}) == comb(4, 2)


def test_a_lost_update_is_found_and_the_one_with_the_fewest_switches_comes_first():
    lost = [
        each
        for each in schedules(threads(reads_then_writes, 2, Mm(1)))
        if {v for _, v in each.ends.values()} == {1}
    ]
    assert lost
    cpus = [row[4] for row in lost[0].rows]
    assert sum(a != b for a, b in pairwise(cpus)) == 2


def test_test_and_set_has_no_bad_schedule():
    lock = SpinLock(1)
    for each in schedules(threads(lambda lock: not lock.locked.test_and_set(), 3, lock)):
        assert sorted(value for _, value in each.ends.values()) == [False, False, True]


def test_a_thread_that_waits_for_ever_is_cut_off_and_says_so():
    def waits(lock):
        while not lock.locked.test():
            pass

    assert all(each.cut for each in schedules(threads(waits, 1, SpinLock(1)), limit=5))


def test_a_thread_that_raises_ends_with_that():
    def raises(mm):
        mm.rss.read()
        raise KeyError("x")

    (only,) = schedules(threads(raises, 1, Mm(1)))
    assert only.ends == {0: ("raise", "KeyError", "'x'")}
