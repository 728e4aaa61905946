"""Generated programs: they do what shows mistakes, are always the same, and shrink to what matters."""

from dataclasses import replace

import pytest
from hugezero.check.checks import Failed
from hugezero.machine import Kernel
from hugezero.mm.pgtable import mk_pte, pte_mkwrite
from hugezero.scenario import Exit, Fork, Mmap, Munmap, Read, Write

from autograder.course.layout import Course
from autograder.labs import measured
from autograder.labs.at_rest import what_is_wrong
from autograder.labs.failing import survives
from autograder.labs.making import make
from autograder.labs.programs import FEW, look_alike, programs_look_alike
from autograder.labs.shrinking import RUNS, fail_with_the_smallest, without
from autograder.labs.watched import NOT_COMPARED, Watched, difference

PAGE = 4096
SUITES = measured.suites(Course())
LAB1, LAB3 = SUITES[0], SUITES[2]
each_lab = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


@each_lab
def test_programs_do_what_shows_mistakes(suite):
    share = measured.shares(suite.programs())
    few = {name: share[name] for name in measured.DOES if share[name] < measured.floor(suite, name)}
    assert few == {}
    assert share["failing"] <= measured.MOST_FAILING
    assert share["distinct"] == 1


def test_what_a_program_does_is_counted_where_it_is_done():
    kernel, config = LAB3.reference, {"pages": 1 << 13, "log": False}
    machine = Watched(kernel, **config)
    one = make("any", kernel, FEW, **config)
    one.steps = [(Mmap("a", 2 * PAGE), Read("a"), Fork("b"), Exit("b"))]
    one.seen = [machine.do(action) for action in one.actions]
    assert measured.done_by(one) == set()  # neither huge, nor written
    more = [Write("a"), Fork("c"), Munmap("a", 0, PAGE, "c"), Read("a", PAGE, by="c"), Fork("d", "c")]
    one.steps.append(tuple(more))
    one.seen += [machine.do(action) for action in more]
    assert measured.done_by(one) == {"fork after write", "cut and use", "child reads", "grandchild"}


@each_lab
def test_the_same_seed_makes_the_same_program(suite):
    other = replace(suite, reference=Kernel(suite.reference.functions), made={})
    assert other.program(1) == suite.program(1)
    assert other.program(1) != suite.program(2)


@each_lab
def test_a_machine_is_in_order_after_every_program(suite):
    for one in suite.programs()[::5]:
        machine = Watched(suite.reference, **one.config)
        assert [machine.do(action) for action in one.actions] == one.seen
        if not one.config.get("persistent_huge_zero_folio"):
            assert what_is_wrong(machine.machine, suite.counted) == []


def wrong_copy(vmf):
    """A do_wp_page that forgets every third page."""
    vmf.pte.set(pte_mkwrite(vmf.orig_pte))
    return 0


def broken():
    return Kernel(LAB1.reference.functions, do_wp_page=wrong_copy)


def test_what_is_told_is_the_smallest_program():
    told = []
    for _ in range(2):
        with pytest.raises(Failed) as failed:
            programs_look_alike(broken(), LAB1)
        told.append((failed.value.why, failed.value.hint))
    assert told[0] == told[1]
    assert told[0][1].count("(") <= 5, told[0][1]


def test_what_fails_only_once_is_told_as_that():
    failures = [Failed("once")]

    def look(actions):
        if failures:
            raise failures.pop()

    with pytest.raises(Failed, match="acts differently when it is run again"):
        fail_with_the_smallest(look, [(Mmap("a", PAGE),), (Read("a"),)], together=False)


def test_shrinking_comes_to_an_end():
    tried = []

    def look(actions):
        tried.append(actions)
        raise Failed("always")

    steps = [(Mmap(f"a{n}", PAGE),) for n in range(1000)]
    with pytest.raises(Failed, match="always"):
        fail_with_the_smallest(look, steps, together=True)
    assert len(tried) <= RUNS + 1


def test_what_needs_a_step_goes_with_it():
    steps = [
        (Mmap("a", PAGE),),
        (Fork("b"),),
        (Fork("c", "b"),),
        (Read("a"),),
        (Read("a", by="c"),),
        (Exit(),),
    ]
    assert without(steps, 1, 2) == [steps[0], steps[3], steps[5]]
    assert without(steps, 0, 1) == [steps[1], steps[2], steps[5]]


def test_every_counter_and_table_is_compared():
    seen = LAB3.program(0).seen[-1]
    assert difference(seen, replace(seen)) is None
    for name in seen.vmstat:
        other = replace(seen, vmstat={**seen.vmstat, name: seen.vmstat[name] + 1})
        assert (difference(other, seen) is None) == (name in NOT_COMPARED), name
    some = next(each for each in LAB3.program(0).seen if each.mappings)
    process, page, kind, frame = some.mappings[0]
    for name, value in (
        ("seen", "SIGSEGV"),
        ("rss", {who: n + 1 for who, n in some.rss.items()}),
        ("faults", {who: n + 1 for who, n in some.faults.items()}),
        ("tables", {who: n + 1 for who, n in some.tables.items()}),
        ("mappings", [(process, page, f"{kind}, dirty and more", frame), *some.mappings[1:]]),
        ("mappings", [(process, page, kind, (99, 0)), *some.mappings[1:]]),
        ("mappings", some.mappings[1:]),
    ):
        assert difference(replace(some, **{name: value}), some) is not None, name


def test_a_dirty_bit_that_is_missing_is_seen():
    def do_anonymous_page(vmf):
        said = LAB1.reference.functions["do_anonymous_page"](vmf)
        entry = vmf.pte.read()
        if entry is not None and not entry.special:
            vmf.pte.set(pte_mkwrite(mk_pte(entry.folio)))
        return said

    kernel = Kernel(LAB1.reference.functions, do_anonymous_page=do_anonymous_page)
    with pytest.raises(Failed, match="writable, dirty"):
        look_alike(kernel, LAB1.reference, [Mmap("a", PAGE), Write("a")], pages=64, log=False)


def test_a_failing_allocation_must_cost_one_action_at_most():
    family = [Mmap("a", 2 * PAGE), Write("a"), Fork("b"), Write("a", 0, b"x"), Read("a"), Read("a", by="b")]
    survives(LAB1.reference, LAB1, family, 64)
    with pytest.raises(Failed, match="found no memory"):
        survives(broken(), LAB1, family, 64)
