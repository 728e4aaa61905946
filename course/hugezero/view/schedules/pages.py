"""A schedule that goes wrong as pages: the counterexample, and what somebody does by hand beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Protocol

from ...store import Cell
from ..memory.drawing import drawing
from ..memory.text import as_text
from ..pages import Pages
from .drawing import Board
from .names import Names, Operation
from .rows import Told, tell, watched
from .small_map import Known, operations, shared

KEYS = "↑ ↓ step"
LEGEND = "thick outline: where you are · small box: the cell it touches"
LEFT_OUT = " · rows from which nobody learns anything are left out"
GOOD = "Everybody has come to an end, and nothing broke"


class Found(Protocol):
    """What a search found: the schedule *rows* goes wrong as *bug* says."""

    @property
    def bug(self) -> str | None: ...
    @property
    def rows(self) -> Sequence[Any]: ...
    @property
    def states(self) -> int: ...
    @property
    def inconclusive(self) -> bool: ...


class Hand(Protocol):
    """Who carries out what is picked by hand: a ByHand of `explore`."""

    @property
    def bug(self) -> str | None: ...
    @property
    def rows(self) -> Sequence[Any]: ...

    @property
    def picks(self) -> list[tuple[int, int]]: ...
    @property
    def ends(self) -> list[int]: ...

    def enabled(self) -> Sequence[Any]: ...
    def waiting(self) -> list[int]: ...
    def again(self, picks: Iterable[tuple[int, int]], /) -> None: ...
    def follow(self, rows: Sequence[Any], /) -> None: ...


class Interleaving:
    """The schedule picture of what a search found."""

    def __init__(
        self, found: Found, threads: Sequence[Any] | None, cells: Sequence[Cell] | None, hand: Hand | None
    ) -> None:
        self.found, self.hand = found, hand
        names = [str(getattr(thread, "name", thread)) for thread in threads or ()]
        many = max([len(names), *(row.cpu + 1 for row in found.rows)])
        names += [""] * (many - len(names))
        self.columns = [
            name if name.startswith("CPU") else f"CPU {cpu} · {name}" if name else f"CPU {cpu}"
            for cpu, name in enumerate(names)
        ]
        self.cells = None if cells is None else list(cells)

    def pages(self) -> Pages:
        """The counterexample, open at its last row."""
        rows, found = self.found.rows, self.found
        if found.bug is not None:
            where = f"shortest: {counted(rows)}"
        elif found.inconclusive:
            where = f"inconclusive after {found.states:,} states"
        else:
            where = f"{found.states:,} states" if found.states else "yours to play"
        good = "No end was found" if found.inconclusive else "No schedule of these CPUs goes wrong"
        if not found.states:  # nobody has searched
            good = "Nobody has gone yet: continue by hand, and say who does"
        made = self._pages(rows, found.bug, good, where)
        if self.hand is not None:
            made.asked = self.asked
        return made

    def asked(self, request: dict[str, Any]) -> dict[str, Any]:
        """Pages for what was picked by hand: {"rows": n} of the counterexample, or {"picks": [[cpu, way], …]}."""
        hand = self.hand
        assert hand is not None
        try:
            if "rows" in request:
                hand.follow(self.found.rows[: request["rows"]])
            else:
                hand.again((int(cpu), int(way)) for cpu, way in request["picks"])
        except ValueError as error:
            return {"error": str(error)}
        choices, waiting, rows = hand.enabled(), hand.waiting(), hand.rows
        good = "You choose who goes next" if choices else GOOD
        played = (
            f"you picked {', '.join(str(cpu) for cpu, _ in hand.picks)}"
            if hand.picks
            else "nobody picked yet"
        )
        made = self._pages(rows, hand.bug, good, f"by hand: {counted(rows)}; {played}")
        names = Names([*self.found.rows, *rows])
        tell(rows, None, [], names)
        for moment in made.moments:
            done = moment["rows"]
            moment["picks"] = sum(end < done for end in hand.ends) + bool(done and hand.ends)
        return {
            "parts": made.parts,
            "pages": made.pages,
            "moments": made.moments,
            "at": made.at,
            "picks": [list(pick) for pick in hand.picks],
            "choices": [
                {"cpu": one.cpu, "way": one.way, "who": self.columns[one.cpu], "does": _does(one.rows, names)}
                for one in choices
            ]
            + [{"cpu": cpu, "who": self.columns[cpu], "does": "waits for a lock"} for cpu in waiting],
        }

    def _pages(self, rows: Sequence[Operation], bug: str | None, good: str, where: str) -> Pages:
        every = [*self.found.rows, *rows]
        cells = self.cells or list(dict.fromkeys([*watched(self.found.rows), *watched(rows)]))
        names = Names(every)
        known = Known(self.columns, names, {**shared(every), **shared(rows)})
        made = Pages(name="schedule", keys=KEYS, legend=LEGEND)
        numbers: dict[str, int] = {}
        maps: list[tuple[int, list[str]]] = []

        def page(parts: list[str]) -> int:
            made.pages.append([numbers.setdefault(part, len(numbers)) for part in parts])
            return len(made.pages) - 1

        def behind(k: int, row: Operation) -> None:
            known.apply(k, row)
            maps.append((page(drawing(known.scene())), known.changed))

        maps.append((page(drawing(known.scene())), []))
        told = tell(rows, bug, cells, names, behind)
        title = told.broke or good
        beside = tell(self.found.rows, self.found.bug, cells, Names(every))
        board = Board.of(self.columns, told, beside)
        whole = page(board.drawing(told, f"Schedule of {len(self.columns)} CPUs, {counted(rows)}. {title}."))
        made.parts = list(numbers)
        if len(told.shown) < len(told.lines):
            made.legend += LEFT_OUT
        for k in (0, *(line.number for line in told.shown)):
            map_page, changed = maps[k]
            broke = bool(bug) and k == len(rows)
            made.moments.append(
                {
                    "page": whole, "rows": k, "title": title, "where": where, "bug": broke,
                    "changed": [f"r{k}", *changed] if k else [], "map": map_page, "said": self._said(told, k),
                }
            )  # fmt: skip
        made.at = len(made.moments) - 1
        made.text = f"{title}  ({where})"
        if rows:
            made.text += f"\n\n{self._table(told)}\n\n{as_text(known.scene(), known.changed)}"
        return made

    def _said(self, told: Told, k: int) -> str:
        """Row *k* as a sentence, for those who do not see it."""
        held = told.lines[k - 1].values if k else told.before
        cells = ", ".join(f"{name} {value}" for name, value in zip(told.cells, held, strict=True))
        if not k:
            return f"before the first operation; {cells}"
        line = told.lines[k - 1]
        parts = [f"{self.columns[line.cpu]}: {line.code}", line.said.replace("→", "gives"), cells]
        cross = f"; broken: {told.cross}" if told.cross and line is told.lines[-1] else ""
        return f"row {k} of {len(told.lines)}; {'; '.join(filter(None, parts))}{cross}"

    def _table(self, told: Told) -> str:
        """The schedule in plain text: a column a CPU."""
        heads = ["", *self.columns, *told.cells, ""]
        table = [heads]
        before: int | None = None
        for line in told.shown:
            mark = ">" if before not in (None, line.cpu) else " "
            cross = f"✗ {told.cross}" if told.cross and line is told.lines[-1] else ""
            code = [line.code if cpu == line.cpu else "" for cpu in range(len(self.columns))]
            values = [
                f"[{value}]" if i == line.touched and line.changed else f" {value} "
                for i, value in enumerate(line.values)
            ]
            table.append(
                [f"{mark}{line.number:>3}", *code, *values, "  ".join(filter(None, (line.said, cross)))]
            )
            before = line.cpu
        widths = [max(len(row[i]) for row in table) for i in range(len(heads))]
        lines = [
            "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        return "\n".join([*lines, "", "> another CPU goes on   [ ] just changed"])


def counted(rows: Sequence[Operation]) -> str:
    """How many switches between CPUs, and how many operations."""
    switches = sum(one.cpu != other.cpu for one, other in pairwise(rows))
    return f"{switches} switch{'es' * (switches != 1)}, {operations(len(rows))}"


def _does(rows: Sequence[Operation], names: Names) -> str:
    """What a CPU would do next, in code; an allocation that would find no memory says so."""
    if not rows:
        return "comes to its end"
    none = any(row.verb == "new" and row.result is None for row in rows)
    return names.code(rows[0]) + (", without memory" if none else "")
