"""Who may ask Linux what: the same scenarios with fewer rights, and with less to see."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hugezero.hw.ram import PMD_SIZE
from hugezero.scenario import DropCaches, Madvise, Mmap, Read, simulate
from hugezero.scenario.live import Unavailable
from hugezero.scenario.live.comparing import first_difference
from hugezero.scenario.live.examples import EXAMPLES
from hugezero.scenario.live.linux import Linux
from hugezero.scenario.live.processes import Keeper
from hugezero.scenario.live.syscalls import MADV

from tests.scenario.kernels import KERNELS

pytestmark = pytest.mark.xdist_group("live")  # one at a time may ask
PROJECT = Path(__file__).resolve().parents[2]
ASK = """
from hugezero.scenario.live.examples import EXAMPLES
from hugezero.scenario.live.linux import Linux
from tests.scenario.test_live_who import differences
with Linux() as linux:
    print({name for name, why in linux.can.reasons.items() if why}, differences(linux))
"""
NOBODY = [  # who may read all files, since Python's own may be where nobody else can
    "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all,+dac_read_search",
    "--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search",
]  # fmt: skip
BOX = ["bwrap", "--dev-bind", "/", "/"]
VANTAGES = {
    "nobody": (NOBODY, {"frames", "drop", "switch"}),
    "a user namespace": (["unshare", "--user"], {"frames"}),
    "a read-only /proc": ([*BOX, "--ro-bind", "/proc", "/proc"], {"drop"}),
    "a container without kpageflags": (
        [*BOX, "--unshare-pid", "--proc", "/proc", "--ro-bind", "/etc/hostname", "/proc/kpageflags"],
        {"flags"},
    ),
}


def differences(linux):
    """Those of the scenarios that Linux does not show as the reference does."""
    reference = KERNELS["per-mm flag"]
    found = {
        name: first_difference(linux.run(each), simulate(each, reference, log=False))
        for name, each in EXAMPLES.items()
        if linux.can["drop"] or DropCaches() not in each
    }
    return {name: what for name, what in found.items() if what}


@pytest.fixture(scope="module", autouse=True)
def linux_can_be_asked():
    try:
        Linux().close()
    except Unavailable as why:
        pytest.skip(f"this machine cannot be asked: {why}")


@pytest.mark.parametrize("vantage", VANTAGES)
def test_with_fewer_rights_less_is_seen_and_nothing_else_is_different(vantage):
    command, hidden = VANTAGES[vantage]
    if os.getuid() or not shutil.which(command[0]):
        pytest.skip(f"root and {command[0]} can take this vantage, and one of them is not here")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{PROJECT}:{PROJECT / 'course'}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    asked = subprocess.run(
        [*command, sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, cwd="/"
    )
    assert asked.stdout, asked.stderr
    seen, rest = asked.stdout.split("} ", 1)
    assert hidden <= ast.literal_eval(seen + "}")
    assert rest == "{}\n"


@pytest.mark.parametrize(
    ("without", "kinds"),
    [
        (["scan"], {"huge zero page", "mapped"}),  # root sees it all the same, by the flags of the frame
        (["scan", "frames"], {"mapped"}),
        (["mapped"], set()),
        (["faults", "rss", "tables", "counters"], {"huge zero page"}),
    ],
    ids=lambda each: " ".join(sorted(each)) or "nothing",  # the same in every worker
)
def test_what_cannot_be_seen_stops_nothing_else(without, kinds):
    with Linux(without=without) as linux:
        assert differences(linux) == {}
        seen = linux.run([Mmap("a", PMD_SIZE), Madvise("a", "hugepage"), Read("a")])[-1]
    assert {kind for _, _, kind, _ in seen.mappings} <= kinds
    assert bool(seen.mappings) == bool(kinds)


@pytest.mark.parametrize(
    ("without", "what"),
    [([], "rss"), (["rss"], "kind"), (["rss", "mapped"], "thp_fault_alloc")],
    ids=str,
)
def test_a_difference_is_found_in_whatever_can_be_seen(without, what):
    """Lab 1's kernel has no huge zeroes: whoever reads gets 2 MiB of his own."""
    scenario = [Mmap("a", PMD_SIZE), Madvise("a", "hugepage"), Read("a")]
    with Linux(without=without) as linux:
        found = first_difference(linux.run(scenario), simulate(scenario, KERNELS["zero page"], log=False))
    assert (found.at, found.what) == (2, what)


def test_zeroes_that_somebody_else_holds_are_not_compared():
    somebody = Keeper()
    try:
        process = somebody.start()
        at = (1 << 38) + PMD_SIZE
        process.ask("mmap", at, PMD_SIZE, 0x22)
        process.ask("change", "madvise", at, PMD_SIZE, MADV["hugepage"])
        process.ask("read", at, 1, 1)
        with Linux() as linux:
            assert "thp_zero_page_alloc" in linux.run([Mmap("a", PMD_SIZE), Read("a")])[-1].unseen
            assert differences(linux) == {}
    finally:
        somebody.close()


def test_what_cannot_be_done_here_is_a_plain_line():
    with Linux(without=["drop"]) as linux:
        with pytest.raises(Unavailable, match="drops caches: left out"):
            linux.run([DropCaches()])
        with pytest.raises(Unavailable, match=r"maps \d+ MiB, and \d+ MiB of memory are free"):
            linux.run([Mmap("a", 1 << 45)])
