"""What one exercise calls by the name of another is the kernel's: in a notebook, in the judge, in a search."""

import contextlib

import pytest
from hugezero.check.checks import Failed
from hugezero.check.function_under_test import subject
from hugezero.check.linking import linked_apart
from hugezero.explore.replay import given
from hugezero.explore.search import explore
from hugezero.explore.threads import calls
from hugezero.hw.cpu import SpinLock
from hugezero.machine import Kernel
from hugezero.mm.page_alloc import alloc_folio
from hugezero.store import KERNEL, call, current

from ..explore import versions
from ..explore.answering import answering
from ..explore.versions import COUNT, FOLIO, HZ, at_rest, scan_that_trusts_count, shrinker

PLACE = KERNEL, "functions"


def get(hz):
    raise AssertionError("the student's own was called")


def scan(hz):
    return get(hz=hz)


def put(hz):
    helper(hz)


def helper(hz):
    hz.refcount.dec_and_test()
    if hz.refcount.read() == 7:
        get(hz)


def told(hz):
    hz.refcount.set(5)
    return "the kernel's"


def test_the_kernels_function_is_called_also_from_a_helper_and_with_names():
    under_test = {
        name: subject(name, function, ["get", "nobody"]) for name, function in (("put", put), ("scan", scan))
    }
    for name, function in under_test.items():
        with Kernel({"get": told, name: function}).booted() as machine:
            HZ.refcount.set(8)
            assert function(HZ) == (None if name == "put" else "the kernel's")
            assert machine.peek(COUNT) == 5


def test_outside_of_its_calls_the_names_are_the_students():
    before = dict(globals())
    asked = linked_apart(scan, ["get", "put"])
    with Kernel({"get": told}).booted():
        asked(HZ)
    with Kernel({"get": lambda hz: 1 // 0}).booted(), contextlib.suppress(ZeroDivisionError):
        asked(HZ)
    assert globals() == before
    assert linked_apart(scan, ["scan"]) is scan


def test_a_function_that_no_cell_has_defined_yet_is_the_kernels_too():
    namespace = {}
    exec("def scan(hz):\n    return nobody(hz)\n\ndef named(hz):\n    return nobody(hz=hz)", namespace)
    before = dict(namespace)
    with Kernel({"nobody": told}).booted():
        assert linked_apart(namespace["scan"], ["nobody"])(HZ) == "the kernel's"
        with pytest.raises(TypeError, match="nobody is not defined in this notebook yet"):
            linked_apart(namespace["named"], ["nobody"])(HZ)
    assert namespace == before


def test_a_run_that_is_stopped_gives_the_names_back():
    step = subject("scan", scan, ["get"]).step
    own = get
    assert step((HZ,), ()) == ("op", PLACE, "call", ("get", HZ))
    assert step((HZ,), ((PLACE, "call", ("get", HZ), 9),)) == ("return", 9)
    assert get is own


def test_in_a_search_the_kernels_function_runs():
    function = subject("put", put, ["get"])
    found = explore(
        {"put": function, "get": given(told)},
        [calls("put", ("put", HZ))],
        cells={COUNT: 8},
    )
    assert found.bug is None and found.ends == {frozenset({("HugeZero(0).refcount", "5")})}


# across the socket


def user(hz):
    folio = call("get", hz)
    if folio is not None:
        folio.data.load(0, 1)
        call("put", hz)


@pytest.mark.parametrize("changed", [{}, {"scan": scan_that_trusts_count}])
def test_a_search_goes_into_what_code_in_another_process_calls(changed):
    kernel = versions.kernel()
    threads = [calls("user", ("user", HZ))] * 2 + [shrinker()]
    here = explore({**kernel, **versions.kernel(user=user, **changed)}, threads, at_end=at_rest)
    with answering(user=user, **changed) as functions:
        there = explore(
            {**kernel, **{name: functions[name] for name in ("user", *changed)}}, threads, at_end=at_rest
        )
    assert (there.bug, there.rows, there.states, there.ends) == (here.bug, here.rows, here.states, here.ends)
    assert bool(here.bug) == bool(changed)


def test_on_the_judges_machine_the_judges_function_runs():
    with (
        answering(user=user) as functions,
        Kernel({"get": versions.get, "put": versions.put}).booted() as machine,
    ):
        functions["user"](HZ)
        assert machine.peek(COUNT) == 1
        assert "refcount.set(2)" in " ".join(map(str, machine.log))


def test_a_call_goes_on_when_the_kernel_has_called_the_same_code_meanwhile():
    def outer(hz):
        first = hz.refcount.read()
        return first, call("put", hz), hz.refcount.read()

    def inner(hz):
        hz.refcount.add(3)
        return hz.refcount.read()

    with answering(user=outer, scan=inner) as functions:
        kernel = Kernel({"put": lambda hz: functions["scan"](hz) + 10})
        with kernel.booted():
            assert functions["user"](HZ) == (0, 13, 3)
            assert functions["user"](HZ) == (3, 16, 6)


def op(*args):
    return lambda hz: current().op(*args)


WRONG = {
    "a name that nobody has": (op(PLACE, "call", ("nobody", HZ)), "user calls the kernel's nobody"),
    "no name": (op(PLACE, "call", ()), "the kernel has no function"),
    "a name that is none": (op(PLACE, "call", (3, HZ)), "the kernel has no function 3"),
    "another cell": (op(COUNT, "call", ("put", HZ)), "the kernel has no function put"),
    "a value that is none": (op(PLACE, "call", ("put", 1.5)), "cannot be called with that"),
    "a handle from nowhere": (op(PLACE, "call", ("put", SpinLock(77))), "it was never given SpinLock(77)"),
    "too little": (op(PLACE, "call", ("put",)), "put() came to no good end, TypeError"),
    "what the function cannot use": (
        op(PLACE, "call", ("put", 3)),
        "put(3) came to no good end, AttributeError",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_call_that_makes_no_sense_is_told_to_the_student(what):
    function, why = WRONG[what]
    with (
        answering(user=function) as functions,
        Kernel({"put": versions.put}).booted(),
        pytest.raises(Failed) as failed,
    ):
        functions["user"](HZ)
    assert why in str(failed.value)


def test_what_a_called_function_gives_may_be_used():
    def uses(hz):
        return call("get", hz).refcount.read()

    with answering(user=uses) as functions:
        with Kernel({"get": versions.get}).booted():
            assert functions["user"](HZ) == 1
        assert functions["user"].step((HZ,), ((PLACE, "call", ("get", HZ), FOLIO),))[0] != "op"


def test_an_exercise_calls_the_judges_version_of_another():
    with answering(get=get, scan=scan) as functions:
        with Kernel({"get": told, "scan": functions["scan"]}).booted() as machine:
            assert functions["scan"](HZ) == "the kernel's"
            assert machine.peek(COUNT) == 5
        assert functions["scan"].step((HZ,), ()) == ("op", PLACE, "call", ("get", HZ))
        functions["scan"].asked_again()


def test_allocating_in_a_called_function_works_in_both():
    def makes(hz):
        return alloc_folio(9)

    with Kernel({"get": makes}).booted() as machine, answering(user=lambda hz: call("get", hz)) as functions:
        assert machine.peek((functions["user"](HZ), "state")) == "live"


def test_a_notebook_is_checked_with_stand_ins_for_its_other_functions(monkeypatch):
    from hugezero.check import notebook
    from hugezero.check.checks import CHECKS, Check

    def run(kernel):
        with kernel.booted():
            assert kernel.scan(HZ) == "the kernel's"

    run.__module__ = "hugezero.labs.lab9.checks"
    monkeypatch.setitem(CHECKS, "scan", [Check("scan", 1, run)])
    known = notebook.Exercise("", calls=frozenset({"get"}))
    monkeypatch.setitem(notebook.EXERCISES, ("lab9", "scan"), known)
    monkeypatch.setattr("hugezero.mm.memory.get", told, raising=False)
    monkeypatch.setattr(told, "__module__", "hugezero.mm.memory")
    assert [result.voice for result in notebook.run_open("scan", scan)] == ["done"]
