"""A small course of one lab, so that the judge's tests do not depend on the text of real labs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

STEM = "lab9_toy"
STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()"

HANDLES = '''
from hugezero import store


class Purse(store.Handle):
    """A thing that holds coins."""

    __slots__ = ()
    coins = store.Atomic(0, "how many", store.Counter)
    open = store.Atomic(False, "can one take from it?", store.Flag)
    owner = store.Atomic(None, "whose it is")
'''

SOLUTION = '''"""Coins."""


def put_coins(purse, n):
    """Put *n* coins into *purse*.

    Returns how many there are now.
    """
    purse.coins.add(n)  # one operation: nothing can get between
    return purse.coins.read()


def take_coin(purse):
    """Take a coin; says whether there was one."""
    while purse.coins.read():
        n = purse.coins.read()
        if purse.coins.cmpxchg(n, n - 1) == n:
            return True
    return False


def count_all(purses):
    """How many coins are in all *purses*."""
    total = 0
    for purse in purses:
        total += purse.coins.read()
    return total
'''

PLANTED = '''def count_all(purses):
    """How many coins are in all *purses*."""
    total = 0
    for purse in purses:
        total = purse.coins.read()
    return total'''

OPEN = '''"""Open checks of the toy lab."""
from hugezero.check.checks import check, expect
from hugezero.mm.vmstat import VMSTAT
from hugezero.store import Atomic, Counter, Flag, Handle


class Purse(Handle):
    """A thing that holds coins."""

    __slots__ = ()
    coins = Atomic(0, "how many", Counter)
    open = Atomic(False, "can one take from it?", Flag)
    owner = Atomic(None, "whose it is")


@check("put_coins", points=1)
def coins_add_up(kernel):
    """Two coins and three are five."""
    with kernel.booted() as machine:
        kernel.put_coins(Purse(1), 2)
        n = kernel.put_coins(Purse(1), 3)
    expect(n == 5, f"after 2 and 3 there are {n!r}; there should be 5", hint="what does add give back?")


@check("take_coin", points=2)
def takes_one(kernel):
    """A coin is taken where there is one."""
    with kernel.booted() as machine:
        Purse(2).coins.set(3)
        took = kernel.take_coin(Purse(2))
        left = Purse(2).coins.read()
    expect(took is True and left == 2, f"took {took!r}, and {left} of 3 are left")


@check("count_all", points=1)
def counts_every_purse(kernel):
    """All purses are counted."""
    with kernel.booted() as machine:
        Purse(1).coins.set(3)
        Purse(2).coins.set(4)
        n = kernel.count_all((Purse(1), Purse(2)))
    expect(n == 7, f"3 and 4 coins, and it says {n!r}")
'''

HIDDEN = '''"""Hidden checks of the toy lab: canary-5519."""
from hugezero.check.checks import check, expect
from hugezero.labs.lab9.checks import Purse, coins_add_up, counts_every_purse, takes_one
from hypothesis import given, settings, strategies


@check("put_coins", points=2, needs=coins_add_up)
def any_number_of_coins(kernel):
    """Whatever is put in is there."""

    @settings(max_examples=100, derandomize=True, database=None, deadline=None)
    @given(strategies.lists(strategies.integers(0, 99), max_size=6))
    def law(numbers):
        with kernel.booted() as machine:
            n = 0
            for number in numbers:
                n = kernel.put_coins(Purse(7), number)
        expect(n == sum(numbers), f"put in {numbers}: there should be {sum(numbers)}, and it says {n!r}")

    law()


@check("put_coins", points=1, needs=coins_add_up)
def leaves_the_purse_alone(kernel):
    """Nothing but the coins changes."""
    with kernel.booted() as machine:
        Purse(3).owner.set("you")
        kernel.put_coins(Purse(3), 1)
        owner = Purse(3).owner.read()
    expect(owner == "you", f"the purse belongs to {owner!r} now")


@check("take_coin", points=1, needs=takes_one)
def takes_none_from_an_empty_purse(kernel):
    """An empty purse stays empty."""
    with kernel.booted() as machine:
        took = kernel.take_coin(Purse(4))
        left = Purse(4).coins.read()
    expect(took is False and left == 0, f"took {took!r}, and {left} are left")


@check("count_all", points=1, needs=counts_every_purse)
def no_purse_no_coins(kernel):
    """Without a purse there is nothing."""
    with kernel.booted() as machine:
        n = kernel.count_all(())
    expect(n == 0, f"no purse, and it says {n!r}")
'''

MUTANTS = '''"""Known mistakes."""
from autograder.prove.mutant import Mutant

MUTANTS = [
    Mutant("forgets the purse", "put_coins", "purse.coins.add(n)", "purse.coins.set(n)", "coins_add_up",
           "You put the coins in place of those that were there."),
    Mutant("takes from nothing", "take_coin", "    return False", "    return True", "takes_none_from_an_empty_purse",
           "You say yes to whoever asks."),
    Mutant("only the last", "count_all", "total += ", "total = ", "counts_every_purse", "You keep only the last purse."),
    Mutant("nine at most", "put_coins", "add(n)", "add(min(n, 9))", "any_number_of_coins", "Purses are larger."),
    Mutant("takes the purse", "put_coins", "    purse.coins.add(n)", "    purse.owner.set(None)\\n    purse.coins.add(n)",
           "leaves_the_purse_alone", "It is not yours."),
    Mutant("takes two", "take_coin", "n - 1", "n - 2", "takes_one", "You take more than you were given."),
    Mutant("never nothing", "count_all", "return total", "return total or None", "no_purse_no_coins", "None is not 0."),
]
EQUIVALENTS = [
    Mutant("reads once", "take_coin", source="""
def take_coin(purse):
    while (n := purse.coins.read()):
        if purse.coins.cmpxchg(n, n - 1) == n:
            return True
    return False
"""),
]
'''  # fmt: skip


def _answer(name: str, text: str, **metadata: Any) -> Any:
    marks = {
        "grade": False,
        "grade_id": name,
        "locked": False,
        "schema_version": 3,
        "solution": True,
        "task": False,
    }
    cell = new_code_cell(text, id=f"id-{name}".replace("_", "-"))
    cell.metadata.update({"nbgrader": {**marks, "cell_type": "code"}, **metadata})
    return cell


def _graded(name: str, points: int) -> Any:
    marks = {
        "grade": True,
        "grade_id": f"check_{name}",
        "locked": True,
        "points": points,
        "schema_version": 3,
    }
    cell = new_code_cell(f'check("{name}")', id=f"id-check-{name}".replace("_", "-"))
    cell.metadata["nbgrader"] = {**marks, "solution": False, "task": False, "cell_type": "code"}
    return cell


def _stub(name: str) -> str:
    import ast

    node = next(n for n in ast.parse(SOLUTION).body if isinstance(n, ast.FunctionDef) and n.name == name)
    head = SOLUTION.splitlines()[node.lineno - 1 : node.body[0].end_lineno]
    return "\n".join([*head, STUB])


def notebook() -> Any:
    """The toy lab's notebook, as its author wrote it."""
    nb = new_notebook()
    nb.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nb.cells = [
        new_markdown_cell("# Coins – «élan»", id="title"),
        new_code_cell(HANDLES.strip(), id="given"),
        _answer("put_coins", _stub("put_coins")),
        _graded("put_coins", 4),
        new_code_cell("2 + 2", id="play"),
        _answer("take_coin", _stub("take_coin")),
        _graded("take_coin", 3),
        _answer("count_all", PLANTED, tags=["repair"]),
        _graded("count_all", 2),
        *(new_markdown_cell(f"Text {n}, as between the cells of a lab.", id=f"text-{n}") for n in range(4)),
    ]
    return nb


def make(root: Path) -> Path:
    """Write the course into *root*."""
    for path, text in (
        (f"solutions/{STEM}.py", SOLUTION),
        ("course/hugezero/labs/lab9/checks.py", OPEN),
        ("autograder/labs/lab9/hidden.py", HIDDEN),
        ("autograder/labs/lab9/mutants.py", MUTANTS),
        (f"course/{STEM}.ipynb", nbformat.writes(notebook(), 4) + "\n"),
    ):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return root
