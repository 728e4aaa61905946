"""Law 3: the simulated kernels show what a running one was seen to show, row by row of a recorded table."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hugezero import scenario
from hugezero.scenario import Simulated

from tests.scenario.kernels import KERNELS

TABLE = json.loads(Path(__file__).with_name("linux_6_18_44.json").read_text())
DESIGNS = TABLE["designs"]
OWN = 40  # faults that belong to the process itself, at most
ABOVE = 2  # page tables of the levels that the machine leaves out, at most
LARGE = 1 << 26  # bytes that take seconds to read page by page


def designs(row):
    """The designs whose kernels must show *row*, as far as there are any: its own first."""
    first, last = DESIGNS.index(row["since"]), DESIGNS.index(row.get("until", DESIGNS[-1]))
    return [name for name in DESIGNS[first : last + 1] if name in KERNELS]


def cases():
    """Each row with each of its designs; large ones on the later designs are for the long form."""
    for row in TABLE["rows"]:
        for name in designs(row):
            size = max(what[2] for what in row["scenario"] if isinstance(what, list) and what[0] == "Mmap")
            later = name != row["since"] and size >= LARGE
            marks = [pytest.mark.full] if later else []
            yield pytest.param(row, name, id=f"{row['row']} [{name}]", marks=marks)


def action(kind, *parts):
    if kind == "Write":
        parts = [part.encode() if n == 2 else part for n, part in enumerate(parts)]  # JSON has no bytes
    return getattr(scenario, kind)(*parts)


@pytest.mark.parametrize(("row", "design"), list(cases()))
def test_it_shows_what_linux_showed(row, design):
    simulated = Simulated(KERNELS[design], log=False, pages=1 << 19)
    looked = simulated.at_start
    for step in row["scenario"]:
        if isinstance(step, list):
            last = simulated.do(action(*step))
            assert last.seen is None or isinstance(last.seen, list), last
            continue
        now = simulated.machine.vmstat()
        assert step == seen(step, last, {name: now[name] - looked[name] for name in now})
        looked = now


def seen(asked, last, vmstat):
    """The simulated answer to what was *asked*, where numbers that cannot be equal are near enough."""
    answers = {
        "faults": lambda name, told: told if 0 <= told - last.faults[name] <= OWN else last.faults[name],
        "rss": lambda name, told: last.rss[name],
        "vmstat": lambda name, told: vmstat[name],
    }
    found = {}
    for what, told in asked.items():
        if what in answers:
            found[what] = {name: answers[what](name, value) for name, value in told.items()}
        elif what == "VmPTE":
            tables = last.vmstat["nr_page_table_pages"]
            found[what] = told if 0 <= told - 4 * tables <= 4 * ABOVE else 4 * tables
        else:
            frames = {}
            for _, _, kind, frame in last.mappings:
                frames.setdefault(kind.split(",")[0].removeprefix("a "), []).append(frame)
            distinct = {"pages": list, "frames": set}[what]
            found[what] = {kind: len(distinct(each)) for kind, each in frames.items()}
    return found


def test_every_row_that_there_is_a_kernel_for_is_shown():
    covered = Counter(row["since"] for row in TABLE["rows"] if designs(row))
    assert covered == {
        "shares nothing": 1,
        "zero page": 4,
        "huge zero page": 6,
        "counted": 8,
        "per-mm flag": 1,
    }
    assert all(isinstance(row["scenario"][-1], dict) for row in TABLE["rows"]), "each ends with what was seen"
