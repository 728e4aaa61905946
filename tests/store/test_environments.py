"""A log of operations is the whole truth, and code that is asked does what code that runs does."""

import contextlib

import pytest
from hugezero.machine import Kernel
from hugezero.mm.fault import user_read, user_write
from hugezero.mm.mm_types import Mm
from hugezero.mm.mmap import mm_alloc, mmap
from hugezero.store import KERNEL, NOTHING, OPERATIONS, Asked, Differs, Stop, default_of, operation
from hypothesis import given
from hypothesis import strategies as st


def used(machine):
    with machine:
        mm = mm_alloc()
        at = mmap(mm, 3 * 4096)
        user_read(mm, at)
        user_write(mm, at + 4096, b"x")
    return machine


def test_the_log_alone_gives_the_cells():
    machine = used(Kernel().booted(pages=64))
    cells = dict(machine.at_boot)
    for row in machine.log:
        assert row.cell == (KERNEL, "objects") or cells.get(row.cell, row.old) == row.old
        cells[row.cell] = row.new
    assert {k: v for k, v in cells.items() if k[0] is not KERNEL} == machine.cells | {
        k: v for k, v in cells.items() if k not in machine.cells and k[0] is not KERNEL
    }
    for cell, value in machine.cells.items():
        assert cells[cell] == value, cell


def test_each_row_of_the_log_is_what_the_table_says():
    for row in used(Kernel().booted(pages=64)).log:
        if row.verb != "new":
            assert OPERATIONS[row.verb](row.old, *row.args) == (row.new, row.result), str(row)


def test_the_same_run_gives_the_same_log():
    first, second = (used(Kernel().booted(pages=64)).log for _ in range(2))
    assert list(map(str, first)) == list(map(str, second))


def test_with_the_log_off_everything_else_is_the_same():
    loud, quiet = used(Kernel().booted(pages=64)), used(Kernel().booted(pages=64, log=False))
    assert quiet.log is None and quiet.cells == loud.cells


def test_two_operations_cannot_have_one_name():
    with pytest.raises(ValueError, match="two operations are called 'read'"):
        operation(words=NOTHING, reads="all", writes=False)(OPERATIONS["read"])


def adds(mm):
    if not mm.rss.inc_not_zero():
        mm.rss.set(2)
    return mm.rss.read()


def asked(function, log):
    pending = []

    def ask(*what):
        pending.append(what)
        raise Stop

    with Asked(ask, log) as environment:
        try:
            value = function(Mm(1))
        except (Stop, Differs) as stop:
            return environment, stop, pending
    return environment, value, pending


def test_asked_code_is_fed_what_it_saw_and_stops_at_what_is_new():
    cell = (Mm(1), "rss")
    seen = [((cell, "inc_not_zero", ()), False)]
    assert asked(adds, [])[2] == [(cell, "inc_not_zero", ())]
    assert asked(adds, seen)[2] == [(cell, "set", (2,))]
    seen += [((cell, "set", (2,)), None), ((cell, "read", ()), 2)]
    assert asked(adds, seen)[1] == 2


def test_asked_and_direct_end_alike():
    seen = []
    with Kernel().booted(pages=8) as machine:
        direct = adds(Mm(1))
        machine.cells.clear()
    while True:
        _, end, pending = asked(adds, seen)
        if not pending:
            break
        ((cell, verb, args),) = pending
        machine.cells[cell], result = OPERATIONS[verb](machine.cells.get(cell, default_of(cell)), *args)
        seen.append((pending[0], result))
    assert end == direct == 2


def test_code_that_does_something_else_when_it_is_run_again_is_told_apart():
    _, stop, _ = asked(adds, [(((Mm(1), "rss"), "read", ()), 0)])
    assert isinstance(stop, Differs) and "inc_not_zero" in str(stop)


@pytest.mark.parametrize("way", ["finally", "with", "bare except", "except BaseException"])
def test_a_stop_goes_on_being_raised(way):
    cell = (Mm(1), "rss")

    def stubborn(mm):
        if way == "finally":
            try:
                mm.rss.inc()
            finally:
                mm.rss.read()
        elif way == "with":
            with mm_alloc_context(mm):
                mm.rss.inc()
        elif way == "bare except":
            try:
                mm.rss.inc()
            except:  # noqa: E722
                mm.rss.read()
        else:
            with contextlib.suppress(BaseException):
                mm.rss.inc()
            mm.rss.read()

    environment, stop, pending = asked(stubborn, [])
    assert isinstance(stop, Stop) and environment.swallowed
    assert pending == [(cell, "add", (1,))], "the first pending operation is the one that counts"


class mm_alloc_context:
    def __init__(self, mm):
        self.mm = mm

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.mm.rss.read()


def test_prints_are_kept_beside_the_operation_that_they_followed(capsys):
    with Kernel().booted(pages=8) as machine:
        print("before")
        Mm(1).rss.inc()
        print("after one")
    print("outside")
    assert machine.prints == [(0, "before"), (1, "after one")]
    assert capsys.readouterr().out == "before\nafter one\noutside\n"


@given(st.lists(st.sampled_from(["inc_not_zero", "dec_and_test", "add", "cmpxchg", "xchg", "set"])))
def test_counters_act_like_numbers(verbs):
    """Against plain Python, operation by operation."""
    number = 1
    with Kernel().booted(pages=1):
        count = Mm(1).rss
        count.set(1)
        for verb in verbs:
            if verb == "inc_not_zero":
                assert count.inc_not_zero() == (number != 0)
                number += number != 0
            elif verb == "dec_and_test":
                if number > 0:
                    number -= 1
                    assert count.dec_and_test() == (number == 0)
            elif verb == "add":
                count.add(3)
                number += 3
            elif verb == "cmpxchg":
                assert count.cmpxchg(1, 0) == number
                number = 0 if number == 1 else number
            elif verb == "xchg":
                assert count.xchg(5) == number
                number = 5
            else:
                count.set(2)
                number = 2
            assert count.read() == number
