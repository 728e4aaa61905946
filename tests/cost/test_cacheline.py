"""What lines cost: MESI, one CPU at a time, and the closed form."""

import itertools

import pytest
from hugezero.cost.cacheline import (
    OWN,
    BadMachine,
    Caches,
    Costs,
    Phase,
    accesses,
    closed_form,
    lines_by_cell,
    replay,
)
from hugezero.mm.huge_memory import HUGE_ZERO
from hugezero.mm.mm_types import Mm
from hypothesis import given
from hypothesis import strategies as st

GET = (("count", "r"), ("count", "w"))
PUT = (("count", "w"),)
ONE_SOCKET = Costs(sockets=1, jitter=0.0)


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from("ab"), st.sampled_from("rw")), max_size=60))
def test_whoever_modifies_a_line_is_the_only_one_that_has_it(steps):
    caches = Caches(5)
    for cpu, line, kind in steps:
        caches.access(cpu, line, kind)
        state, who = caches.lines[line]
        assert cpu in who
        assert state == "M" if kind == "w" else state in "ESM"
        assert len(who) == 1 or state == "S"
        assert caches.access(cpu, line, "r") == (caches.costs.hit, 0)


def test_costs_by_hand():
    caches = Caches(4, Costs(hit=1, locked=9, near=45, far=112, memory=80))
    assert caches.access(0, "a", "r") == (80, 0)  # nobody had it: nothing moved
    assert caches.access(0, "a", "w") == (9, 0)  # exclusive: no message
    assert caches.access(2, "a", "r") == (45, 1)  # from CPU 0, of the same socket
    assert caches.access(1, "a", "r") == (112, 1)
    assert caches.access(3, "a", "r") == (45, 1)  # the nearest one that has it
    assert caches.access(3, "a", "w") == (112, 1)  # the farthest must have heard of it
    assert caches.access(3, "b", "w") == (80, 0)


def test_operations_are_reads_and_writes_of_lines():
    count, rss = (HUGE_ZERO, "refcount"), (Mm(1), "rss")
    operations = [(count, "inc_not_zero"), (rss, "add"), (count, "add"), (count, "read"), (count, "cmpxchg")]
    kinds = [kind for line, kind in accesses(operations, lines_by_cell({count: "count"})) if line == "count"]
    assert "".join(kinds) == "rwwrw"


def phases(rounds, work=1000.0):
    return [Phase("get", rounds, work, GET), Phase("put", rounds, work / 3, PUT)]


@given(st.integers(1, 9), st.integers(1, 40), st.floats(0, 0.9), st.integers(0, 99))
def test_a_line_serves_one_cpu_at_a_time_and_every_nanosecond_is_accounted_for(cpus, rounds, jitter, seed):
    plan = [*phases(rounds, 200.0), Phase("alone", 3, 10.0, ())]
    found = replay(plan, cpus, Costs(jitter=jitter), seed, keep=True)
    served = sorted(found.served_at)
    assert all(end <= begin for (_, end, *_), (begin, *_) in itertools.pairwise(served))
    assert found.ended["alone"] * cpus == pytest.approx(found.whole)
    assert found.visits["get"] == found.visits["put"] == cpus * rounds
    assert found == replay(plan, cpus, Costs(jitter=jitter), seed, keep=True)


@pytest.mark.parametrize("cpus", range(2, 73))
def test_without_jitter_a_round_takes_what_the_closed_form_says(cpus):
    work, rounds = 1000.0, 60
    service = ONE_SOCKET.near + ONE_SOCKET.locked  # fetched to be read, then its own to be written
    visit = (("count", "w"), ("count", "w"))
    ends = {}
    for n in (rounds, 2 * rounds):
        services = replay([Phase("get", n, work, visit)], cpus, ONE_SOCKET, keep=True).served_at
        ends[n] = max(end for _, end, cpu, _ in services if cpu == 0)
    assert (ends[2 * rounds] - ends[rounds]) / rounds == pytest.approx(closed_form(cpus, work, service))


def test_one_cpu_never_bounces():
    found = replay(phases(100), 1)
    assert sum(found.moves.values()) == 0 and sum(found.waiting.values()) == 0


def test_what_is_a_cpus_own_never_waits():
    found = replay([Phase("get", 50, 10.0, ((OWN, "r"), (OWN, "w")))], 30, Costs(jitter=0.0))
    assert found.waiting["get"] == 0 and found.moves["get"] == 0
    assert found.served["get"] == 30 * 50 * (Costs().hit + Costs().locked)


def test_the_first_touch_moves_nothing():
    assert replay([Phase("get", 1, 10.0, GET)], 1).moves["get"] == 0
    assert Caches(9).access(3, "a", "w")[1] == 0


def test_without_jitter_the_order_freezes():
    """So that what is seen depends on who sits where; jitter is a part of the model."""
    plan = [Phase("get", 400, 500.0, PUT)]

    def orders(jitter):
        served = [cpu for _, _, cpu, _ in replay(plan, 8, Costs(jitter=jitter), keep=True).served_at]
        late = served[-80:]
        return {tuple(late[n : n + 8]) for n in range(0, 80, 8)}

    assert len(orders(0.0)) == 1 and len(orders(0.3)) > 5


def test_without_jitter_it_matters_who_sits_where():
    """Neighbours by number come one after the other, for ever: are they on one socket, or never?"""
    plan = [Phase("get", 200, 3000.0, GET)]

    def ratio(jitter):
        shares = [replay(plan, 72, Costs(jitter=jitter, blocks=blocks)).whole for blocks in (False, True)]
        return shares[0] / shares[1]

    assert ratio(0.0) > 1.5 and ratio(0.1) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("cpus", [0, -1])
def test_no_cpus_are_an_error_that_says_how_many(cpus):
    with pytest.raises(BadMachine, match=f"{cpus} CPUs"):
        replay(phases(1), cpus)


@pytest.mark.parametrize("name", ["hit", "locked", "near", "far", "memory"])
@pytest.mark.parametrize("value", [0, -3.5])
def test_a_cost_of_nothing_or_less_is_an_error_that_names_it(name, value):
    with pytest.raises(BadMachine, match=f"{name}={value}"):
        replay(phases(1), 2, Costs()._replace(**{name: value}))


def test_ten_thousand_cpus_work():
    found = replay([Phase("get", 2, 1e6, PUT)], 10_000)
    assert found.visits["get"] == 20_000
