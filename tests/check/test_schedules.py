"""What a check says about every schedule: almost, inconclusive, done."""

import json
from dataclasses import asdict

import pytest
from hugezero import notebook as front
from hugezero.check.checks import Check, run_checks
from hugezero.check.report import Report
from hugezero.check.schedules import every_schedule
from hugezero.machine import Kernel
from hugezero.mm.page_alloc import alloc_folio

from ..explore.versions import (
    at_rest,
    get,
    get_that_spins_without_looking,
    get_that_waits_for_ever,
    get_with_a_global_counter,
    kernel,
    put,
    scan_that_trusts_count,
    shrinker,
    user,
)

THREADS = [user(), user(), shrinker()]


def result(threads=THREADS, **changed):
    """What a check of every schedule says about get, put and scan, with some changed."""
    limit = changed.pop("limit", 200_000)

    def run(kernel):
        return every_schedule(kernel, threads, at_end=at_rest, story="nothing is lost", limit=limit)

    run.__doc__ = "Whoever gets it can use it, under every schedule."
    (said,) = run_checks([Check("get", 2.0, run)], Kernel(kernel(**changed)))
    return said


def test_done_says_how_much_was_looked_at():
    said = result()
    assert (said.voice, said.points) == ("done", 2)
    assert said.note.startswith("Three CPUs, ") and said.note.endswith(
        "states, nothing is lost in any of them"
    )
    report = Report("get", [said], "You now have it.")
    assert said.note in str(report) and said.note in report.html()


def test_functions_that_are_not_under_test_are_explored_as_well():
    functions = {"get": get, "put": put, "scan": scan_that_trusts_count}

    def run(kernel):
        every_schedule(kernel, THREADS, at_end=at_rest)

    (said,) = run_checks([Check("get", 2.0, run)], Kernel(functions))
    assert said.voice == "almost"


def test_almost_tells_what_broke_and_the_schedule():
    said = result(scan=scan_that_trusts_count)
    assert (said.voice, said.points) == ("almost", 0)
    assert "that nobody held" in said.why
    assert said.schedule[0].startswith("  1  CPU ") and len(said.schedule) > 3
    text = str(Report("get", [said]))
    assert "Almost. Right alone, wrong under this schedule: " in text and said.schedule[-1] in text


def test_waiting_for_ever_is_almost_and_asks_who_could_end_it():
    said = result(get=get_that_waits_for_ever)
    assert said.voice == "almost" and "waits for ever" in said.why and "who would have to" in said.hint


def test_what_goes_wrong_on_one_cpu_is_not_right_alone():
    def leaves_it(hz):
        hz.refcount.set(7)

    said = result([shrinker()], scan=leaves_it)
    assert said.voice == "not yet" and said.schedule and "at rest the count is 7" in said.why


def test_an_exception_on_one_cpu_is_told_as_that():
    def raises(hz):
        return {}["x"]

    said = result(get=raises)
    assert said.voice == "not yet"
    assert said.why.startswith("get raised KeyError: 'x' (line ")
    assert said.why.endswith(': return {}["x"])')


def test_a_stub_is_not_started():
    def stub(hz):
        raise NotImplementedError()

    assert result(get=stub).voice == "not started"


def test_code_that_acts_differently_is_not_blamed_on_a_schedule():
    said = result(get=get_with_a_global_counter)
    assert said.voice == "not yet" and "acts differently" in said.why and not said.schedule


def test_a_loop_that_looks_at_nothing_is_shown_where_it_happens():
    said = result(get=get_that_spins_without_looking)
    assert "is there a loop that looks at nothing" in said.why and said.points == 0


def test_out_of_budget_is_inconclusive_and_no_pass_and_says_how_far_it_got():
    said = result(limit=100)
    assert (said.voice, said.points) == ("inconclusive", 0)
    assert "Every schedule of up to 6 operations was tried" in said.why
    assert "Inconclusive. Three CPUs: after 101 states" in str(Report("get", [said]))


def test_counting_without_end_is_inconclusive():
    def counts(hz):
        while True:
            hz.refcount.inc()

    said = result([shrinker()], scan=counts, limit=500)
    assert said.voice == "inconclusive" and "up to 498 operations" in said.why


def test_a_result_is_still_a_row_of_a_ledger():
    json.dumps(asdict(result(scan=scan_that_trusts_count)))


@pytest.fixture
def displayed(monkeypatch):
    """What a notebook would display."""
    import IPython.core.getipython
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.core.getipython, "get_ipython", lambda: object())
    monkeypatch.setattr(IPython.display, "display", shown.append)
    return shown


def test_a_notebook_draws_the_schedule_instead_of_telling_it(displayed):
    assert front.schedule
    said = result(scan=scan_that_trusts_count)
    Report("get", [said]).show()
    report, picture = displayed
    assert said.schedule[-1] not in report.html() and said.why[1:] in report.html()
    bundle = picture._repr_mimebundle_()
    text = (bundle[0] if isinstance(bundle, tuple) else bundle)["text/plain"]
    assert "CPU 2 · shrinker" in text


def test_without_a_schedule_there_is_nothing_to_draw(displayed):
    Report("get", [result()]).show()
    assert len(displayed) == 1


def test_memory_may_run_out():
    def get_that_trusts(hz):
        while not hz.refcount.inc_not_zero():
            folio = alloc_folio(9)
            hz.folio.set(folio)
            hz.refcount.set(2)
            folio.data.clear()
        return hz.folio.read()

    def run(kernel):
        every_schedule(kernel, [user()], at_end=at_rest, may_fail=True)

    (said,) = run_checks([Check("get", 1.0, run)], Kernel(kernel(get=get_that_trusts)))
    assert said.voice == "not yet" and "NoneType" in said.why
