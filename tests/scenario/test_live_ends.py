"""However asking Linux ends: settings are put back, and no process is left."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from hugezero.hw.ram import PMD_SIZE
from hugezero.scenario import Exit, Fork, Madvise, Mmap, NotAScenario, Read, Thread, UseZeroPage
from hugezero.scenario.live import Unavailable
from hugezero.scenario.live.linux import Linux
from hugezero.scenario.live.processes import Keeper
from hugezero.scenario.live.run import Run
from hugezero.scenario.live.settings import THP, setting

from tests.ctrl_c import hears_ctrl_c

pytestmark = pytest.mark.xdist_group("live")  # one at a time may ask
ASKS = """
import sys
from hugezero.scenario import *
from hugezero.scenario.live.linux import Linux
from hugezero.scenario.live.run import Run

with Linux(change_settings={changes}) as linux:
    run = Run(linux)
    for action in [Mmap("a", 1 << 22), Madvise("a", "hugepage"), Read("a"), Thread("t"), Fork("b"), Fork("c", "b"),
                   *[UseZeroPage(False)] * {changes}, Exit("b")]:
        run.do(action)
    print(linux.keeper.process.pid, flush=True)
    {then}
"""
READS = "[run.do(Read('a', 0, 1 << 22, 1)) for _ in iter(int, 1)]"


@pytest.fixture(scope="module", autouse=True)
def linux_can_be_asked():
    """Skips all of these where it cannot; returns whether settings can be changed."""
    try:
        with Linux(change_settings=True) as linux:
            return linux.can["switch"]
    except Unavailable as why:
        pytest.skip(f"this machine cannot be asked: {why}")


def members(group):
    """The processes of a process group, zombies left out."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            pass
    return found


def only_left(group, pids):
    """Whether processes of a group besides *pids* end; they take a moment, and a minute is for ever."""
    for _ in range(6000):
        if not {process.pid for process in members(group)} - set(pids):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_keeper_may_be_told_to_end(how, linux_can_be_asked):
    before = setting("use_zero_page")
    code = ASKS.format(changes=linux_can_be_asked, then="input()")
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=hears_ctrl_c,
    ) as asking:
        keeper = int(asking.stdout.readline())
        os.kill(keeper, how)
        assert only_left(keeper, [])
        assert setting("use_zero_page") == before


@pytest.mark.parametrize("then", ["input()", READS], ids=["between actions", "in the middle of one"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_who_asks_may_be_killed(how, then, linux_can_be_asked):
    code = ASKS.format(changes=linux_can_be_asked, then=then)
    asking = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=hears_ctrl_c,
    )
    keeper = int(asking.stdout.readline())
    assert len(members(keeper)) == 3, "the keeper, main and c"
    if linux_can_be_asked:
        assert setting("use_zero_page") == "0"
    asking.send_signal(how)
    asking.wait()
    assert only_left(keeper, [])
    assert setting("use_zero_page") == "1"
    asking.stdin.close()
    asking.stdout.close()


@pytest.mark.parametrize("many", [20, pytest.param(200, marks=pytest.mark.full)])
def test_many_children_that_are_left_end_with_the_scenario(many):
    with Linux() as linux:
        last = linux.run([Mmap("a", PMD_SIZE), *(Fork(f"child {n}") for n in range(many))])[-1]
        assert len(last.rss) == 1 + many
        assert only_left(linux.keeper.process.pid, [linux.keeper.process.pid])
    assert members(linux.keeper.process.pid) == []


def test_a_list_that_is_no_scenario_leaves_nothing():
    with Linux() as linux:
        for wrong in (
            [Read("a")],
            [Fork("b"), Fork("b")],
            [Exit(), Exit()],
            ["Read"],
            [Thread("t"), Read("a", by="x")],
        ):
            with pytest.raises(NotAScenario):
                linux.run(wrong)
        assert only_left(linux.keeper.process.pid, [linux.keeper.process.pid])


def test_a_process_that_is_killed_by_somebody_else_is_a_plain_line():
    with Linux() as linux:
        run = Run(linux)
        run.do(Mmap("a", PMD_SIZE))
        for process in psutil.Process(linux.keeper.process.pid).children():
            process.kill()
        with pytest.raises(Unavailable, match="ended by somebody else"):
            run.do(Read("a"))
        run.end()
        assert linux.run([Mmap("a", PMD_SIZE), Read("a")])[-1].seen == [(0, 1)]


def test_settings_are_changed_only_if_asked_and_are_put_back(linux_can_be_asked):
    if not linux_can_be_asked:
        pytest.skip("only root can change the settings of this machine")
    before = {name: setting(name) for name in ("enabled", "use_zero_page")}
    scenario = [Mmap("a", PMD_SIZE), Madvise("a", "hugepage"), Read("a")]
    for name, off in (("enabled", "never"), ("use_zero_page", "0")):
        somebody = Keeper()
        somebody.set(str(THP / name), off)
        try:
            with pytest.raises(Unavailable, match=f"{name} is {off}"):
                Linux()
            with Linux(change_settings=True) as linux:
                assert {kind for _, _, kind, _ in linux.run(scenario)[-1].mappings} == {"huge zero page"}
            assert setting(name) == off
        finally:
            somebody.close()
        assert {each: setting(each) for each in before} == before
    with Linux() as linux, pytest.raises(Unavailable, match="changes use_zero_page"):
        linux.run([UseZeroPage(False)])
