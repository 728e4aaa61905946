"""What a kernel function cannot do, written into a right one: for tests of every way in which code is judged.

A habit is (what stands before the function, what its body begins with, what is said about it). {name} is the
function, and {look} one operation with which it only looks at the machine: see `written`.
"""

REFUSALS = {
    "sleeps": ("import time", "    time.sleep(10**6)", "calls time.sleep()"),
    "sleeps by name": ("from time import sleep", "    sleep(10**6)", "calls time.sleep()"),
    "imports inside, and sleeps": ("", "    from time import sleep\n    sleep(10**6)", "calls time.sleep()"),
    "sleeps and catches": ("import time", "    try:\n        time.sleep(10**6)\n    except:\n        pass", "calls time.sleep()"),
    "asks the user": ("", "    input()", "calls input()"),
    "starts a thread": ("import threading", "    threading.Thread(target=print).start()", "calls a thread's start()"),
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
    "spins": ("", "    while True:\n        pass", "ran 200,000 lines"),
    "spins on a value nobody changes": ("", "    while {look} != 'never':\n        pass", "50,000 operations|waits for ever"),
    "spins in a helper": ("def helper():\n    while True:\n        pass", "    helper()", "ran 200,000 lines|catches every exception"),
    "spins and catches": ("", "    while True:\n        try:\n            pass\n        except:\n            pass", "catches every exception"),
    "asks and catches": (
        "",
        "    while True:\n        try:\n            {look}\n        except BaseException:\n            pass",
        "catches every exception",
    ),
    "spins in finally": ("", "    while True:\n        try:\n            pass\n        finally:\n            continue", "ran 200,000 lines|catches every exception"),
}  # fmt: skip

DIFFERS = {
    "random": ("import random", "    if random.random() < 0.5:\n        {look}", "it uses random.random"),
    "random by name": ("from random import randint", "    if randint(0, 1):\n        {look}", "it uses randint of random"),
    "time": ("import time", "    if time.time() % 2 < 1:\n        {look}", "it uses time.time"),
    "time by name": ("from time import time_ns as now", "    if now() % 2:\n        {look}", "it uses now of time"),
    "the date": ("import datetime", "    if datetime.datetime.now().day % 2:\n        {look}", "it uses datetime.datetime"),
    "id": ("", "    if id({name}) % 64 < 32:\n        {look}", "it asks for id()"),
    "hash": ("", "    if hash('x') & 16:\n        {look}", "it asks for hash()"),
    "a global": ("calls = 0", "    global calls\n    calls += 1\n    if calls < 3:\n        {look}", "it keeps something in the global calls"),
    "a list": ("seen = []", "    seen.append(1)\n    if len(seen) < 3:\n        {look}", "it keeps something in the global seen"),
    "an iterator": ("import itertools\nn = itertools.count()", "    if next(n) < 2:\n        {look}", "the global n"),
    "an attribute": (
        "",
        "    {name}.n = getattr({name}, 'n', 0) + 1\n    if {name}.n < 3:\n        {look}",
        "it keeps something in {name}.n",
    ),
    "a default argument": (
        "def helper(n=[]):\n    n.append(1)\n    return len(n)",
        "    if helper() < 3:\n        {look}",
        "it keeps something in the default argument n",
    ),
    "a closure": (
        "def made():\n    n = [0]\n    def helper():\n        n[0] += 1\n        return n[0]\n    return helper\nhelper = made()",
        "    if helper() < 3:\n        {look}",
        "it keeps something in n, a variable of the function around it",
    ),
    "a file": (
        "import tempfile\nn = tempfile.TemporaryFile()",
        "    n.write(b'x')\n    if n.tell() < 3:\n        {look}",
        "it keeps something in the global n",
    ),
    "a class": ("class Box:\n    n = 0", "    Box.n += 1\n    if Box.n < 3:\n        {look}", "it keeps something in Box.n"),
}  # fmt: skip

ALL = {**REFUSALS, **HANGS, **DIFFERS}


def written(source: str, habit: tuple[str, ...], look: str) -> str:
    """The function in *source* with a *habit*."""
    lines = source.strip("\n").split("\n")
    name = lines[0].removeprefix("def ").partition("(")[0]
    before, body = (text.replace("{name}", name).replace("{look}", look) for text in habit[:2])
    rest = 1
    if len(lines) > 1 and lines[1].lstrip().startswith('"""'):
        rest = next(n for n, line in enumerate(lines[1:], 2) if line.endswith('"""'))
    return "\n".join([before, *lines[:rest], body, *lines[rest:]]) + "\n"


def told(habit: tuple[str, ...], name: str, said: str) -> bool:
    """Is what there is to say about it part of what was *said*? One of several, where places differ."""
    return any(text.replace("{name}", name) in said for text in habit[2].split("|"))
