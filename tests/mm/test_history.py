"""The write faults of four kernels: what each leaves behind, with huge pages to be had and without."""

import pytest
from hugezero.hw.ram import PAGE_SIZE, PMD_SIZE
from hugezero.machine import Kernel
from hugezero.mm.history import VERSIONS, write_fault_of
from hugezero.scenario import Madvise, Mmap, Read, Simulated, Write

from tests.scenario.kernels import KERNELS

TODAY = KERNELS["huge zero page"].functions
PLENTY, NONE = 1 << 13, 1023  # frames: without 2 MiB behind those that boot sets aside
READS = [Mmap("a", 2 * PMD_SIZE), Madvise("a", "hugepage"), Read("a", 0, 2 * PMD_SIZE, PMD_SIZE)]


def run(version, pages, *writes):
    handler = write_fault_of(version, TODAY["do_huge_pmd_wp_page"])
    simulated = Simulated(Kernel({**TODAY, "do_huge_pmd_wp_page": handler}), pages=pages)
    *_, last = simulated.run([*READS, *writes])
    return last.rss["main"], last.faults["main"], last.vmstat["thp_split_pmd"]


@pytest.mark.parametrize(
    ("version", "pages", "seen"),
    [
        ("3.8", PLENTY, (512, 3, 0)),
        ("3.15", PLENTY, (512, 3, 0)),
        ("5.8", PLENTY, (1, 3, 1)),
        ("6.13", PLENTY, (512, 3, 0)),
        ("3.8", NONE, (1, 3, 0)),
        ("3.15", NONE, (1, 3, 1)),
        ("5.8", NONE, (1, 3, 1)),
        ("6.13", NONE, (1, 3, 1)),
    ],
)
def test_one_byte_is_written(version, pages, seen):
    assert run(version, pages, Write("a", PAGE_SIZE)) == seen


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("pages", [PLENTY, NONE])
def test_what_is_written_can_be_read_and_nothing_else_changes(version, pages):
    handler = write_fault_of(version, TODAY["do_huge_pmd_wp_page"])
    simulated = Simulated(Kernel({**TODAY, "do_huge_pmd_wp_page": handler}), pages=pages)
    reads = [Read("a", PMD_SIZE + 3 * PAGE_SIZE), Read("a", PMD_SIZE), Read("a", 3 * PAGE_SIZE)]
    *_, one, two, three = simulated.run([*READS, Write("a", PMD_SIZE + 3 * PAGE_SIZE, b"x"), *reads])
    assert (one.seen, two.seen, three.seen) == ([(ord("x"), 1)], [(0, 1)], [(0, 1)])


def test_who_reads_first_and_then_writes_all_has_a_fault_for_each_page_from_5_8_to_6_12():
    every = Write("a", 0, b"x", PMD_SIZE)
    assert run("5.8", PLENTY, every)[1] == 2 + 512
    assert run("6.13", PLENTY, every)[1] == 2 + 1


def test_another_version_is_refused_by_name():
    with pytest.raises(ValueError, match=r"there is no '4\.9' here: it is one of 3\.8, 3\.15, 5\.8, 6\.13"):
        write_fault_of("4.9", TODAY["do_huge_pmd_wp_page"])
