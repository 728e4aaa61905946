"""The search against an independent model in Promela, which the model checker spin explores."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hugezero.explore.search import explore
from hugezero.mm.page_alloc import SMALL

from tests.conftest import missing

from .versions import at_rest, kernel, scan_that_trusts_count, shrinker, user


@pytest.fixture(scope="session")
def spin(tmp_path_factory):
    """Checks huge_zero.pml; gives what it printed: errors found, and the ends that can be reached."""
    for program in ("spin", "cc"):
        if not shutil.which(program):
            missing(f"There is no {program} here", "Install it (Debian: apt install spin gcc libc6-dev)")
    model = Path(__file__).with_name("huge_zero.pml")

    def check(users, *defined):
        folder = tmp_path_factory.mktemp("spin")

        def run(*command):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
            return done.stdout

        run("spin", f"-DUSERS={users}", *defined, "-a", str(model))
        run("cc", "-O1", "-DSAFETY", "-o", "pan", "pan.c")
        told = run("./pan", "-m100000")
        ends = {tuple(map(int, line.split()[1:])) for line in told.splitlines() if line.startswith("END")}
        return "errors: 0" not in told, ends

    return check


def found(users, **changed):
    return explore(kernel(**changed), [user()] * users + [shrinker()], at_end=at_rest)


def as_spin_has_it(end):
    """An end as (count, which user installed the page)."""
    cells = dict(end)
    folio = cells.get("HugeZero(0).folio")
    return int(cells.get("HugeZero(0).refcount", "0")), (int(folio[6:-1], 16) - SMALL) >> 15 if folio else 0


@pytest.mark.parametrize("users", [1, 2, 3])
def test_the_same_ends_can_be_reached(spin, users):
    wrong, ends = spin(users)
    mine = found(users)
    assert not wrong and mine.bug is None
    assert {as_spin_has_it(end) for end in mine.ends} == ends
    assert len(ends) == users + 1


def test_both_find_the_shrinker_that_trusts_what_it_read(spin):
    wrong, _ = spin(2, "-DBROKEN")
    assert wrong and found(2, scan=scan_that_trusts_count).bug
