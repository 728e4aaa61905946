"""Code that does what no kernel function can do, in a notebook: a message that names it, and never a hang."""

import sys
import time

import pytest
from hugezero.check.checks import Failed
from hugezero.check.function_under_test import subject
from hugezero.check.limits import CHECK_OPERATIONS
from hugezero.check.lint import guards, habits, in_words, told
from hugezero.check.refusals import REFUSED, Confinement, Refused
from hugezero.hw.cpu import SpinLock
from hugezero.machine import Kernel
from hugezero.mm.huge_memory import HUGE_ZERO
from hugezero.store import RunsOn, current

from ..bad_habits import ALL, DIFFERS, HANGS, REFUSALS, written
from ..bad_habits import told as was_told
from ..net.frozen import same
from .test_voices import checked

HEAD = "def spin_trylock(lock):\n"
RIGHT = "    return not lock.locked.test_and_set()"
LOOK = "lock.locked.test()"
LATE = "acts differently when it is run again"


def said_of(before, body):
    return checked(f"{HEAD}    pass\n{before}\n{HEAD}{body}", "spin_trylock")


def said_with(what):
    said = checked(f"{HEAD}    pass\n{written(HEAD + RIGHT, ALL[what], LOOK)}", "spin_trylock")
    same("points/habits_in_a_notebook", {what: said})
    return said


@pytest.mark.parametrize("what", REFUSALS)
def test_what_no_kernel_function_does_is_refused_by_name(what):
    said = said_with(what)
    assert "Not yet." in said and was_told(REFUSALS[what], "spin_trylock", said), said
    assert "0 of 1 points" in said


def test_an_operation_of_a_thread_that_was_there_before_is_refused():
    before = "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\npool.submit(len, 'x').result()"
    said = said_of(before, f"    pool.submit(lambda: {LOOK}).result()\n{RIGHT}")
    assert "an operation came from another thread" in said and "0 of 1 points" in said


@pytest.mark.parametrize("what", HANGS)
def test_what_has_no_end_is_ended_even_if_it_catches_everything(what):
    said = said_with(what)
    assert "Not yet." in said and was_told(HANGS[what], "spin_trylock", said), said


@pytest.mark.parametrize("what", DIFFERS)
def test_what_depends_on_more_than_the_machine_is_asked_again_and_told(what):
    said = said_with(what)
    assert LATE in said and was_told(DIFFERS[what], "spin_trylock", said), said
    assert "0 of 1 points" in said


def test_state_in_a_default_argument_is_told():
    body = f"    n.append(1)\n    if len(n) < 3:\n        lock.locked.test()\n{RIGHT}"
    made = "def make():\n    n = []\n    def spin_trylock(lock):\n" + body.replace("    ", "        ")
    said = checked(
        f"def spin_trylock(lock):\n    pass\n{made}\n    return spin_trylock\nspin_trylock = make()",
        "spin_trylock",
    )
    assert LATE in said and "it keeps something in n, a variable of the function around it" in said
    helper = "def helper(lock, n=[]):\n" + body
    said = checked(f"def spin_trylock(lock):\n    return helper(lock)\n{helper}", "spin_trylock")
    assert LATE in said and "it keeps something in the default argument n" in said


def test_state_in_a_file_is_told(tmp_path):
    file = tmp_path / "n"
    body = f"    n = len(open({str(file)!r}).read())\n    open({str(file)!r}, 'a').write('x')\n"
    file.write_text("")
    said = checked(f"{HEAD}{body}    if n < 2:\n        lock.locked.test()\n{RIGHT}", "spin_trylock")
    assert LATE in said and "it opens a file" in said


@pytest.mark.parametrize(
    ("before", "body"),
    [
        ("import time", "    print(time.time())"),
        ("import random", "    random.shuffle([1, 2])"),
        ("calls = []", "    calls.append(lock)"),
        ("", "    names = {id(lock): lock}\n    assert names[id(lock)] is lock"),
        ("", "    try:\n        lock.locked.test()\n    except:\n        raise"),
        ("import datetime", "    print(datetime.datetime.now(), datetime.timedelta(1))"),
        ("import functools\n@functools.lru_cache\ndef two():\n    return 2", "    two()"),
        ("def numbers():\n    yield 1", "    print(*numbers())"),
    ],
)
def test_what_has_no_effect_costs_nothing(before, body):
    said = said_of(before, f"{body}\n{RIGHT}")
    assert "1 of 1 points" in said, said


def test_nothing_is_left_of_the_confinement():
    before = [(whose, name, whose.__dict__[name]) for whose, name, *_ in REFUSED if hasattr(whose, name)]
    said_of("import time", "    time.sleep(1)")
    said_of("import random", "    random.random()\n" + RIGHT)
    assert all(whose.__dict__[name] is thing for whose, name, thing in before)
    assert sys.gettrace() is None


def test_only_the_students_own_calls_are_refused():
    confined = Confinement({})
    with confined(world=0):
        time.sleep(0)
        assert sys._getframe().f_code.co_name.startswith("test_only")
        assert id(confined) == id(confined) and time.time() < time.time() + 1
    mine = Confinement(globals())
    with pytest.raises(Refused, match="never waits"), mine():
        time.sleep(1)


# the words


def mixed(lock, box={}, *, n=1):  # noqa: B006
    global LATE
    LATE = str(LATE)
    import ctypes  # noqa: F401

    def inner():
        yield 1

    try:
        return inner, time.time(), lock.f_back
    except BaseException:
        return None


def test_everything_that_code_does_is_listed_once_and_three_of_it_are_told():
    assert habits(mixed) == [
        "it keeps something in the default argument box", "it keeps something in the global LATE", "it uses ctypes",
        "it uses time.time", "it walks frames", "it catches every exception", "there is a yield in inner",
    ]  # fmt: skip
    assert in_words(mixed).count("it ") == 3
    assert told("it is wrong", in_words(mixed)).startswith("it is wrong. Look: it keeps")
    assert guards(mixed) and not guards(said_of)


@pytest.mark.parametrize(
    "thing", [None, 3, len, int, str.join, lambda: 0, mixed.__call__, type("X", (), {})()]
)
def test_whatever_it_is_asked_about_it_never_raises(thing):
    assert isinstance(habits(thing), list) and in_words(thing) in ("", in_words(mixed))


def test_right_answers_have_no_habits():
    from solutions import lab1_zero_page

    functions = [f for f in vars(lab1_zero_page).values() if callable(f) and hasattr(f, "__code__")]
    assert functions and {f.__name__: habits(f) for f in functions if habits(f)} == {}


def test_who_is_left_behind_leaves_nothing_changed():
    """Code that no `finally` of ours ever ends, because it catches everything, still has what it changed put back."""

    def other(lock):
        return None

    names = {"other": other}
    code = "def endless(lock):\n    while True:\n        try:\n            other(lock)\n            lock.locked.test()\n        except BaseException:\n            pass\n"
    exec(compile(code, "<cell>", "exec"), names)
    before = current()
    function = subject("endless", names["endless"], calls=["other"])
    with Kernel({"other": other}).booted() as machine:
        with pytest.raises(Failed, match="was not done"):
            function(SpinLock(1))
        assert current() is machine
    assert current() is before and names["other"] is other


def test_who_has_differed_once_is_not_believed_in_later_checks():
    """The judge asks a new copy for each check; here a counter has long gone on, and the code is the same."""
    calls = []

    def counts(lock):
        calls.append(lock)
        return len(calls) < 2

    function = subject("counts", counts)
    with Kernel().booted():
        for _ in range(3):
            function.begin_check()
            function(SpinLock(1))
            with pytest.raises(Failed, match=LATE):
                function.asked_again()


def test_all_calls_of_a_check_together_have_a_limit():
    function = subject("look", lambda lock: lock.locked.test())
    with Kernel().booted():
        function.operations = CHECK_OPERATIONS
        with pytest.raises(RunsOn, match="1,000,000 operations in one check"):
            function(SpinLock(1))
        function.begin_check()
        assert function(SpinLock(1)) is False


def test_an_operation_that_makes_no_sense_ends_the_call_whatever_catches_it():
    def adds(hz):
        try:
            current().op((hz, "refcount"), "add", ("x",))
        except Exception:
            return "hidden"

    with Kernel().booted(), pytest.raises(Failed, match=r"refcount.add\('x'\) makes no sense to the machine"):
        subject("adds", adds)(HUGE_ZERO)
