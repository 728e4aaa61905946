"""Law 3: the simulated kernel shows what a running one was seen to show, row by row of a recorded table."""

import json
from pathlib import Path

import pytest
from hugezero import scenario
from hugezero.machine import Kernel
from hugezero.scenario import simulate

from solutions import lab1_zero_page

TABLE = json.loads(Path(__file__).with_name("linux_6_18_44.json").read_text())
OWN = 40  # faults that belong to the process itself, at most
LAB_1 = {name: f for name, f in vars(lab1_zero_page).items() if callable(f)}
KERNELS = {"shares nothing": Kernel(), "zero page": Kernel(LAB_1)}
COVERED = [row for row in TABLE["rows"] if row["since"] in KERNELS]


def actions(row):
    for kind, *parts in row["scenario"]:
        action = getattr(scenario, kind)(*parts)
        yield action._replace(data=action.data.encode()) if kind == "Write" else action


@pytest.mark.parametrize("row", COVERED, ids=lambda row: row["row"])
def test_it_shows_what_linux_showed(row):
    *_, last = simulate(actions(row), KERNELS[row["since"]], log=False, pages=1 << 19)
    for process, faults in row.get("faults", {}).items():
        assert 0 <= faults - last.faults[process] <= OWN
    assert {process: last.rss[process] for process in row["rss"]} == row["rss"]
    if "kinds" in row:
        assert {kind.split(",")[0] for _, _, kind, _ in last.mappings} == set(row["kinds"])


def test_every_row_says_which_design_it_needs():
    assert {row["since"] for row in TABLE["rows"]} <= set(TABLE["designs"])
    assert len(COVERED) == 5, "a row that the kernels cover has a scenario, and a later lab covers the others"
