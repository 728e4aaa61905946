"""Where in the code the operations of a schedule were done: it is run once more, and watched.

Nothing else pays for that: a search and a check do not know lines.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..mm.pgtable import walk
from .calltree import Action, Code, Node, Root
from .generations import Seen
from .replay import WHERE, Given, Place
from .threads import Row, Thread

OURS = str(Path(__file__).resolve().parent.parent)


class Spot(NamedTuple):
    """Where an operation was done: in which code that may be shown, if in any; and was it the hardware's walk?"""

    place: Place | None = None
    walked: bool = False


class _Watched(Code):
    """The code under test, and by which calls it came to each operation."""

    def __init__(self, functions: Mapping[str, Any]) -> None:
        super().__init__(functions, frozenset(functions))
        self.calls: dict[tuple[Root, tuple[Seen, ...]], list[Place]] = {}

    def _ask(self, root: Root, log: tuple[Seen, ...]) -> Action:
        where: list[Place] = []
        token = WHERE.set(where)
        try:
            return super()._ask(root, log)
        finally:
            WHERE.reset(token)
            self.calls[root, log] = where


class Places:
    """The places of operations that *threads* do on *functions*."""

    def __init__(self, functions: Mapping[str, Any], threads: Sequence[Thread]) -> None:
        self.code, self.threads = _Watched(functions), threads
        self.told = {name for name, f in functions.items() if not isinstance(f, Given) or f.told}

    def of(self, rows: Sequence[Row]) -> list[Spot]:
        """The place of each of *rows*, which is what the threads did from their start."""
        found = [Spot()] * len(rows)
        for cpu, thread in enumerate(self.threads):
            mine = iter([(k, row) for k, row in enumerate(rows) if row.cpu == cpu])
            with contextlib.suppress(_Over):
                self._call(self.code.thread(thread.name, thread.run), None, mine, found)
        return found

    def _call(
        self, node: Node, caller: Spot | None, mine: Iterator[tuple[int, Row]], found: list[Spot]
    ) -> Any:
        """Follow one call to its end; returns what it returned. *caller*: where it was called; None: the thread itself."""
        while node.action[0] == "op":
            spot = Spot() if caller is None else self._spot(node, caller)
            if node.action[2] == "call":
                name, *args = node.action[3]
                result = self._call(self.code.call(name, tuple(args)), spot, mine, found)
            else:
                k, row = _next(mine)
                if node.action[2] != "hardware" and (row.cell, row.verb) != node.action[1:3]:
                    raise _Over
                found[k], result = spot, row.result
            node = self.code.saw(node, result)
        if node.action[0] != "return":
            raise _Over
        return node.action[1]

    def _spot(self, node: Node, caller: Spot) -> Spot:
        calls = self.code.calls.get((node.root, node.log()), [])
        walked = any(code is walk.__code__ for code, _ in calls)
        shown = [
            place
            for i, place in enumerate(calls)
            if (i == 0 and node.root.name in self.told) or not place[0].co_filename.startswith(OURS)
        ]
        return Spot(shown[-1] if shown else caller.place, walked)


class _Over(Exception):
    """Nothing more is known of a CPU: its rows end, or its code does something else now."""


def _next(mine: Iterator[tuple[int, Row]]) -> tuple[int, Row]:
    for each in mine:
        return each
    raise _Over
