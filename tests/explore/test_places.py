"""Where in the code each operation of a schedule was done."""

from pathlib import Path

import pytest
from hugezero.explore.byhand import ByHand
from hugezero.explore.places import Places, Spot
from hugezero.explore.replay import given
from hugezero.explore.search import explore
from hugezero.explore.threads import calls
from hugezero.machine import Kernel
from hugezero.mm.fault import user_read
from hugezero.mm.mm_types import Mm
from hugezero.store import call

from .versions import HZ, kernel, scan_that_trusts_count, shrinker, user


def line_of(spot):
    """The text of the line, as the file has it."""
    with open(spot.place[0].co_filename, encoding="utf-8") as file:
        return file.read().splitlines()[spot.place[1] - 1].strip()


def test_each_row_is_where_the_code_says_its_operation():
    functions, threads = kernel(scan=scan_that_trusts_count), [user(), user(), shrinker()]
    found = explore(functions, threads)
    spots = ByHand(functions, threads).places(found.rows)
    by_program = [row for row, spot in zip(found.rows, spots, strict=True) if spot.place is None]
    assert {row.verb for row in by_program} <= {"load"}, "only the program's own reads are in no function"
    for row, spot in zip(found.rows, spots, strict=True):
        if spot.place is not None:
            verb = {"new": "alloc_folio", "free": "free_folio"}.get(row.verb, row.verb)
            assert verb in line_of(spot)


def outer(hz):
    if hz.refcount.read() == 0:
        call("inner", hz)
    hz.refcount.inc()


def inner(hz):
    hz.folio.read()


@pytest.mark.parametrize("told", [False, True])
def test_what_a_function_calls_is_at_its_call_unless_it_may_be_shown_itself(told, monkeypatch):
    """Functions of the course are not shown, and may be what a student has to write."""
    monkeypatch.setattr("hugezero.explore.places.OURS", str(Path(__file__).resolve().parents[2]))
    functions = {"outer": given(outer, told=True), "inner": given(inner, told=told)}
    thread = calls("one", ("outer", HZ))
    rows = ByHand(functions, [thread]).rehearsal()
    names = [spot.place[0].co_name for spot in Places(functions, [thread]).of(rows)]
    assert names == ["outer", "inner" if told else "outer", "outer"]
    functions["outer"] = given(outer)
    hidden = [spot.place and spot.place[0].co_name for spot in Places(functions, [thread]).of(rows)]
    assert hidden == [None, "inner" if told else None, None]


def test_the_hardwares_walk_is_told_from_what_a_kernel_does():
    functions = {name: given(f) for name, f in {**Kernel().functions, "user_read": user_read}.items()}
    thread = calls("one", ("user_read", Mm(1), 0x200000))
    hand = ByHand(functions, [thread])
    rows = hand.rehearsal()
    spots = hand.places(rows)
    walked = [spot.walked for spot in spots]
    assert walked[0] and not all(walked)


def test_rows_that_the_code_does_not_do_have_no_place():
    functions, threads = kernel(), [user()]
    rows = ByHand(functions, threads).rehearsal()
    assert Places(functions, threads).of(rows[1:]) == [Spot()] * (len(rows) - 1)
