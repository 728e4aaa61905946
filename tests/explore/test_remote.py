"""One interface for local and remote code: the search cannot tell them apart."""

import itertools

import pytest
from hugezero.explore.search import FOR_EVER, explore

from autograder.judge.channel import Unanswered

from .answering import answering
from .versions import (
    at_rest,
    get_that_retries_four_times,
    get_that_spins_without_looking,
    get_that_waits_for_ever,
    get_with_a_global_counter,
    kernel,
    scan_that_trusts_count,
    shrinker,
    user,
)


def both(users=2, shrinkers=1, **changed):
    threads = [user()] * users + [shrinker()] * shrinkers
    with answering(**changed) as functions:
        remote = explore(functions, threads, at_end=at_rest)
    return remote, explore(kernel(**changed), threads, at_end=at_rest)


@pytest.mark.parametrize(("users", "shrinkers"), [(2, 1), (3, 1)])
def test_right_code_is_right_in_another_process_too(users, shrinkers):
    remote, local = both(users, shrinkers)
    assert remote.bug is None
    assert (remote.states, remote.runs, remote.ends) == (local.states, local.runs, local.ends)


@pytest.mark.parametrize(
    "changed",
    [
        {"scan": scan_that_trusts_count},
        {"get": get_that_retries_four_times},
        {"get": get_that_waits_for_ever},
    ],
)
def test_wrong_code_is_found_out_by_the_same_schedule(changed):
    remote, local = both(**changed)
    assert remote.bug == local.bug
    assert list(map(str, remote.rows)) == list(map(str, local.rows))
    assert remote.bug or remote.bug == FOR_EVER


def test_state_in_a_global_is_found_out_in_another_process():
    remote, _ = both(get=get_with_a_global_counter)
    assert "acts differently when it is run again" in remote.bug


def test_a_loop_that_looks_at_nothing_is_ended_by_its_lines_in_both():
    remote, local = both(get=get_that_spins_without_looking)
    assert remote.bug == local.bug
    assert "ran 200,000 lines" in remote.bug


def test_a_loop_without_lines_is_ended_by_the_judge():
    with (
        answering(get=lambda hz: sum(itertools.count())) as functions,
        pytest.raises(Unanswered, match="computed for"),
    ):
        explore(functions, [user(), user(), shrinker()], at_end=at_rest)
