"""What bad input there is, a submission each: the answers of the toy lab, and notebooks that are none."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell

from autograder.prove.submissions import answered
from tests.bad_habits import DIFFERS, written

HEAD = "def put_coins(purse, n):\n"
RIGHT = HEAD + "    purse.coins.add(n)\n    return purse.coins.read()\n"

# Answers to put_coins that are right, and do something else besides: full points.
HARMLESS = {
    "writes-to-standard-error": "import sys\nprint('!', file=sys.stderr)\n"
    + RIGHT.replace(HEAD, HEAD + "    print('!', file=sys.stderr)\n"),
    "warns": "import warnings\nwarnings.warn('careful')\n"
    + RIGHT.replace(HEAD, HEAD + "    warnings.warn('careful')\n"),
    "prints-100-MB": "for _ in range(100):\n    print('x' * 10**6)\n" + RIGHT,
    "prints-in-the-function": RIGHT.replace(HEAD, HEAD + "    print('x' * 10**5)\n"),
    "prefix-arguments-by-name": RIGHT.replace("purse.coins.read()", "purse.coins.read(*[], **{})"),
    "reads-more-than-it-needs": RIGHT.replace(HEAD, HEAD + "    for _ in range(50):\n        purse.coins.read()\n"),
    "catches-everything": HEAD + "    try:\n        purse.coins.add(n)\n    except:\n        pass\n"
    "    return purse.coins.read()\n",
}  # fmt: skip

# Answers that cost the check: no points, and what is told about it.
COSTS = {
    "os-exit": (HEAD + "    import os\n    os._exit(0)", "ended the whole process"),
    "breaks-the-process": (
        HEAD + "    import signal\n    signal.raise_signal(signal.SIGKILL)",
        "ended the whole process",
    ),
    "sys-exit": (HEAD + "    import sys\n    sys.exit()", "SystemExit"),
    "raises-SystemExit": (HEAD + "    raise SystemExit(0)", "SystemExit"),
    "loops-without-operations": (HEAD + "    while True:\n        pass", "ran 200,000 lines"),
    "loops-with-operations": (HEAD + "    while True:\n        purse.coins.add(n)", "was not done"),
    "loops-and-catches": (
        HEAD
        + "    while True:\n        try:\n            purse.coins.add(n)\n        except:\n            pass",
        "was not done",
    ),
    "waits": (
        HEAD + "    import queue\n    queue.SimpleQueue().get()",
        "waited for 5 s without one operation on the machine. Look: it uses queue",
    ),
    "takes-10-GB": (HEAD + "    return len(bytearray(10 * 2**30))", "MemoryError"),
    "fork-bomb": (HEAD + "    import os\n    while True:\n        os.fork()", "calls os.fork()"),
    "fork-bomb-by-hand": (
        HEAD + "    import posix\n    while True:\n        posix.fork()",
        "BlockingIOError",
    ),
    "starts-threads": (
        HEAD + "    import threading\n    threading.Thread(target=print).start()",
        "calls a thread's start()",
    ),
    "starts-threads-by-hand": (
        HEAD + "    import _thread\n    _thread.start_new_thread(print, ())",
        "can't start new thread",
    ),
    "writes-a-large-file": (HEAD + "    open('f', 'wb').write(bytes(2**21))", "OSError"),
    "acts-differently": (
        "import itertools\nonce = itertools.count()\n"
        + HEAD
        + "    purse.coins.add(n)\n    now = purse.coins.read()\n    return now if next(once) < 2 else now + 1",
        "acts differently",
    ),
}
COSTS |= {
    f"differs-by-{what.replace(' ', '-')}": (
        written(RIGHT, DIFFERS[what], "purse.coins.read()"),
        DIFFERS[what][2],
    )
    for what in ("random", "time", "id", "a global", "a default argument")
}

# Answers that try to be worth more than they are: no points.
GAINS_NOTHING = {
    "returns-what-equals-everything": "class Yes(int):\n    __eq__ = lambda *a: True\n    __hash__ = int.__hash__\n"
    + HEAD
    + "    return Yes()",
    "patches-assert": "import hugezero.check.checks as c\nc.expect = lambda *a, **k: None\nc.Failed = None\n"
    "c.CHECKS.clear()\nimport builtins\nbuiltins.AssertionError = None\n" + HEAD + "    return 5",
    "redefines-check": "def check(name):\n    return 4.0\n" + HEAD + "    return 0",
    "patches-hooks": "import sys\nip = get_ipython()\nip.display_formatter.format = lambda *a, **k: ({'text/plain': '4.0'}, {})\n"
    "sys.displayhook = lambda v: None\nip.events.register('post_execute', lambda: print('4.0'))\n" + HEAD + "    return 0",
    "forges-messages": HEAD + "    return 0\n"
    "import threading\n"
    "def forge():\n"
    "    k = get_ipython().kernel\n"
    "    while True:\n"
    "        k.session.send(k.iopub_socket, 'execute_result', {'data': {'text/plain': '4.0'}, 'metadata': {},\n"
    "                       'execution_count': 1}, parent=k.get_parent('shell'))\n"
    "threading.Timer(0.1, forge)\n"
    "ip = get_ipython()\n"
    "ip.events.register('pre_execute', lambda: ip.kernel.session.send(ip.kernel.iopub_socket, 'execute_result',\n"
    "    {'data': {'text/plain': '4.0'}, 'metadata': {}, 'execution_count': 1}, parent=ip.kernel.get_parent('shell')))",
    "speaks-to-the-socket": "import os\nfrom hugezero.remote import messages\nimport hugezero.remote.answering as a\n"
    "def serve(names, path=None):\n"
    "    s = messages.dial(os.environ['HUGEZERO_JUDGE'])\n"
    "    q = messages.question.decode(s.recv(messages.SIZE))\n"
    "    s.send(messages.encode(messages.Looks(q.n, '')))\n"
    "    while m := s.recv(messages.SIZE):\n"
    "        q = messages.question.decode(m)\n"
    "        s.send(messages.encode(messages.Return(q.n, True)))\n"
    "a.serve = serve\n" + HEAD + "    return 0",
    "says-points": "import os\nfrom hugezero.remote import messages\nimport hugezero.remote.answering as a\n"
    "def serve(names, path=None):\n"
    "    s = messages.dial(os.environ['HUGEZERO_JUDGE'])\n"
    "    s.recv(messages.SIZE)\n"
    "    s.send(b'{\"points\": 4.0, \"voice\": \"done\"}')\n"
    "a.serve = serve\n" + HEAD + "    return 0",
    "answers-twice": "import hugezero.remote.answering as a\nsend = a._Line.send\n"
    "def twice(self, reply):\n    send(self, reply)\n    send(self, reply)\n"
    "a._Line.send = twice\n" + RIGHT,
    "never-answers": "import hugezero.remote.answering as a\na.serve = lambda *x: None\n" + RIGHT,
    "sleeps-where-it-should-answer": "import time\nimport hugezero.remote.answering as a\n"
    "a.serve = lambda *x: time.sleep(10**6)\n" + RIGHT,
    "works-where-it-should-answer": "import hugezero.remote.answering as a\n"
    "def serve(*x):\n    while True:\n        pass\na.serve = serve\n" + RIGHT,
    "opens-the-gradebook": "import os\nfound = []\nfor d, inner, fs in os.walk('/'):\n"
    "    inner[:] = [name for name in inner if name not in ('proc', 'sys', 'usr', 'lib', 'site-packages')]\n"
    "    found += [os.path.join(d, f) for f in fs if f.endswith('.db') or 'lab9' in f]\n"
    "assert not found, found\n" + HEAD + "    return found",
    "imports-solutions": HEAD + "    import solutions.lab9_toy as s\n    return s.put_coins(purse, n)",
    "imports-the-grader": HEAD + "    import autograder.labs.lab9.hidden\n    return 5",
    "uses-what-it-was-not-given": HEAD + "    Purse(99).coins.add(n)\n    return 5",
    "invents-an-operation": HEAD + "    from hugezero.store import current\n"
    "    return current().op((purse, 'coins'), 'clear', ())",
    "writes-what-no-cell-holds": HEAD + "    from hugezero.store import current\n"
    "    current().op((purse, 'coins'), 'set', ([1],))\n    return 5",
    "adds-half-a-coin": HEAD + "    purse.coins.add(n / 1)\n    return purse.coins.read()",
}  # fmt: skip

# What an honest answer would get that returns the same: 5 is right once.
HONESTLY = dict.fromkeys(("patches-assert",), 2.0)

# Things that cannot be called as they should: the message says what they are.
MISUNDERSTANDS = {
    "no-function": ("put_coins = 5", "not a function"),
    "nothing-there": ("pass", "there is no put_coins"),
    "wrong-signature": (
        "def put_coins(purse):\n    return 5",
        "takes (purse), and is called with 2 arguments",
    ),
    "a-generator": (HEAD + "    yield 5", "yield"),
    "a-coroutine": ("async " + HEAD + "    return 5", "async"),
    "recursion-without-end": (HEAD + "    return put_coins(purse, n)", "calls itself without end"),
    "an-exception": (HEAD + "    return purse.coin", "has no field 'coin': did you mean coins?"),
    "a-syntax-error": ("def put_coins(purse, n)\n    return 5", "there is no put_coins"),
}

# Cells that end or hold up the kernel itself.
ENDS_THE_KERNEL = {
    "exits-while-defining": "import os\nos._exit(0)\n" + RIGHT,
    "loops-while-defining": "while True:\n    pass\n" + RIGHT,
    "fork-bombs-while-defining": "import os\nwhile True:\n    os.fork()\n" + RIGHT,
}


def _cell(notebook: Any, name: str) -> Any:
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def _without(notebook: Any, name: str) -> Any:
    made = copy.deepcopy(notebook)
    made.cells.remove(_cell(made, name))
    return made


def shuffled(perfect: Any) -> dict[str, Any]:
    """Perfect notebooks whose cells were tampered with."""
    doubled, moved, retyped, renamed, marked, edited, mine, playing = (
        copy.deepcopy(perfect) for _ in range(8)
    )
    again = copy.deepcopy(_cell(doubled, "put_coins"))
    again["id"] = "another"
    doubled.cells.append(again)
    moved.cells.append(moved.cells.pop(moved.cells.index(_cell(moved, "put_coins"))))
    cell = _cell(retyped, "put_coins")
    retyped.cells[retyped.cells.index(cell)] = nbformat.v4.new_raw_cell(cell.source, metadata=cell.metadata)
    _cell(renamed, "put_coins").metadata["nbgrader"]["grade_id"] = "mine"
    _cell(marked, "put_coins").metadata["nbgrader"].update(points=100, grade=True, solution=False)
    _cell(edited, "check_put_coins").source = "9999.0"
    mine.cells.insert(1, new_code_cell("1 / 0", id="mine-1"))
    mine.cells.insert(4, new_code_cell("def helper(x):\n    return x", id="mine-2"))
    _cell(mine, "put_coins").source += "\n\n\nput_coins(None, helper_of_mine) if False else None"
    for cell in playing.cells:
        if cell.source == "2 + 2":
            cell.source = "def put_coins(purse, n):\n    return -1"
    lost, all_lost, split, shown = (copy.deepcopy(perfect) for _ in range(4))
    for notebook, names in (
        (lost, ["put_coins"]),
        (all_lost, [c.metadata.get("nbgrader", {}).get("grade_id") for c in perfect.cells]),
    ):
        for name in filter(None, names):
            cell = _cell(notebook, name)
            cell.metadata, cell["id"] = {}, f"other-{name}".replace("_", "-")
    cell = _cell(split, "put_coins")
    half = copy.deepcopy(cell)
    half["id"], half.source = "half", cell.source.replace("purse.coins.read()", "amount(purse)")
    cell.source = "def amount(purse):\n    return purse.coins.read()"
    split.cells.insert(split.cells.index(cell) + 1, half)
    next(
        cell for cell in shown.cells if cell.id == "given"
    ).source += "\n\n\ndef amount(purse):\n    return purse.coins.read()"
    _cell(shown, "put_coins").source = half.source
    return {
        "lost": lost, "all-lost": all_lost, "split": split, "helper-in-a-course-cell": shown,
        "missing": _without(perfect, "put_coins"), "doubled": doubled, "moved": moved, "retyped": retyped,
        "renamed": renamed, "marked": marked, "test-edited": edited, "test-deleted": _without(perfect, "check_put_coins"),
        "extra-cells": mine, "course-cell-edited": playing,
    }  # fmt: skip


def no_notebooks(perfect: Any) -> dict[str, bytes]:
    """Bytes that are no notebook that can be graded."""
    text = nbformat.writes(perfect, 4)
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [], "metadata": {}}]}
    large = copy.deepcopy(perfect)
    large.cells[1]["outputs"] = [nbformat.v4.new_output("stream", text="x" * (50 << 20))]
    return {
        "not-json": b"hello", "empty": b"", "truncated": text[: len(text) // 2].encode(), "not-text": b"\xff\xfe\x00",
        "version-3": json.dumps(old).encode(), "50-MB": nbformat.writes(large, 4).encode(),
        "a-list": b"[]", "cells-that-are-none": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3, "x"]}',
        "odd-cells": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": 3, "cells": [{"metadata": [], "source": {"a": 1}}]}',
    }  # fmt: skip


def _conflict(perfect: Any) -> bytes:
    """A notebook that git could not merge."""
    first, rest = nbformat.writes(perfect, 4).split("\n", 1)
    return f"{first}\n<<<<<<< HEAD\n{rest}\n=======\n{rest}\n>>>>>>> mine\n".encode()


def odd_files(perfect: Any) -> dict[str, bytes]:
    """Perfect notebooks whose files are not as JupyterLab writes them."""
    text = nbformat.writes(perfect, 4)
    surrogate = text.replace("one operation: nothing", "one operation \\ud83d: nothing")
    assert surrogate != text
    return {
        "byte-order-mark": b"\xef\xbb\xbf" + text.encode(), "utf-16": text.encode("utf-16"),
        "latin-1": text.encode("latin-1", "replace"), "half-a-character": surrogate.encode(),
        "windows-lines": text.replace("\n", "\r\n").encode(),
    }  # fmt: skip


def with_put_coins(perfect: Any, answers: Mapping[str, str]) -> dict[str, Any]:
    """Perfect notebooks, but for their put_coins."""
    return {student: answered(perfect, {"put_coins": text}) for student, text in answers.items()}


def all_of_them(perfect: Any, blank: Any) -> dict[str, Any]:
    """Every submission, by student."""
    told = {**COSTS, **MISUNDERSTANDS}
    answers = {**HARMLESS, **{k: text for k, (text, _) in told.items()}, **GAINS_NOTHING, **ENDS_THE_KERNEL}
    half = answered(blank, {"put_coins": RIGHT.replace("add", "set")})
    return {
        **with_put_coins(perfect, answers), **shuffled(perfect), **no_notebooks(perfect), **odd_files(perfect),
        "conflict": _conflict(perfect), "perfect": perfect, "blank": blank, "half": half,
    }  # fmt: skip


def no_notebooks_names() -> list[str]:
    return list(no_notebooks(nbformat.v4.new_notebook(cells=[new_code_cell(), new_code_cell()])))
