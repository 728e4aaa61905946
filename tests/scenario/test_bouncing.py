"""The experiment of 2016, replayed: its published numbers come out, and each kernel does what its design says."""

import pytest
from hugezero.machine import Kernel
from hugezero.scenario.bouncing import TOUCHES, bouncing, recorded, shares

from autograder.course import Course

COUNTED = Kernel(Course().reference("lab3_shrinker"))
FLAG = Kernel(Course().reference("lab4_mm_flag"))


def kinds(accesses, line):
    return "".join(kind for which, kind in accesses if which == line)


def test_the_counted_design_writes_to_the_shared_line_at_each_fault_and_each_unmap():
    what = recorded(COUNTED)
    assert kinds(what.later_fault, "refcount") == "rw" and kinds(what.unmap, "refcount") == "w"
    assert not what.exit


def test_the_flag_leaves_one_get_and_one_put_to_a_process():
    what = recorded(FLAG)
    assert kinds(what.later_fault, "refcount") == kinds(what.unmap, "refcount") == ""
    assert "w" in kinds(what.first_fault, "refcount") and kinds(what.exit, "refcount") == "w"
    assert kinds(what.later_fault, "own") == "r"


def test_the_published_numbers_come_out():
    """6fcb52a56ff6: 54.03 % -> 0.11 % in get, 2.65 times the throughput, 2.33 times as fast."""
    old, new = (shares(bouncing(kernel)) for kernel in (COUNTED, FLAG))
    assert old.get == pytest.approx(0.5403, abs=0.01)
    assert new.get == pytest.approx(0.0011, abs=0.0005)
    assert old.read / new.read == pytest.approx(2.65, abs=0.05)
    assert old.life / new.life == pytest.approx(2.33, abs=0.05)
    assert sum(old[:4]) == pytest.approx(1)


def test_gets_are_as_many_as_puts():
    found = bouncing(COUNTED, cpus=8, part=64)
    touches = TOUCHES // 64
    assert found.visits["first fault"] + found.visits["fault"] == 8 * touches
    assert found.visits["unmap"] * 5 == 8 * touches


def test_one_cpu_pays_nothing_for_company():
    found = bouncing(COUNTED, cpus=1, part=256)
    assert sum(found.moves.values()) == 0 and sum(found.waiting.values()) == 0
