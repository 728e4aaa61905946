"""What two threads of this computer pay for a line; how much it is, no test asks."""

import shutil

import pytest
from hugezero.cost import this_computer


def test_without_a_compiler_it_says_so_and_goes_on():
    assert (
        this_computer.two_threads("no-such-compiler")
        == "There is no C compiler (cc) here, so this was left out."
    )


def test_a_compiler_that_fails_is_left_out_as_well():
    assert "could not be used (CalledProcessError)" in this_computer.two_threads("false")


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler here")
def test_it_is_measured_beside_the_model():
    told = this_computer.two_threads()
    assert "There is only one CPU" in told or [line.split("  ")[0] for line in told.splitlines()[1:]] == list(
        this_computer.KINDS
    )


def test_the_models_two_cpus_pay_for_a_move_and_for_the_other_ones_turn():
    costs = this_computer.Costs()
    alone, increment, exchange = this_computer.modelled().values()
    assert alone == pytest.approx(costs.locked, rel=0.01)
    assert increment == pytest.approx(2 * costs.near, rel=0.01)
    assert exchange == pytest.approx(4 * costs.near, rel=0.01)
