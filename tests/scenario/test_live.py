"""The running Linux, asked by real processes: it shows what was recorded, and what the reference shows."""

import pytest
from hugezero.hw.ram import PAGE_SIZE, PMD_SIZE
from hugezero.scenario import (
    Exec,
    Exit,
    Fork,
    Madvise,
    Mmap,
    Mprotect,
    Munmap,
    Read,
    Thread,
    Write,
    simulate,
)
from hugezero.scenario.live.comparing import first_difference
from hugezero.scenario.live.linux import Linux
from hugezero.scenario.live.processes import Unavailable

from tests.scenario.kernels import KERNELS
from tests.scenario.test_as_linux import DESIGNS, TABLE, action, seen

pytestmark = pytest.mark.xdist_group("live")  # one at a time may ask
HUGE = [Mmap("a", 2 * PMD_SIZE), Madvise("a", "hugepage")]
SCENARIOS = {
    "zeroes, small and huge": [
        *HUGE, Mmap("b", 4 * PAGE_SIZE), Read("a", 0, PMD_SIZE), Read("b", 0, 3 * PAGE_SIZE), Write("b", 5, b"xyz")
    ],
    "fork, and a write on either side": [
        *HUGE, Write("a", PMD_SIZE, b"x"), Read("a"), Fork("child"), Write("a", PMD_SIZE, b"y", by="child"),
        Write("a", 0, b"z", by="child"), Read("a", PMD_SIZE), Exit(), Read("a", PMD_SIZE, by="child"),
    ],
    "a split, a thread, exec, exit": [
        *HUGE, Read("a", 0, 2 * PMD_SIZE), Munmap("a", PAGE_SIZE, PAGE_SIZE), Thread("t"), Fork("child"),
        Exec("child"), Mmap("b", PAGE_SIZE, by="child"), Read("b", by="child"), Exit(), Write("a", by="t"), Exit("t"),
    ],
    "what may not be touched": [
        *HUGE, Mprotect("a", False), Read("a"), Write("a"), Munmap("a"), Read("a"), Mmap("b", 0), Munmap("a", 1, 1)
    ],
    "a file, and shared memory": [
        Mmap("f", PAGE_SIZE, data=b"text"), Read("f", 0, 5, 1), Write("f", 1, b"a"), Mmap("s", PAGE_SIZE, True),
        Fork("child"), Write("s", 0, b"said", by="child"), Read("s", 0, 4, 1), Read("f", 0, 3, 1, by="child"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def linux():
    try:
        kernel = Linux(change_settings=True)  # for one row, which is put back at once
    except Unavailable as why:
        pytest.skip(f"this machine cannot be asked: {why}")
    with kernel:
        yield kernel


def ask(linux, scenario):
    try:
        return linux.run(scenario)
    except Unavailable as why:
        pytest.skip(str(why))


@pytest.mark.parametrize("name", SCENARIOS)
def test_linux_shows_what_the_reference_shows(linux, name):
    live = ask(linux, SCENARIOS[name])
    assert first_difference(live, simulate(SCENARIOS[name], KERNELS["per-mm flag"], log=False)) is None


def rows():
    """The rows that hold for a kernel without the option, from 6.18 on."""
    for row in TABLE["rows"]:
        if row.get("until", DESIGNS[-1]) == DESIGNS[-1]:
            yield pytest.param(row, id=row["row"])


@pytest.mark.parametrize("row", list(rows()))
def test_linux_shows_what_was_recorded(linux, row):
    steps = row["scenario"]
    told = iter(ask(linux, [action(*step) for step in steps if isinstance(step, list)]))
    looked = {}
    for step in steps:
        if isinstance(step, list):
            last = next(told)
            continue
        step = {
            what: value for what, value in step.items() if not (what == "frames" and "frame" in last.unseen)
        }
        delta = {name: now - looked.get(name, 0) for name, now in last.vmstat.items()}
        assert all(name in delta for name in step.get("vmstat", {}))
        if "thp_zero_page_alloc" in last.unseen:
            step.get("vmstat", {}).pop("thp_zero_page_alloc", None)
        assert step == seen(step, last, delta)
        looked = last.vmstat
