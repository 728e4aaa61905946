"""The net: while folders and modules move, what students, instructors and readers get stays what it was.

Frozen in `frozen/`, a file each; `python -m tests.net` compares all of it, `--update` freezes it anew:
- points: each check's points, voice and flag, for the demo submissions (here, long form only), the bad input
  (autograder/grading/test_bad_input.py) and the bad habits (check/, explore/, autograder/judge/test_bad_habits.py);
- pictures: every one that a test in view/ draws, as a digest (its conftest.py), those of the notebooks at every
  stage, with those on failing checks (test_every_stage_runs.py), and one of each kind as a whole (here);
- release: the bytes of the notebooks, and what is in a student's zip (here; the zips in the long form only).

What is told to each known mistake is not here: `python -m autograder verify` compares it with
autograder/labs/*/counterexamples.txt.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hugezero import view
from hugezero.cost.cacheline import replay
from hugezero.cost.contention import Local, bouncing, phases, sweep
from hugezero.explore.byhand import ByHand
from hugezero.explore.search import explore
from hugezero.hw.ram import PAGE_SIZE
from hugezero.mm.page_alloc import alloc_folio, folio_put
from hugezero.scenario import Fork, Mmap, Read, Simulated, Write
from hugezero.store import KernelBug

from autograder.course import package, release
from autograder.course.layout import Course
from autograder.grading import grade
from autograder.prove import demo, known_answers, submissions
from tests.net import drawn
from tests.net.frozen import digest, same, submission
from tests.scenario.kernels import KERNELS
from tests.view.charts.test_cache_line import COUNTED, FLAG
from tests.view.charts.test_chart_and_progress import figure
from tests.view.conftest import KERNEL, STORY
from tests.view.memory.test_huge_pages_in_the_map import READ
from tests.view.schedules.test_schedule import NAMES, VERSIONS, searched

STEMS = Course().stems()


def ran(*actions: Any, kernel: Any = KERNEL) -> Simulated:
    simulated = Simulated(kernel, pages=4096)
    simulated.run(actions)
    return simulated


def broken() -> Simulated:
    """The story, and then a folio that is put twice."""
    simulated = ran(*STORY)
    with simulated.machine, pytest.raises(KernelBug):
        folio = alloc_folio()
        folio_put(folio)
        folio_put(folio)
    return simulated


def files_and_disks() -> Simulated:
    from solutions.lab1_zero_page import blkdev_issue_zero_pages

    simulated = ran(Mmap("f", PAGE_SIZE, data=b"hello"), Read("f"))
    disk = simulated.machine.disk(4096)
    with simulated.machine:
        blkdev_issue_zero_pages(disk, 8, 80)
    return simulated


def schedule_of(version: str) -> Any:
    args, more = searched(version)
    return view.schedule(explore(*args, **more), NAMES, by_hand=ByHand(*args, **more))


HUGE = *READ, Write("a", 0, b"hi"), Fork("child")
LONG = Mmap("a", 64 * PAGE_SIZE), Read("a", 0, 64 * PAGE_SIZE)
PICTURES: dict[str, Callable[[], Any]] = {
    "map": lambda: view.memory_map(ran(*STORY)),
    "map of a kernel bug": lambda: view.memory_map(broken()),
    "map of a long log": lambda: view.memory_map(ran(*LONG), at=200),
    "map of files and disks": lambda: view.memory_map(files_and_disks()),
    **{f"map of {d}": lambda d=d: view.memory_map(ran(*HUGE, kernel=KERNELS[d])) for d in KERNELS},
    "timeline": lambda: view.timeline(ran(*STORY), at=20),
    "timeline of a kernel bug": lambda: view.timeline(broken()),
    **{f"schedule, {v}": lambda v=v: schedule_of(v) for v in ("right", *VERSIONS)},
    "cache line": lambda: view.travel(replay(phases(COUNTED, Local(fault=300), 20), 4, keep=True)),
    "chart": lambda: view.chart(figure(), alt="RSS grows", text="1 MiB: 1"),
    "chart of throughput": lambda: view.throughput_chart(
        {"counted": sweep(COUNTED, (1, 24, 72), 512), "flag": sweep(FLAG, (1, 24, 72), 512)}
    ),
    "chart of cycles": lambda: view.cycles_chart({"72 CPUs": bouncing(COUNTED, part=512)}),
    "chart of lines": lambda: view.lines_chart(bouncing(COUNTED, part=512)),
}


@pytest.mark.parametrize("what", PICTURES)
def test_a_picture_is_what_it_was(what: str) -> None:
    same(f"pictures/{what.replace(' ', '-').replace(',', '')}", drawn.whole(PICTURES[what]()))


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The course, with a build/ of its own."""
    root = tmp_path_factory.mktemp("net")
    for name in ("course", "solutions", "autograder"):
        (root / name).symlink_to(Course().root / name, target_is_directory=True)
    return Course(root)


def members(path: Path) -> str:
    return "\n".join(sorted(zipfile.ZipFile(path).namelist()))


@pytest.mark.xdist_group("net")
def test_released_notebooks_have_the_same_bytes(course: Course) -> None:
    for stem in STEMS:
        release.release(course, stem)
    paths = {stem: course.build / "release" / stem / f"{stem}.ipynb" for stem in STEMS}
    same("release/notebooks", {stem: digest(path.read_bytes()) for stem, path in paths.items()})


@pytest.mark.xdist_group("net")
@pytest.mark.full  # to look for leaks takes seconds a lab
def test_student_zips_hold_the_same_files(course: Course) -> None:
    zips = {stem: package.package(course, stem) for stem in STEMS}
    wheels = [next((course.build / "wheel" / stem).glob("*.whl")) for stem in STEMS]
    same("release/wheel_members", {wheel.name: members(wheel) for wheel in wheels})
    same("release/zip_members", {stem: members(path) for stem, path in zips.items()})
    for stem, path in zips.items():
        archive = zipfile.ZipFile(path)
        names = sorted(name for name in archive.namelist() if not name.endswith(".whl"))
        same("release/zip_bytes", {stem: "\n".join(f"{digest(archive.read(n))} {n}" for n in names)})


@pytest.mark.xdist_group("net")
@pytest.mark.sandboxed
@pytest.mark.full  # half a minute a lab
@pytest.mark.parametrize("stem", STEMS)
def test_demo_submissions_get_the_same_points(course: Course, stem: str) -> None:
    release.release(course, stem)
    known_answers.keep_stories(course, stem)
    for student, notebook in demo.examples(course, stem).items():
        submissions.submit(course, student, stem, notebook)
    for found in grade.grade(course, stem):
        same("points/demo", {f"{stem} {found.student}": submission(found)})
