"""The running Linux, asked by real processes: it shows what was recorded, and what the reference shows."""

import doctest
import subprocess
import sys

import pytest
from hugezero.scenario import Mmap, simulate
from hugezero.scenario.live import ask_linux, settings
from hugezero.scenario.live.comparing import first_difference
from hugezero.scenario.live.examples import EXAMPLES
from hugezero.scenario.live.here import Unavailable
from hugezero.scenario.live.linux import Linux
from hugezero.scenario.live.recording import read

from tests.scenario.kernels import KERNELS
from tests.scenario.test_as_linux import DESIGNS, TABLE, action, seen

pytestmark = pytest.mark.xdist_group("live")  # one at a time may ask


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


@pytest.mark.parametrize("name", EXAMPLES)
def test_linux_shows_what_the_reference_shows(linux, name):
    live = ask(linux, EXAMPLES[name])
    assert first_difference(live, simulate(EXAMPLES[name], KERNELS["per-mm flag"], log=False)) is None


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


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_reference_shows_what_was_recorded(name):
    """The recording that notebooks fall back on; `python -m autograder conform --record` makes another one."""
    recorded = read().of(EXAMPLES[name])
    assert recorded[-1].unseen == frozenset(), "recorded where all can be seen"
    assert first_difference(recorded, simulate(EXAMPLES[name], KERNELS["per-mm flag"], log=False)) is None


def test_the_recording_names_the_linux_and_its_settings():
    where = read().where
    assert {*where} == {"kernel", "architecture", "enabled", "defrag", "use_zero_page", "shmem_enabled"}
    assert all(where.values()) and where["kernel"].startswith("Linux ")


def test_an_answer_says_where_it_is_from(linux):
    """Asked now where that is possible; else what was recorded, and why."""
    names = ["2 MiB are forgotten", "the user exits, and memory is asked for"]
    now, drop = (ask_linux(EXAMPLES[name]) for name in names)
    assert now.source.startswith("asked now: Linux ")
    assert drop.source.startswith("asked now" if linux.can["drop"] else "recorded on Linux ")
    assert [each.seen for each in now.observations] == [each.seen for each in read().of(EXAMPLES[names[0]])]
    with pytest.raises(Unavailable, match=r"maps .* nor has this scenario been recorded"):
        ask_linux([Mmap("a", 1 << 45)])


def test_on_another_system_the_recording_answers():
    """Nothing of Linux's is imported there: these modules are not to be had."""
    code = """
import sys
sys.platform = "darwin"
sys.modules |= dict.fromkeys(["fcntl", "resource", "ctypes"])
from hugezero.scenario.live import ask_linux
from hugezero.scenario.live import settings
from hugezero.scenario.live.examples import EXAMPLES
answer = ask_linux(EXAMPLES["2 MiB are forgotten"])
print(answer.source, len(answer.observations))
"""
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert asked.stdout.startswith("recorded on Linux 6.18.44, x86_64 (enabled madvise"), asked.stderr
    assert asked.stdout.endswith("since here this system is darwin, no Linux 5\n")


def test_the_examples_of_settings_are_true():
    assert doctest.testmod(settings) == (0, 1)
