"""A kernel is its functions, linked: one that calls another by its name gets this kernel's."""

from hugezero.machine import Kernel


def outer():
    return inner() + 1


def inner():
    return middle()


def middle():
    return 1


def test_a_function_calls_the_ones_of_its_kernel():
    theirs = Kernel({"outer": outer, "inner": inner, "middle": lambda: 10})
    assert (outer(), theirs.outer(), theirs.inner()) == (2, 11, 10)


def test_what_is_no_function_of_the_kernel_stays_what_it_was():
    assert Kernel({"outer": outer}).outer() == 2
