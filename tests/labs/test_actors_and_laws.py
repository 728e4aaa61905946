"""The scenes of lab 3: right code passes each, and each law has code that breaks it."""

import inspect

import pytest
from hugezero.check.checks import Failed
from hugezero.check.schedules import every_schedule
from hugezero.labs.actors import shrinker, user
from hugezero.labs.laws import alive, at_rest
from hugezero.machine import Kernel

from solutions import lab3_shrinker

REFERENCE = {name: f for name, f in vars(lab3_shrinker).items() if inspect.isfunction(f)}


def get_with(old, new):
    source = inspect.getsource(lab3_shrinker.get_huge_zero_folio)
    assert source.count(old) == 1
    names = dict(vars(lab3_shrinker))
    exec(source.replace(old, new), names)
    return {"get_huge_zero_folio": names["get_huge_zero_folio"]}


def run(users, shrinkers=0, may_fail=False, **changed):
    threads = [user(may_fail)] * users + [shrinker()] * shrinkers
    kernel = Kernel({**REFERENCE, **changed})
    return every_schedule(kernel, threads, at_end=at_rest, always=alive, may_fail=may_fail)


@pytest.mark.parametrize(("users", "shrinkers"), [(1, 0), (2, 0), (2, 1), (1, 2)])
@pytest.mark.parametrize("may_fail", [False, True])
def test_the_reference_keeps_every_law(users, shrinkers, may_fail):
    assert run(users, shrinkers, may_fail).states


@pytest.mark.parametrize(
    ("law", "old", "new"),
    [
        ("is lost: it was never freed", "            free_folio(folio)", "            pass"),
        ("the count is 0; it should be 1", "refcount.set(2)", "refcount.set(1)"),
        ("and there was memory", "        clear_folio", "        hz.refcount.set(2)\n        clear_folio"),
        ("is not full of zeroes", "        clear_folio(folio)\n", ""),
        ("which is no folio", "return hz.folio.read()", "return True"),
        ("which it freed in row", "continue", "return folio"),
    ],
)
def test_each_law_is_told_where_it_is_broken(law, old, new):
    with pytest.raises(Failed, match=law):
        run(2, **get_with(old, new))


def test_a_folio_that_was_freed_and_can_still_be_found_is_told():
    def scan(hz):
        if hz.refcount.cmpxchg(1, 0) == 1:
            folio = hz.folio.read()
            lab3_shrinker.free_folio(folio)
            hz.folio.set(None)

    with pytest.raises(Failed, match=r"names .* which was freed"):
        run(1, 1, shrink_huge_zero_folio_scan=scan)


def test_statistics_that_count_the_rounds_of_a_loop_do_not_keep_a_search_from_its_end():
    found = run(2, **get_with("        clear_folio", "        VMSTAT.pgfault.inc()\n        clear_folio"))
    assert not found.inconclusive and found.states < 1000
