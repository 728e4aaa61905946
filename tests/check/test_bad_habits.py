"""Code that does what no kernel function can do, in a notebook: a message that names it, and never a hang."""

import sys
import time

import pytest
from hugezero.check.confined import REFUSED, Confined, Refused
from hugezero.check.habits import guards, habits, in_words, told

from .test_voices import checked

HEAD = "def spin_trylock(lock):\n"
RIGHT = "    return not lock.locked.test_and_set()"
LATE = "acts differently when it is run again"

REFUSALS = {
    "sleeps": ("import time", "    time.sleep(10**6)", "calls time.sleep()"),
    "sleeps by name": ("from time import sleep", "    sleep(10**6)", "calls time.sleep()"),
    "imports inside, and sleeps": ("", "    from time import sleep\n    sleep(10**6)", "calls time.sleep()"),
    "sleeps and catches": ("import time", "    try:\n        time.sleep(10**6)\n    except:\n        pass", "calls time.sleep()"),
    "asks the user": ("", "    input()", "calls input()"),
    "starts a thread": ("import threading", "    threading.Thread(target=print).start()", "calls a thread's start()"),
    "starts a pool": (
        "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\nprint(pool.submit(len, 'x').result())",
        "    pool.submit(lock.locked.test).result()",
        "an operation came from another thread",
    ),
    "makes a lock": ("import threading", "    mine = threading.Lock()\n    mine.acquire()\n    mine.acquire()", "threading.Lock()"),
    "takes a lock of Python's": ("import threading\nmine = threading.Lock()\nmine.acquire()", "    mine.acquire()", "uses the lock mine"),
    "stands in a lock": ("import threading\nmine = threading.Lock()\nmine.acquire()", "    with mine:\n        pass", "uses the lock mine"),
    "runs an event loop": ("import asyncio", "    asyncio.run(None)", "calls asyncio.run()"),
    "forks": ("import os", "    os.fork()", "calls os.fork()"),
    "ends the process": ("import os", "    os._exit(0)", "would have ended the whole process"),
    "starts a program": ("import subprocess", "    subprocess.run(['true'])", "calls subprocess"),
    "listens": ("import socket", "    socket.socket().accept()", "calls a socket"),
    "switches the trace off": ("import sys", "    sys.settrace(None)\n    while True:\n        pass", "calls sys.settrace()"),
    "by another name": ("from sys import settrace as s", "    s(None)\n    while True:\n        pass", "calls sys.settrace()"),
    "walks frames": ("import sys", "    sys._getframe(1).f_locals", "calls sys._getframe()"),
}  # fmt: skip

HANGS = {
    "spins": ("", "    while True:\n        pass", "ran 200,000 lines and was not done"),
    "spins on a value nobody changes": ("", "    while not lock.locked.test():\n        pass", "did 20,000 operations"),
    "spins in a helper": ("def helper():\n    while True:\n        pass", "    helper()", "ran 200,000 lines"),
    "spins and catches": ("", "    while True:\n        try:\n            pass\n        except:\n            pass", "it catches every exception"),
    "asks and catches": (
        "",
        "    while True:\n        try:\n            lock.locked.test()\n        except BaseException:\n            pass",
        "it catches every exception",
    ),
    "spins in finally": ("", "    while True:\n        try:\n            pass\n        finally:\n            continue", "ran 200,000 lines"),
}  # fmt: skip

DIFFERS = {
    "random": ("import random", f"    if random.random() < 0.5:\n        lock.locked.test()\n{RIGHT}", "it uses random.random"),
    "random by name": ("from random import randint", f"    if randint(0, 1):\n        lock.locked.test()\n{RIGHT}", "it uses randint of random"),
    "time": ("import time", f"    if time.time() % 2 < 1:\n        lock.locked.test()\n{RIGHT}", "it uses time.time"),
    "time by name": ("from time import time_ns as now", f"    if now() % 2:\n        lock.locked.test()\n{RIGHT}", "it uses now of time"),
    "the date": ("import datetime", f"    if datetime.datetime.now().day % 2:\n        lock.locked.test()\n{RIGHT}", "it uses datetime.datetime"),
    "id": ("", f"    if id(lock) % 64 < 32:\n        lock.locked.test()\n{RIGHT}", "it asks for id()"),
    "hash": ("", f"    if hash('x') & 16:\n        lock.locked.test()\n{RIGHT}", "it asks for hash()"),
    "a global": ("n = 0", f"    global n\n    n += 1\n    if n < 3:\n        lock.locked.test()\n{RIGHT}", "it keeps something in the global n"),
    "a list": ("seen = []", f"    seen.append(1)\n    if len(seen) < 3:\n        lock.locked.test()\n{RIGHT}", "it keeps something in the global seen"),
    "an iterator": ("import itertools\nn = itertools.count()", f"    if next(n) < 2:\n        lock.locked.test()\n{RIGHT}", "the global n"),
    "an attribute": (
        "",
        f"    spin_trylock.n = getattr(spin_trylock, 'n', 0) + 1\n    if spin_trylock.n < 3:\n        lock.locked.test()\n{RIGHT}",
        "it keeps something in spin_trylock.n",
    ),
    "a class": ("class Box:\n    n = 0", f"    Box.n += 1\n    if Box.n < 3:\n        lock.locked.test()\n{RIGHT}", "it keeps something in Box.n"),
}  # fmt: skip


def said_of(before, body):
    return checked(f"{HEAD}    pass\n{before}\n{HEAD}{body}", "spin_trylock")


@pytest.mark.parametrize("what", REFUSALS)
def test_what_no_kernel_function_does_is_refused_by_name(what):
    before, body, message = REFUSALS[what]
    said = said_of(before, f"{body}\n{RIGHT}")
    assert "Not yet." in said and message in said, said
    assert "0 of 1 points" in said


@pytest.mark.parametrize("what", HANGS)
def test_what_has_no_end_is_ended_even_if_it_catches_everything(what):
    before, body, message = HANGS[what]
    said = said_of(before, f"{body}\n{RIGHT}")
    assert "Not yet." in said and message in said, said


@pytest.mark.parametrize("what", DIFFERS)
def test_what_depends_on_more_than_the_machine_is_asked_again_and_told(what):
    before, body, message = DIFFERS[what]
    said = said_of(before, body)
    assert LATE in said and message in said, said
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
    confined = Confined({})
    with confined(), confined.elsewhere():
        time.sleep(0)
        assert sys._getframe().f_code.co_name.startswith("test_only")
        assert id(confined) == id(confined) and time.time() < time.time() + 1
    mine = Confined(globals())
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
