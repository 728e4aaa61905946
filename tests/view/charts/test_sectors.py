"""A disk as a strip: every sector is in it, and what has leaked can be seen however little it is."""

import re

import pytest
from hugezero.labs.lab5.disk_programs import OnDisk
from hugezero.scenario.storage import WithDisk
from hugezero.view.charts.sectors import LEAST, LEFT, WIDTH, Range, sectors

from tests.scenario.kernels import KERNELS

BOX = r'<rect x="(\S+)" y="\S+" width="(\S+)" height="30" rx="6" class="(\w+)"/>'


def boxes(html):
    return [(float(x), float(width), look) for x, width, look in re.findall(BOX, html)]


@pytest.mark.parametrize("at", [0, 7, 16_383])
def test_one_leaked_sector_is_marked_wherever_it_is(at):
    ranges = [Range(0, at, "zeroes"), Range(at, 1, "something else"), Range(at + 1, 16_383 - at, "old data")]
    made = sectors([each for each in ranges if each.many], "a title", "a line\nanother")
    drawn = boxes(made._repr_mimebundle_()["text/html"])
    assert [look for *_, look in drawn if look == "leaked"] == ["leaked"]
    assert all(width > LEAST * 0.9 for _, width, _ in drawn)
    ends = [x + width for x, width, _ in drawn]
    assert drawn[0][0] == LEFT and ends[-1] == pytest.approx(WIDTH - LEFT, abs=0.2)
    assert ends[:-1] == pytest.approx([x for x, *_ in drawn[1:]], abs=0.2), "side by side"
    html = made._repr_mimebundle_()["text/html"]
    assert html.count(">✗</text>") == 1 and "hz-title bad" in html
    assert f">{at:,}</text>" in html, "its number can be read"


@pytest.fixture
def disk():
    return WithDisk(KERNELS["counted"], pages=4096)


def test_a_program_on_a_disk_shows_what_it_left_there(disk):
    told = OnDisk(disk)._repr_mimebundle_()
    assert "Nothing has leaked to the disk" in told["text/html"]
    assert told["text/plain"] == "sectors      0 to 16,383: old data"
    with disk.machine:
        disk.bdev.data.store(9 * 512, b"a password")
    told = OnDisk(disk)._repr_mimebundle_()
    assert "Something else is on 1 sector<" in told["text/html"]
    assert "a password" in told["text/html"] and "a password" in told["text/plain"]
    assert "Stopped: why" in OnDisk(disk, "why")._repr_mimebundle_()["text/html"]


def test_luck_is_not_taken_for_right(disk):
    disk.late.append(disk.mms["main"])
    assert "but the disk read what had been freed" in OnDisk(disk)._repr_mimebundle_()["text/html"]
