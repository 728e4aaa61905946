"""Linux and a reference are compared: what differs is made small, and explained or told."""

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
    Simulated,
    Thread,
    Write,
)
from hugezero.scenario.live.comparing import plain
from hugezero.scenario.live.examples import EXAMPLES
from hugezero.scenario.live.here import Unavailable
from hugezero.scenario.live.learned import LEARNED, AsLinux
from hugezero.scenario.live.observed import LiveObservation
from hugezero.scenario.live.recording import Recording, read

from autograder.labs.shrinking import fail_with_the_smallest
from autograder.prove.conform import Asked, Conform, kernel
from solutions.lab4_mm_flag import page_outlives_its_mappings
from tests.scenario.kernels import KERNELS

pytestmark = pytest.mark.xdist_group("live")  # one at a time may ask
REFERENCE = KERNELS["per-mm flag"]
LONG = [
    Mmap("b", PAGE_SIZE), Write("b"), Mmap("a", PMD_SIZE), Madvise("a", "hugepage"), Fork("child"), Read("b"),
    Read("a", 0, PMD_SIZE, by="child"), Exit("child"),
]  # fmt: skip


def blind(observations):
    """*observations* of a simulated kernel, as of a running one: the rights of a mapping do not show."""
    for each in observations:
        mappings = [(process, page, plain(kind), frame) for process, page, kind, frame in each.mappings]
        yield LiveObservation(**{**vars(each), "mappings": mappings})


def like(kernel, machine=Simulated):
    """A Linux that does what a simulated *kernel* does."""
    return Asked(lambda scenario: list(blind(machine(kernel, log=False).run(scenario))), "simulated")


def conform(asked, *scenarios, reference=REFERENCE):
    named = [(f"number {n}", scenario) for n, scenario in enumerate(scenarios)]
    return Conform(asked, reference, fail_with_the_smallest).all(named, lambda: None)


def test_equal_kernels_are_as_the_reference():
    tally = conform(like(REFERENCE), LONG)
    assert (tally.same, tally.explained, tally.unlike) == (1, 0, [])


def test_a_difference_without_a_cause_is_told_by_the_smallest_program():
    tally = conform(like(KERNELS["zero page"]), LONG)
    (unlike,) = tally.unlike
    assert unlike.program == [
        Mmap("a", PMD_SIZE),
        Madvise("a", "hugepage"),
        Fork("child"),
        Read("a", by="child"),
    ]
    assert "RSS of 'child' is 512 on Linux, 0 simulated" in unlike.words
    assert tally.lines()[-1].startswith("UNLIKE number 0")


@pytest.mark.parametrize(
    ("cause", "scenario"),
    [
        ("a range with a hole", [Mmap("a", 4 * PAGE_SIZE), Munmap("a", PAGE_SIZE, PAGE_SIZE), Mprotect("a", False)]),
        (
            "a change that changes nothing",
            [
                Mmap("a", PMD_SIZE), Madvise("a", "hugepage"), Madvise("a", "hugepage", 0, PAGE_SIZE), Read("a")
            ],
        ),
        ("exec ends threads", [Thread("t"), Exec("t")]),
        ("pages around a page of a file", [Mmap("f", 2 * PAGE_SIZE, data=b"text"), Read("f", PAGE_SIZE)]),
        ("shared pages are writable at once", [Mmap("s", PAGE_SIZE, True), Read("s"), Write("s")]),
    ],
)  # fmt: skip
def test_each_cause_that_is_learned_is_named(cause, scenario):
    tally = conform(like(REFERENCE, AsLinux), scenario)
    assert (tally.same, tally.explained, [*tally.known]) == (0, 1, [cause])
    assert cause in LEARNED


def test_running_linux_tells_the_designs_apart():
    """What a process has unmapped it still holds, since 2016: only a drop shows it."""
    stays = [*page_outlives_its_mappings(), Mmap("b", PMD_SIZE), Madvise("b", "hugepage"), Read("b")]
    try:
        with kernel(False, ()) as asked:
            right, wrong = (
                conform(asked, stays, reference=KERNELS[name]) for name in ("per-mm flag", "counted")
            )
    except Unavailable as why:
        pytest.skip(f"this machine cannot be asked: {why}")
    if right.not_asked:
        pytest.skip(f"this cannot be asked here: {right.not_asked}")
    assert right.same == 1
    assert "thp_zero_page_alloc changed by +1 on Linux, +2 simulated" in wrong.unlike[0].words


def test_what_cannot_be_asked_is_counted_by_its_reason():
    def nothing(scenario):
        raise Unavailable("it is Sunday")

    tally = conform(Asked(nothing, "closed"), LONG, LONG)
    assert tally.not_asked == {"it is Sunday": 2}
    assert tally.lines() == [
        "0 scenarios: 0 as on the reference, 0 otherwise for known causes, 0 otherwise without one; 2 not asked",
        "  2 not asked: it is Sunday",
    ]


def test_a_recording_is_compared_too():
    recording = Recording({"kernel": "Linux 6.0", "architecture": "x86_64"}, {})
    recording.add(LONG, list(blind(Simulated(KERNELS["zero page"], log=False).run(LONG))))
    tally = conform(Asked(like(REFERENCE).ask, "simulated", recording), LONG)
    assert "unlike the recording: after Read" in tally.unlike[0].words


def test_a_recording_says_all_that_was_seen(tmp_path):
    recording = Recording({"kernel": "Linux 6.0", "architecture": "x86_64", "enabled": "madvise"}, {})
    for each in EXAMPLES.values():
        recording.add(each, list(blind(Simulated(REFERENCE, log=False).run(each))))
    recording.write(tmp_path / "recorded.json")
    assert read(tmp_path / "recorded.json") == recording
    assert str(recording) == "Linux 6.0, x86_64 (enabled madvise)"
