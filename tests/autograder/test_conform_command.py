"""python -m autograder conform, as a person calls it."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hugezero.scenario.live.examples import EXAMPLES
from hugezero.scenario.live.recording import read

from tests.ctrl_c import hears_ctrl_c

pytestmark = pytest.mark.xdist_group("live")  # one at a time may ask
PROJECT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "autograder", "conform", "lab0_machine"]


def conform(*more, box=()):
    done = subprocess.run([*box, *COMMAND, *more], cwd=PROJECT, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_it_prints_what_can_be_seen_here_and_ends_with_0_where_all_differences_have_a_cause(tmp_path):
    code, said, errors = conform("--generated", "2", "--record", str(tmp_path / "mine.json"))
    if "RECORDED" in said:
        pytest.skip(said.splitlines()[0])
    assert code == 0, said + errors
    assert re.match(r"Linux [\d.]+, \w+ \(enabled ", said)
    assert "which are zero pages, and huge" in said
    assert re.search(
        r"^\d+ scenarios: \d+ as on the reference, \d+ otherwise for known causes, 0 otherwise", said, re.M
    )
    assert len(read(tmp_path / "mine.json").answers) == len(EXAMPLES)


@pytest.mark.parametrize(
    ("hidden", "why"),
    [
        ("/sys", "transparent huge pages are not built into this kernel"),
        ("/proc", "/proc does not show the pages of a process here"),
    ],
)
def test_where_linux_cannot_be_asked_a_recording_stands_in_and_it_says_so(hidden, why, tmp_path):
    if not shutil.which("bwrap"):
        pytest.skip("bubblewrap hides a folder, and is not here")
    box = ["bwrap", "--dev-bind", "/", "/", "--tmpfs", hidden]
    code, said, errors = conform("--generated", "0", box=box)
    assert code == 0, said + errors
    assert said.startswith("RECORDED on Linux 6.18.44, x86_64 (")
    assert why in said.splitlines()[0]
    assert f"{len(EXAMPLES)} scenarios: {len(EXAMPLES)} as on the reference" in said
    assert re.search(r"^  \d+ not asked: it has not been recorded$", said, re.M)
    code, _, errors = conform("--generated", "0", "--record", str(tmp_path / "mine.json"), box=box)
    assert code == 2
    assert "this is a recording already" in errors


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--without", "luck"], "there is no luck to do without: use bytes, faults"),
        (["--record", "/nowhere/mine.json"], "there is no folder /nowhere"),
        (["lab99"], "there is no lab 'lab99'"),
    ],
)
def test_what_makes_no_sense_is_a_plain_line(more, why):
    code, _, errors = conform("--generated", "0", *more)
    assert code == 2
    assert errors.startswith("error: ")
    assert why in errors
    assert "Traceback" not in errors


def test_ctrl_c_ends_it_with_a_line():
    asking = subprocess.Popen(
        COMMAND,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hears_ctrl_c,
    )
    asking.stdout.readline()
    asking.send_signal(signal.SIGINT)
    _, errors = asking.communicate()
    assert asking.returncode == 130
    assert errors.endswith("error: interrupted: settings are put back, and no process is left\n")
    assert "Traceback" not in errors
