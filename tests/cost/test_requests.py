"""Requests to disks on many CPUs: a reference for each of them brings one line back into dispute."""

import pytest
from hugezero.block.zeroing import zeroout_borrowing, zeroout_private
from hugezero.cost.requests import Work, flood, one_request, rate
from hugezero.labs.lab5.lending import zeroing

from autograder.course.layout import Course
from solutions.lab5_persistent import end_zeroout, zeroout_counting

PER_MM = Course().reference("lab4_mm_flag")


def request(routine):
    return one_request(zeroing(PER_MM, routine, end_zeroout))


def test_a_reference_for_each_request_is_two_writes_to_a_shared_line_and_the_others_are_none():
    assert [request(r).writes for r in (zeroout_borrowing, zeroout_counting, zeroout_private)] == [0, 2, 0]


def test_what_shares_nothing_grows_with_the_cpus_and_what_counts_comes_to_a_knee():
    free, counted = request(zeroout_private), request(zeroout_counting)
    grown = [rate(flood(free, cpus, 500), 500) for cpus in (8, 72)]
    assert grown[1] / grown[0] == pytest.approx(9, rel=0.02)
    grown = [rate(flood(counted, cpus, 500), 500) for cpus in (8, 72)]
    assert 1.3 < grown[1] / grown[0] < 1.7  # what lab 5 asks for: about 1.5


def test_one_cpu_pays_for_its_own_work_and_little_else():
    found = flood(request(zeroout_counting), 1, 100, Work(1000, 1000))
    assert sum(found.moves.values()) == 0 and rate(found, 100) == pytest.approx(0.5, rel=0.05)


def test_the_same_seed_gives_the_same_replay():
    once, again = (flood(request(zeroout_counting), 8, 100, seed=4) for _ in range(2))
    assert once.ended == again.ended
