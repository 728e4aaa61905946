"""A schedule that goes wrong as pages: the counterexample, and what somebody does by hand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ...hw.tlb import Tlb
from ...mm.page_alloc import Folio
from ...store import DECLARED, Cell
from ..memory.drawing import drawing
from ..memory.text import as_text
from ..pages import Pages
from .asked import Found, Hand
from .board import Board
from .columns import named, noise, others
from .harm import harm
from .names import Names, Operation
from .plain import table
from .rows import Told, below_zero, tell
from .small_map import Known, operations, shared
from .source import Source

KEYS = "↑ ↓ step · Esc leaves"
LEGEND = "thick outline: where you are · small box: the cell it touches · dashed: the hardware"
LOCKED = "Nobody can go on: each waits for a lock that another one holds"
GOOD = "All have finished, and nothing broke"


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
        # What somebody would do alone stands for all that may be done by hand: columns stay where they are.
        self.known = [*found.rows, *(hand.rehearsal() if hand is not None else ())]
        self.named = named(found.rows, found.bug) if cells is None else list(cells)
        self.others = others(found.rows or self.known, self.named) if cells is None else []
        self.source = Source()
        if hand is not None:
            for done in (found.rows, hand.rehearsal()):
                self.source.add([place for place, _ in hand.places(done)])

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
        good = _so_far(rows) if choices else GOOD
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
        over = "It broke here: nobody goes on" if hand.broke else "All have finished"
        return {
            "parts": made.parts,
            "pages": made.pages,
            "moments": made.moments,
            "source": made.source,
            "at": made.at,
            "picks": [list(pick) for pick in hand.picks],
            "says": "Who goes next? Press its number" if choices else LOCKED if waiting else over,
            "choices": [
                {"cpu": one.cpu, "way": one.way, "who": self.columns[one.cpu], "does": _does(one.rows, names)}
                for one in choices
            ]
            + [{"cpu": cpu, "who": self.columns[cpu], "does": "waits for a lock"} for cpu in waiting],
        }

    def _pages(self, rows: Sequence[Operation], bug: str | None, good: str, where: str) -> Pages:
        every = [*self.found.rows, *rows]
        here = named(rows, bug)
        cells = [*self.named, *self.others]
        cells += [cell for cell in here if cell not in cells and rows is not self.found.rows]
        names = Names(every)
        known = Known(self.columns, names, {**shared(every), **shared(rows)})
        done = None if bug is None else harm(rows, bug, here)
        known.losing(rows, bug, done)
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
        first: dict[Cell, Any] = {}
        for row in [*self.found.rows, *self.known, *rows]:
            first.setdefault(row.cell, row.old)
        told = tell(rows, bug, cells, names, behind, first)
        told.harm = 0 if done is None else done + 1
        beside = tell(self.known, None, cells, Names([*every, *self.known]), before=first)
        source = Source(dict(self.source.lines))
        keys = self._explain(rows, told, here, source)
        title = told.broke or good
        board = Board.of(self.columns, len(self.named), told, beside)
        alt = f"Schedule of {len(self.columns)} CPUs, {counted(rows)}. {title}."
        whole = page([board.html(told, alt)])
        made.parts, made.source = list(numbers), source.html()
        at: list[str] = [""] * len(self.columns)  # where each CPU is in its code
        number = 0
        for k in (0, *(line.number for line in told.shown)):
            for line in told.lines[number:k]:
                at[line.cpu] = keys[line.number - 1] or at[line.cpu]
            number = k
            map_page, changed = maps[k]
            broke = bool(bug) and k == len(rows)
            made.moments.append(
                {
                    "page": whole, "rows": k, "title": title, "where": where, "bug": broke,
                    "changed": [f"r{k}", *changed], "map": map_page, "said": self._said(told, k),
                    "at": list(at), "cpu": told.lines[k - 1].cpu if k else -1,
                }
            )  # fmt: skip
        made.at = len(made.moments) - 1
        made.text = f"{title}  ({where})"
        if rows:
            made.text += f"\n\n{table(self.columns, told)}\n\n{as_text(known.scene(), known.changed)}"
        return made

    def _explain(
        self, rows: Sequence[Operation], told: Told, here: Sequence[Cell], source: Source
    ) -> list[str]:
        """Note in *told* who did each of *rows*, where in the code, and what may be folded; gives the lines' keys."""
        spots = [(None, False)] * len(rows) if self.hand is None else self.hand.places(rows)
        source.add([place for place, _ in spots])
        keys = [source.key(place) for place, _ in spots]
        for line, row, (place, walked), key in zip(told.lines, rows, spots, keys, strict=True):
            line.kind = noise(row)
            line.shown = not line.kind or line.number == len(rows) or row.cell in here
            line.hardware = "walk" if walked else hardware(row, place is None)
            line.code = line.code.removeprefix(f"the {line.hardware} ")
            line.line = f"line {place[1]}" if place and key else ""
        return keys

    def _said(self, told: Told, k: int) -> str:
        """Row *k* as a sentence, for those who do not see it."""
        held = told.lines[k - 1].values if k else told.before
        cells = ", ".join(f"{name} {value}" for name, value in zip(told.cells, held, strict=True))
        if not k:
            return f"before the first operation; {cells}"
        line = told.lines[k - 1]
        who = ", ".join(filter(None, [self.columns[line.cpu], line.line]))
        what = f"the hardware: {line.code}" if line.hardware else line.code
        parts = [f"{who}: {what}", line.said.replace("→", "gives"), cells]
        cross = f"; broken: {told.cross}" if told.cross and line is told.lines[-1] else ""
        cross += "; here it went wrong" if k == told.harm else ""
        return f"row {k} of {len(told.lines)}; {'; '.join(filter(None, parts))}{cross}"


def _so_far(rows: Sequence[Operation]) -> str:
    """What there is to say while somebody may still go on."""
    if rows and (row := next((row for row in rows[::-1] if below_zero(row)), None)):
        return f"The count is {row.new}: more was given back than taken. You choose who goes next"
    return "You choose who goes next"


def hardware(row: Operation, elsewhere: bool) -> str:
    """Who did *row*, if no kernel did; *elsewhere*: it is in no function that may be shown."""
    if row.verb == "dma":
        return "disk"
    if row.verb not in DECLARED:
        return "program" if isinstance(row.cell[0], Tlb) else ""
    memory = elsewhere and isinstance(row.cell[0], Folio) and DECLARED[row.verb].words.program
    return "program" if memory else ""


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
