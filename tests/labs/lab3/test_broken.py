"""The versions of lab 3 that students have to break can be broken, and are right as long as they are alone."""

import pytest
from hugezero.explore.replay import given
from hugezero.explore.search import explore
from hugezero.labs.fixtures import idle_folio
from hugezero.labs.lab3 import broken as buggy
from hugezero.labs.lab3.broken import TO_BREAK, Broken
from hugezero.labs.lab3.explorations import every_schedule_of, to_break
from hugezero.labs.lab3.race_of_2026 import race_of_2026
from hugezero.labs.laws import alive, at_rest

VERSIONS = [Broken(name, function) for name, functions in TO_BREAK.items() for function in functions]
NAMES = [broken.function.__name__ for broken in VERSIONS]


def found(broken, threads):
    cells = {} if broken.name == "get_huge_zero_folio" else idle_folio()
    return explore({broken.name: given(broken.function)}, threads, cells, at_end=at_rest, always=alive)


@pytest.mark.parametrize("broken", VERSIONS, ids=NAMES)
def test_it_is_right_alone_and_a_schedule_breaks_it(broken):
    for thread in broken.threads:
        assert found(broken, [thread]).bug is None
    outcome, hand = found(broken, broken.threads), broken.by_hand()
    hand.follow(outcome.rows)
    assert outcome.bug and hand.bug == outcome.bug
    again = broken.by_hand()
    for cpu, _ in hand.picks:  # the answer of an exercise: nothing but numbers of CPUs
        again.go(cpu)
    assert again.bug == outcome.bug


@pytest.mark.parametrize("broken", VERSIONS, ids=NAMES)
def test_one_after_the_other_does_not_break_it(broken):
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        hand = broken.by_hand()
        for cpu in order:
            while any(choice.cpu == cpu for choice in hand.enabled()):
                hand.go(cpu)
        assert hand.ended and hand.bug is None


def test_each_version_is_somebodys_and_a_seed_always_means_the_same():
    for name, versions in TO_BREAK.items():
        drawn = [buggy.to_break(name, f"student {n}").function for n in range(60)]
        assert set(drawn) == set(versions)
        assert drawn == [buggy.to_break(name, f" student {n}\n").function for n in range(60)]
    assert "def get_" in repr(to_break("get_huge_zero_folio", "ada"))


@pytest.mark.parametrize(
    ("functions", "what"),
    [
        ({"get_huge_zero_folio": buggy.get_plain_increment}, "P1 is lost"),
        ({"get_huge_zero_folio": buggy.get_count_first}, "was given None instead of a folio"),
        ({"shrink_huge_zero_folio_scan": buggy.scan_trusts_count}, "there was none to be read"),
    ],
)
def test_what_the_notebook_shows_before_anything_is_written(functions, what):
    shown = every_schedule_of(users=2, shrinkers="get_huge_zero_folio" not in functions, **functions)
    assert what in repr(shown) and shown.picture is not None


def test_what_cannot_be_explored_is_told_in_a_sentence():
    def get_huge_zero_folio(hz):
        raise NotImplementedError

    def get_with_two(hz, more):
        return None

    assert "is not written yet" in repr(every_schedule_of(get_huge_zero_folio=get_huge_zero_folio))
    assert "is called with 1 argument" in repr(every_schedule_of(get_huge_zero_folio=get_with_two))
    with pytest.raises(ValueError, match="the functions are get_huge_zero_folio"):
        every_schedule_of(mmput=get_with_two)


def test_the_race_of_2026_is_found_and_its_fix_holds():
    assert "takes it for an ordinary huge page" in repr(race_of_2026())
    assert "nothing goes wrong in any of them" in repr(race_of_2026(locked=True))
