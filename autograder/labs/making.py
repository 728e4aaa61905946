"""Makes user programs by running them: a generator that sees what is mapped, cut, shared, huge, and free.

Each action is done on the reference as soon as it is drawn, so the next one is drawn from what the machine
is like by then. The same seed gives the same program, and what the reference shows to it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from hugezero.hw.ram import PAGE_SIZE, PTRS_PER_PTE
from hugezero.machine import Kernel
from hugezero.mm.mm_types import VM_WRITE
from hugezero.scenario import (
    Action,
    DropCaches,
    Exec,
    Exit,
    Fork,
    Madvise,
    Mmap,
    Mprotect,
    Munmap,
    Read,
    Thread,
    UseZeroPage,
    Write,
)

from .plans import ANYTHING, HUGE_ANYTHING, HUGE_PLANS, PLANS, SCARCE_PLANS, Program, Style
from .watched import Watched

AREAS, PROCESSES, ACTIONS = 3, 4, 15  # at most in one program, before its processes end
TWO_MIB = PTRS_PER_PTE


def make(seed: str, reference: Kernel, style: Style, **config: Any) -> Program:
    """The program of *seed*."""
    return _Maker(random.Random(seed), reference, style, config).made()


class _Maker:
    """One program in the making, on the machine that it runs on."""

    def __init__(self, rng: random.Random, reference: Kernel, style: Style, config: dict[str, Any]) -> None:
        self.rng, self.style = rng, style
        self.world = Watched(reference, **config)
        self.program = Program(config, style.scarce)
        self.known: dict[str, list[str]] = {"main": []}  # areas, by process
        self.young = "main"  # the last one that was forked
        self.hot: list[tuple[str, int]] = []  # pages that something was done to
        self.byte = 0

    # the program

    def made(self) -> Program:
        self._map("main")
        plan = self.rng.choice(SCARCE_PLANS).split() if self.style.scarce else []
        tries = 0
        while len(self.program.seen) < ACTIONS and self.world.mms and tries < 4 * ACTIONS:
            tries += 1
            if not plan:
                plan = self.rng.choice(self._plans()).split()
            self._act(plan.pop(0) if self.rng.random() < 0.7 else self._anything())
        self._end()
        return self.program

    def _plans(self) -> tuple[str, ...]:
        plans = PLANS + (HUGE_PLANS if self.style.switch else ())
        return SCARCE_PLANS * 2 + plans if self.style.scarce else plans

    def _anything(self) -> str:
        if self.style.scarce and self.world.machine.births.nr_free_pages < 2:
            return self.rng.choice(["leave", "cut", "forget", "look"])
        return self.rng.choice((ANYTHING + HUGE_ANYTHING * self.style.switch).split())

    def _act(self, kind: str) -> None:
        by = self._somebody(kind)
        if not self.known[by] and kind not in ("fork", "leave"):
            kind = "map"
        does: Callable[[str], object] = getattr(self, f"_{kind}")
        does(by)

    def _somebody(self, kind: str) -> str:
        alive = list(self.world.mms)
        if kind == "generation" and self.young in alive:
            return self.young
        if kind == "look" and len(alive) > 1 and self.rng.random() < 0.7:
            return self.rng.choice(alive[1:])
        return self.rng.choice(alive)

    def _do(self, *actions: Action) -> None:
        self.program.steps.append(actions)
        self.program.seen += [self.world.do(action) for action in actions]

    def _end(self) -> None:
        """All end, one after the other, and those that are left look around."""
        order = list(self.world.mms)
        self.rng.shuffle(order)
        for n, by in enumerate(order):
            self._do(Exit(by))
            for other in order[n + 1 :][:2]:
                if self.known[other]:
                    self._look(other)
        if self.style.switch:
            self._do(DropCaches(by="main"))

    # where

    def _parts(self, by: str, area: str, to_write: bool = False) -> list[tuple[int, int]]:
        """The pages of *area* that are mapped for *by*, as ranges."""
        start, length = self.world.areas[area]
        mapped = self.world.machine.peek((self.world.mms[by], "mmap"))
        found = [
            (max(low, start), min(high, start + length))
            for low, high, vma in mapped
            if not to_write or self.world.machine.peek((vma, "vm_flags")) & VM_WRITE
        ]
        return [
            ((low - start) // PAGE_SIZE, (high - start) // PAGE_SIZE) for low, high in found if low < high
        ]

    def _place(self, by: str, to_write: bool = False) -> tuple[str, int, int] | None:
        """An area, a page of it, and how many follow that are mapped as well."""
        rng = self.rng
        names = self.known[by]
        if rng.random() < 0.03:  # wherever: it may well fail
            area = rng.choice(names)
            return area, rng.randrange(self.world.areas[area][1] // PAGE_SIZE), 1
        parts = [(area, *part) for area in names for part in self._parts(by, area, to_write)]
        if not parts:
            return None
        hot = [
            (area, page, high - page)
            for area, low, high in parts
            for name, page in self.hot[-6:]
            if name == area and low <= page < high
        ]
        if hot and rng.random() < 0.6:
            return rng.choice(hot)
        area, low, high = rng.choice(parts)
        edges = [low, low + 1, high - 1, low - low % -TWO_MIB, low - low % -TWO_MIB - 1, low + TWO_MIB]
        page = rng.choice([page for page in edges if low <= page < high] + [rng.randrange(low, high)])
        self.hot.append((area, page))
        return area, page, high - page

    def _range(self, by: str) -> tuple[str, int, int] | None:
        """An area, and an offset and a length in it: a page or a few, 2 MiB, or a whole part."""
        place = self._place(by)
        if place is None:
            return None
        area, page, room = place
        if self.style.huge and self.rng.random() < 0.3:
            page, room = page - page % TWO_MIB, room + page % TWO_MIB  # may reach over what is not mapped
        pages = self.rng.choice([1, 1, 1, 2, 3, TWO_MIB - page % TWO_MIB, TWO_MIB, room])
        return area, page * PAGE_SIZE, min(pages, room) * PAGE_SIZE

    # what

    def _map(self, by: str) -> None:
        if len(self.world.areas) == AREAS or (
            self.program.seen and self.world.machine.births.nr_free_pages < 3
        ):
            return
        rng, area = self.rng, "abc"[len(self.world.areas)]
        pages, chance = rng.choice(self.style.sizes), rng.random()
        shared, data = (
            (True, None) if chance < 0.05 else (False, b"a file") if chance < 0.12 else (False, None)
        )
        actions: list[Action] = [Mmap(area, pages * PAGE_SIZE, shared, data, by)]
        if self.style.huge and rng.random() < 0.9:
            actions.append(Madvise(area, "hugepage", by=by))
        cut = rng.choice([1, 2, pages // 2]) if pages > 2 and rng.random() < 0.25 else 0
        if cut:
            actions.append(Munmap(area, 0, cut * PAGE_SIZE, by))
        if self.style.scarce:  # so that whether an anon_vma is made before memory is found missing is all one
            actions.append(Write(area, (pages - 1) * PAGE_SIZE, self._bytes(), by=by))
        self.known[by].append(area)
        self._do(*actions)

    def _bytes(self) -> bytes:
        self.byte = self.byte % 250 + 1
        return bytes([self.byte])

    def _steps(self, room: int) -> tuple[int, int]:
        """A length and a step, in bytes, to go through *room* pages; not too often."""
        step = self.rng.choice([1, 2, 256, TWO_MIB] if self.style.huge and room > 256 else [1, 1, 2])
        return min(room, self.rng.randrange(2, 4) * step) * PAGE_SIZE, step * PAGE_SIZE

    def _read(self, by: str) -> None:
        place = self._place(by)
        if place is None:
            return
        area, page, room = place
        if self.rng.random() < 0.5 or room < 2:
            self._do(Read(area, page * PAGE_SIZE + self.rng.choice([0, 0, 5]), by=by))
        else:
            self._do(Read(area, page * PAGE_SIZE, *self._steps(room), by=by))

    _look = _read  # by somebody else than who wrote: see _somebody

    def _write(self, by: str) -> None:
        place = self._place(by, to_write=True)
        if place is None:
            return
        area, page, room = place
        offset = page * PAGE_SIZE + self.rng.choice([0, 0, 5])
        if self.rng.random() < 0.65 or room < 2:
            self._do(Write(area, offset, self._bytes(), by=by))
        else:
            self._do(Write(area, page * PAGE_SIZE, self._bytes(), *self._steps(room), by=by))

    def _fill(self, by: str) -> None:
        """Write as much as there is."""
        parts = [(area, *part) for area in self.known[by] for part in self._parts(by, area, True)]
        for area, low, high in parts:
            step = TWO_MIB if self.style.huge else 1
            length = (high - low) * PAGE_SIZE
            self._do(Write(area, low * PAGE_SIZE, self._bytes(), length, step * PAGE_SIZE, by))

    def _cut(self, by: str) -> None:
        if part := self._range(by):
            self._do(Munmap(*part, by))

    def _forget(self, by: str) -> None:
        if part := self._range(by):
            self._do(Madvise(part[0], "dontneed", *part[1:], by))

    def _protect(self, by: str) -> None:
        if part := self._range(by):
            self._do(Mprotect(part[0], self.rng.random() < 0.4, *part[1:], by))

    def _advise(self, by: str) -> None:
        if part := self._range(by):
            self._do(Madvise(part[0], self.rng.choice(["hugepage", "nohugepage"]), *part[1:], by))

    def _fork(self, by: str) -> None:
        if len(self.known) >= PROCESSES:
            return
        child = f"p{len(self.known)}"
        self._do(Fork(child, by))
        self.known[child] = list(self.known[by])
        if child in self.world.mms:
            self.young = child

    _generation = _fork  # by the last child: see _somebody

    def _thread(self, by: str) -> None:
        if len(self.known) < PROCESSES:
            name = f"p{len(self.known)}"
            self.known[name] = self.known[by]
            self._do(Thread(name, by))

    def _exec(self, by: str) -> None:
        self.known[by] = []
        self._do(Exec(by))

    def _leave(self, by: str) -> None:
        if len(self.world.mms) > 1:
            self._do(Exit(by))

    def _drop(self, by: str) -> None:
        self._do(DropCaches(by=by))

    def _off(self, by: str) -> None:
        self._do(UseZeroPage(False, by))

    def _on(self, by: str) -> None:
        self._do(UseZeroPage(True, by))
