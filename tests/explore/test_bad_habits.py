"""What code under every schedule may not do, here and across the judge's socket: named, and never a hang."""

import inspect

import pytest
from hugezero.check.checks import Failed, Inconclusive
from hugezero.check.schedules import every_schedule
from hugezero.explore.search import explore
from hugezero.machine import Kernel

from autograder.judge.channel import Unanswered

from ..bad_habits import ALL, DIFFERS, HANGS, told, written
from ..net.frozen import same
from . import versions
from .answering import answering
from .versions import at_rest, kernel, shrinker, user

THREADS = [user(), user(), shrinker()]
LOOK = "hz.refcount.read()"


def get_with(habit):
    """`get` with a habit, in a namespace of its own as a notebook has it."""
    names = {**vars(versions)}
    exec(compile(written(inspect.getsource(versions.get), habit, LOOK), "<a cell>", "exec"), names)
    return names["get"]


def said_here(get):
    functions = kernel(get=get)
    try:
        every_schedule(Kernel(functions), THREADS, at_end=at_rest, limit=5_000)
        functions["get"].asked_again()
    except Failed as failed:
        assert not isinstance(failed, Inconclusive), failed.why
        return failed.why
    return ""


@pytest.mark.parametrize("what", ALL)
def test_here_it_is_named(what):
    said = said_here(get_with(ALL[what]))
    same("points/habits_in_a_search", {what: said})
    assert told(ALL[what], "get", said)


@pytest.mark.parametrize("what", DIFFERS)
def test_what_differs_is_told_as_that(what):
    assert "acts differently when it is run again" in said_here(get_with(DIFFERS[what]))


def said_there(get):
    with answering(get=get) as functions:
        get = functions["get"]
        try:
            found = explore(functions, THREADS, at_end=at_rest, limit=5_000)
            if found.bug is None:
                get.asked_again()
        except Failed as failed:
            return failed.why
        except Unanswered as end:
            return f"{end}. {get.transport.habits}"
    return found.bug or ""


@pytest.mark.parametrize(
    "what", ["sleeps", "sleeps and catches", "takes a lock of Python's", "walks frames", *DIFFERS]
)
def test_in_another_process_it_is_named(what):
    said = said_there(get_with(ALL[what]))
    same("points/habits_in_a_search", {f"{what}, in another process": said})
    assert told(ALL[what], "get", said)


@pytest.mark.parametrize("what", ["spins", "spins on a value nobody changes", "asks and catches"])
def test_in_another_process_it_never_hangs(what):
    said = said_there(get_with(HANGS[what]))
    same("points/habits_in_a_search", {f"{what}, in another process": said})
    assert told(HANGS[what], "get", said)


def test_a_generator_inside_is_as_good_as_a_loop():
    habit = "def tries():\n    while True:\n        yield 1\n", "    next(tries())", ""
    assert said_here(get_with(habit)) == "" == said_there(get_with(habit))
