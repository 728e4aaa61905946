"""Generated programs: what every kernel gives a program, against a model that is made of dictionaries."""

from collections import Counter

import pytest
from hugezero.hw.ram import PAGE_SIZE, PMD_SIZE
from hugezero.machine import Kernel
from hugezero.mm.huge_memory import HUGE_ZERO
from hugezero.mm.mm_types import AddressSpace
from hugezero.scenario import (
    DropCaches,
    Exec,
    Exit,
    Fork,
    Madvise,
    Mmap,
    Mprotect,
    Munmap,
    NotAScenario,
    Read,
    Simulated,
    Thread,
    UseZeroPage,
    Write,
    simulate,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.labs.at_rest import what_is_wrong
from autograder.labs.making import make
from autograder.labs.programs import FEW, HUGE
from tests.scenario.kernels import KERNELS
from tests.scenario.naive import Naive

COUNTED = {
    "counted": "entries",
    "per-mm flag": "mms",
    "persistent, option off": "mms",
}  # of the huge zero page
KEPT = ("huge zero page", "persistent")  # who has it at boot, and for ever
SHARING = [name for name in KERNELS if name != "shares nothing"]
SIZES = [1, 6, 511, 512, 515, 1024, 1030]  # of areas, in pages


@pytest.mark.parametrize("name", KERNELS)
@given(seed=st.integers(0, 1 << 32))
def test_every_program_reads_what_it_wrote(name, seed):
    program, model = make(str(seed), KERNELS[name], FEW, pages=1024, log=False), Naive()
    assert [each.seen for each in program.seen] == [model.do(action) for action in program.actions]


@pytest.mark.parametrize("name", KERNELS)
@settings(max_examples=max(60, settings.default.max_examples // 10))
@given(seed=st.integers(0, 1 << 32))
def test_huge_pages_change_nothing_that_a_program_reads(name, seed):
    program, model = make(str(seed), KERNELS[name], HUGE, pages=1 << 15, log=False), Naive()
    assert [each.seen for each in program.seen] == [model.do(action) for action in program.actions]


def test_huge_pages_are_used_where_they_were_asked_for():
    size = 2 << 20
    program = [Mmap("a", 2 * size), Madvise("a", "hugepage"), Read("a", 0, 2 * size), Munmap("a", 4096, 4096)]
    *_, read, cut = simulate(program, Kernel(), log=False)
    assert (read.faults["main"], read.rss["main"], read.vmstat["thp_fault_alloc"]) == (2, 1024, 2)
    assert (cut.rss["main"], cut.vmstat["thp_split_pmd"]) == (1023, 1)


@st.composite
def large_programs(draw, size=40):
    """Up to *size* actions of up to four processes on up to three areas, most of which may use huge pages."""
    actions, areas, alive = [], {}, ["main"]
    kinds = "read read read write write write protect unmap dontneed advise fork fork thread exec exit drop switch"

    def span(area):
        """A part of *area*: a few pages, a block, the rest; often with an edge at a block's edge."""
        at = draw(st.sampled_from([0, 0, 0, 1, 3, 511, 512, 513]) | st.integers(0, areas[area] - 1))
        at = min(at, areas[area] - 1)
        pages = draw(st.sampled_from([1, 1, 2, 512, 513, areas[area]]))
        return at * PAGE_SIZE, min(pages, areas[area] - at) * PAGE_SIZE

    for n in range(draw(st.integers(2, size))):
        if not alive:
            break
        by = draw(st.sampled_from(alive))
        kind = draw(st.sampled_from(kinds.split())) if areas else "map"
        if kind == "exec" and len(areas) < 3:
            kind = "map"
        if kind == "map":
            shared, data = draw(
                st.sampled_from([(False, None)] * 5 + [(True, None), (False, b"in a file" * 600)])
            )
            area = f"a{n}"
            areas[area] = draw(st.sampled_from(SIZES[3:] if data is None and not shared else SIZES[:2]))
            actions.append(Mmap(area, areas[area] * PAGE_SIZE, shared, data, by))
            if draw(st.sampled_from([True] * 4 + [False])):
                actions.append(Madvise(area, "hugepage", by=by))
            if draw(st.booleans()):
                actions.append(Read(area, 0, areas[area] * PAGE_SIZE, PMD_SIZE, by))
            continue
        area = draw(st.sampled_from(sorted(areas)))
        at, length = span(area)
        match kind:
            case "read":
                step = draw(st.sampled_from([PAGE_SIZE, PMD_SIZE, PMD_SIZE])) if length >= PMD_SIZE else 4096
                actions.append(Read(area, at, length, step, by))
            case "write":
                data = bytes([draw(st.integers(0, 9))]) * draw(st.sampled_from([1, 3]))
                at += draw(st.sampled_from([0, 5, PAGE_SIZE - 1]))
                again = draw(st.sampled_from([0, 2 * PAGE_SIZE]))
                actions.append(Write(area, at, data, again, by=by))
            case "protect":
                actions.append(Mprotect(area, draw(st.booleans()), at, length, by))
            case "unmap":
                actions.append(Munmap(area, at, length, by))
            case "dontneed":
                actions.append(Madvise(area, "dontneed", at, length, by))
            case "advise":
                advice = draw(st.sampled_from(["hugepage"] * 3 + ["nohugepage"]))
                actions.append(Madvise(area, advice, at, length, by))
            case "fork" | "thread" if len(alive) < 4:
                alive.append(f"p{n}")
                actions.append((Fork if kind == "fork" else Thread)(alive[-1], by))
            case "exec":
                actions.append(Exec(by))
            case "exit" if len(alive) > 1:
                alive.remove(by)
                actions.append(Exit(by))
            case "drop":
                actions.append(DropCaches(draw(st.sampled_from([2, 2, 1])), by))
            case "switch":
                actions.append(UseZeroPage(draw(st.sampled_from([True, True, True, False])), by))
    return actions


class Watched(Simulated):
    """A simulated program that is looked at only in the cells."""

    def _mappings(self):
        return iter(())

    def ended(self):
        """Let everybody exit, and drop what is not used; gives how many pages are in use then, but for page caches."""
        for process in list(self.mms):
            self.do(Exit(process))
        self.do(DropCaches(2))
        pages = self.machine.cells.items()
        caches = [
            v for (handle, i), v in pages if isinstance(handle, AddressSpace) and isinstance(i, int) and v
        ]
        return self.machine.births.pgalloc - self.machine.births.pgfree - len(caches)


def keep(promise, name, done):
    """Keep *promise* for generated programs: 40 of them, or 800 in the long form."""
    count = settings.default.max_examples * 2 // 5
    settings(max_examples=count)(given(data=st.data())(lambda data: promise(data)))()
    print(f"{name}: {', '.join(f'{n:,} {what}' for what, n in done.items())}")
    assert done["steps"] >= 13 * count, "10,000 in the long form"


@pytest.mark.long
@pytest.mark.hypothesis  # its number of programs is the profile's
@pytest.mark.parametrize("name", SHARING)
def test_at_every_step_who_maps_what_is_as_the_model_says(name):
    done = Counter()

    def promise(data):
        program = data.draw(large_programs())
        model = Naive(huge_zero=name != "zero page")
        simulated = Watched(KERNELS[name], log=False, pages=1 << 15)
        machine, there = simulated.machine, False
        for action in program:
            now = simulated.do(action)
            assert now.seen == model.do(action)
            spaces = model.spaces.items()
            assert now.rss == {process: space.rss() for process, space in spaces}
            assert now.faults == {process: space.faults for process, space in spaces}
            tables = {process: machine.peek((mm, "nr_ptes")) for process, mm in simulated.mms.items()}
            assert tables == {process: len(space.tables) + len(space.huge) for process, space in spaces}
            zeroes = model.zero_blocks()
            if name in COUNTED:
                users = {"entries": zeroes, "mms": model.readers()}[COUNTED[name]]
                dropped = isinstance(action, DropCaches) and action.level == 2
                there = users > 0 or (there and not dropped)
                assert machine.peek((HUGE_ZERO, "refcount")) == (1 + users if there else 0)
            assert what_is_wrong(machine, COUNTED.get(name)) == []
            done["steps"] += 1
            done["with huge zero entries"] += zeroes > 0
        assert simulated.ended() == (512 if name in KEPT else 0)

    keep(promise, name, done)
    assert name == "zero page" or done["with huge zero entries"] >= done["steps"] / 20


@pytest.mark.long
@pytest.mark.hypothesis  # its number of programs is the profile's
@pytest.mark.parametrize("name", SHARING)
def test_nothing_is_lost_where_allocations_fail(name):
    done = Counter()

    def promise(data):
        program = data.draw(large_programs())
        fail = data.draw(st.frozensets(st.integers(1, 40), min_size=1, max_size=12))
        model, bytes_are_known = Naive(), True
        simulated = Watched(KERNELS[name], log=False, pages=1 << 15, fail=fail)
        for action in program:
            try:
                now = simulated.do(action)
            except NotAScenario:
                continue  # it needs a process or an area that there was no memory for
            if now.seen in ("out of memory", "no such process"):
                bytes_are_known = False  # a write may have come half way
                done["found no memory"] += 1
            elif bytes_are_known:
                assert now.seen == model.do(action)
            assert what_is_wrong(simulated.machine, COUNTED.get(name)) == []
            done["steps"] += 1
        assert simulated.ended() == (512 if name in KEPT else 0)

    keep(promise, name, done)
    assert done["found no memory"]


def test_a_huge_entry_is_split_before_it_belongs_to_two_areas():
    program = [
        Mmap("a", PMD_SIZE),
        Madvise("a", "hugepage"),
        Write("a"),
        Madvise("a", "nohugepage", 0, PAGE_SIZE),
    ]
    *_, last = simulate([*program, Fork("child")], KERNELS["counted"], log=False)
    assert (last.vmstat["thp_split_pmd"], last.rss) == (1, {"main": 512, "child": 512})
