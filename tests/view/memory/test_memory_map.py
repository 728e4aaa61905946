"""The memory map is a function of a moment of a log, and tells the whole truth about it."""

import re
from collections import Counter
from typing import NamedTuple

import pytest
from hugezero.hw.ram import PAGE_SIZE, PTRS_PER_PTE
from hugezero.machine import Machine
from hugezero.mm.page_alloc import ZERO_PAGE, Folio, alloc_folio, folio_put
from hugezero.mm.pgtable import Pmd, PmdTable, PteTable
from hugezero.scenario import Exit, Fork, Madvise, Mmap, Mprotect, Munmap, Read, Write
from hugezero.store import KERNEL, KernelBug
from hugezero.view import words
from hugezero.view.memory.drawing import RANGE_W, drawing, place
from hugezero.view.memory.pages import pages
from hugezero.view.memory.scene import scene
from hugezero.view.memory.text import as_text
from hugezero.view.moments import Film
from hugezero.view.pages import still
from hugezero.view.shapes import svg
from hypothesis import given
from hypothesis import strategies as st

PAGES = 9


@st.composite
def programs(draw):
    """Programs of up to three processes on two areas; nothing they do is against the rules."""
    actions = [Mmap("a", PAGES * PAGE_SIZE), Mmap("s", 3 * PAGE_SIZE, shared=True)]
    alive = ["main"]
    for step in range(draw(st.integers(0, 7))):
        by = draw(st.sampled_from(alive))
        page = draw(st.integers(0, PAGES - 1)) * PAGE_SIZE
        span = draw(st.integers(1, 6)) * PAGE_SIZE
        span = min(span, PAGES * PAGE_SIZE - page)
        kind = draw(st.sampled_from("rrwwwsfxpdu"))
        if kind == "r":
            actions.append(Read("a", page, span, by=by))
        elif kind == "w":
            actions.append(Write("a", page, draw(st.sampled_from([b"\0", b"hi", b"\x01" * 9])), span, by=by))
        elif kind == "s":
            actions.append(Write("s", min(page, 2 * PAGE_SIZE), by=by))
        elif kind == "f" and len(alive) < 3:
            alive.append(f"child{step}")
            actions.append(Fork(alive[-1], by=by))
        elif kind == "x" and by != "main":
            alive.remove(by)
            actions.append(Exit(by=by))
        elif kind == "p":
            actions.append(Mprotect("a", False, page, span, by=by))
        elif kind == "d":
            actions.append(Madvise("a", "dontneed", page, span, by=by))
        elif kind == "u" and step == 6:
            actions.append(Munmap("a", page, span, by=by))
    return actions


def last_scene(simulated, fold=16):
    film = Film(simulated)
    *_, (_, _, state) = film.states()
    return scene(film, state, fold)


def again(log, k):
    """A machine on which only the first *k* operations of *log* were done."""
    machine = Machine(pages=4096)
    for done in log[:k]:
        cell = (KERNEL, "objects") if done.verb == "new" else done.cell
        assert machine.op(cell, done.verb, done.args) == done.result
    return machine


@given(program=programs())
def test_the_same_log_gives_the_same_bytes(run, program):
    one, two = (pages(Film(run(*program)), rows=True) for _ in range(2))
    assert one == two
    assert still(one) == still(two)


@pytest.mark.parametrize("part", range(4))
def test_the_map_of_moment_k_is_the_map_of_a_machine_that_ran_only_k_operations(story, part):
    log = story.machine.log
    whole = pages(Film(story.machine))
    for k in range(part, len(log) + 1, 4):
        short = pages(Film(again(log, k)))
        assert drawn(short, -1) == drawn(whole, k)
        assert short.moments[-1]["title"] == whole.moments[k]["title"]
        assert short.moments[-1]["changed"] == whole.moments[k]["changed"]


def drawn(made, number):
    return svg(made.parts[i] for i in made.pages[made.moments[number]["page"]])


@given(program=programs())
def test_each_frame_in_use_is_drawn_once_with_all_that_point_at_it(run, program):
    simulated = run(*program)
    peek = simulated.machine.peek
    tables = {v for v in simulated.machine.cells.values() if isinstance(v, PteTable)}
    used = {
        cell[0]
        for cell, value in simulated.machine.cells.items()
        if cell[1] == "state"
        and isinstance(cell[0], Folio)
        and value == "live"
        and PteTable(cell[0].id) not in tables
    }
    picture = last_scene(simulated)
    times = Counter(folio for frame in picture.frames for folio in frame.folios)
    assert set(times.values()) <= {1}
    assert set(times) == used | {ZERO_PAGE}
    assert len({frame.key for frame in picture.frames}) == len(picture.frames)
    boxes = "".join(drawing(picture))
    by_key = {frame.key: frame for frame in picture.frames}
    for frame in picture.frames:
        assert boxes.count(f">{frame.name}</text>") == 1
    for row in (row for owner in picture.owners for area in owner.areas for row in area.rows):
        assert set(row.folios) <= set(by_key[row.frame].folios if row.frame else ())
        assert bool(row.frame) == bool(row.entry)
    assert peek((ZERO_PAGE, "state")) == "reserved"


@given(program=programs())
def test_the_text_names_every_mapping(run, program):
    simulated = run(*program)
    text = as_text(last_scene(simulated, fold=None))
    told = mappings_in(text)
    for process, mm in simulated.mms.items():
        for start, end, _ in simulated.machine.peek((mm, "mmap")):
            for address in range(start, end, PAGE_SIZE):
                entry = simulated.mapping(process, address)
                kind, frame = told.pop((process, address // PAGE_SIZE))
                assert (kind == "empty") == (entry is None)
                if entry is not None:
                    assert kind == words.entry_of(entry).words
                    assert entry.folio.pfn == frame
    assert told == {}


def mappings_in(text):
    """{(process, page): (entry, frame)}, read back from the text."""
    told = {}
    for line in text.split("\nframes")[0].splitlines():
        if head := re.match(r"(\S+): RSS ", line):
            process = head[1]
        elif re.match(r"\S", line):
            process = None
        elif row := re.match(
            r"    0x([0-9a-f]+)(?:–0x([0-9a-f]+))? +(?:\d+ × )?\d+ [KMG]iB +(.*?)(?: → (.*?))?( +\*)?$", line
        ):
            first, last = (int(part or row[1], 16) // PAGE_SIZE for part in row.group(1, 2))
            frames = []
            for low, high in re.findall(r"0x([0-9a-f]+)(?:–0x([0-9a-f]+))?", row[4] or ""):
                frames += range(int(low, 16), int(high or low, 16) + 1)
            pages = range(first, last + 1)
            shared = frames * len(pages) if len(frames) == 1 else frames or [None] * len(pages)
            for page, frame in zip(pages, shared, strict=True):
                told[process, page] = row[3].strip(), frame
    return told


def test_moments_with_the_same_map_share_one_page(story):
    made = pages(Film(story))
    assert len(set(map(tuple, made.pages))) == len(made.pages) < len(made.moments) / 3
    for done, before, after in zip(story.machine.log, made.moments, made.moments[1:], strict=False):
        if done.verb == "read":
            assert after["page"] == before["page"]
            assert after["changed"] == []
    assert len(made.parts) < sum(map(len, made.pages)) / 3


def test_what_an_operation_changed_is_outlined(story):
    made = pages(Film(story))
    for k, done in enumerate(story.machine.log, 1):
        if isinstance(done.cell[0], PteTable) and done.new != done.old:
            (key,) = made.moments[k]["changed"]
            assert f'<g data-k="{key}">' in drawn(made, k)
    k = next(k for k, done in enumerate(story.machine.log, 1) if done.verb == "store")
    at_store = pages(Film(story, at=k))
    assert at_store.moments[k]["title"] == "2 bytes are written to folio 0x201 at 0x0: 68 69"
    assert still(at_store).count('class="sel"') == 1
    assert at_store.text.count("  *") == 1


def test_a_title_says_what_happened(story):
    titles = [moment["title"] for moment in pages(Film(story)).moments]
    for title in (
        "main: entry for 0x200000 now maps the zero page, read-only",
        "main: entry for 0x200000 now maps folio 0x201 instead of the zero page, writable",
        "main: entry for 0x200000 still maps folio 0x201, and is ro · dirty now",
        "child: entry for 0x200000 now maps folio 0x203 instead of folio 0x201, writable",
        "Folio 0x201: its count of holders goes from 2 to 1",
        "main: maps 0x200000–0x203fff",
    ):
        assert title in titles


def test_pages_of_one_kind_are_one_row(run):
    simulated = run(
        Mmap("a", 64 * PAGE_SIZE),
        Read("a", 0, 16 * PAGE_SIZE),
        Write("a", 32 * PAGE_SIZE, length=8 * PAGE_SIZE),
    )
    (process,) = last_scene(simulated).owners
    assert [(row.where, row.size, row.entry) for row in process.areas[0].rows] == [
        ("0x200000–0x20ffff", "16 × 4 KiB", "ro · special"),
        ("0x210000–0x21ffff", "16 × 4 KiB", ""),
        ("0x220000–0x227fff", "8 × 4 KiB", "rw · dirty"),
        ("0x228000–0x23ffff", "24 × 4 KiB", ""),
    ]


def test_frames_with_other_holders_or_another_count_are_not_drawn_as_one(run):
    simulated = run(
        Mmap("a", 12 * PAGE_SIZE),
        Write("a", length=12 * PAGE_SIZE),
        Fork("child"),
        Write("a", 5 * PAGE_SIZE, by="child"),
    )
    main, child = last_scene(simulated).owners
    split = ["0x200000–0x204fff", "0x205000", "0x206000–0x20bfff"]
    assert [row.where for row in main.areas[0].rows] == [row.where for row in child.areas[0].rows] == split
    held = {frame.name: frame.held for frame in last_scene(simulated).frames}
    assert held == {
        "folios 0x201–0x205": "each held 2 ×",
        "folio 0x206": "",
        "folio 0x20e": "",
        "folios 0x207–0x20c": "each held 2 ×",
        "zero page 0x1": "",
    }
    with simulated.machine:
        simulated.mapping("main", 0x208000).folio.refcount.inc()
    assert "0x208000" in [row.where for row in last_scene(simulated).owners[0].areas[0].rows]


def test_an_equal_count_is_not_enough_the_holders_must_be_the_same(run):
    half = 6 * PAGE_SIZE
    simulated = run(
        Mmap("a", 2 * half),
        Write("a", length=2 * half),
        Fork("one"),
        Fork("two"),
        Madvise("a", "dontneed", 0, half, by="one"),
        Madvise("a", "dontneed", half, half, by="two"),
    )
    picture = last_scene(simulated)
    assert [row.where for row in picture.owners[0].areas[0].rows] == [
        "0x200000–0x205fff",
        "0x206000–0x20bfff",
    ]
    assert [frame.held for frame in picture.frames[:2]] == ["each held 2 ×"] * 2


def test_a_picture_of_a_scattered_program_stays_small_and_its_text_whole(run):
    simulated = run(Mmap("a", 200 * PAGE_SIZE), Write("a", 0, b"\x01", 200 * PAGE_SIZE, step=2 * PAGE_SIZE))
    (process,) = last_scene(simulated).owners
    assert len(process.areas[0].rows) == 16
    assert "… 185 more ranges" in [row.where for row in process.areas[0].rows]
    assert as_text(last_scene(simulated, fold=None)).count(" rw · dirty") == 100


def test_a_process_that_has_ended_keeps_its_name_in_the_past(run):
    simulated = run(Mmap("a", PAGE_SIZE), Write("a"), Fork("child"), Exit(by="child"))
    made = pages(Film(simulated))
    assert any("child: maps" in moment["title"] for moment in made.moments)
    assert "child" not in drawn(made, -1)
    assert "mm 2" in "".join(pages(Film(simulated.machine)).parts)


def test_a_freed_folio_goes_unless_somebody_maps_it_still(run):
    simulated = run(Mmap("a", PAGE_SIZE), Write("a"))
    folio = simulated.mapping("main", 0x200000).folio
    with simulated.machine:
        folio_put(folio)
    frame, _ = last_scene(simulated).frames
    assert (frame.look, frame.words) == ("freed", "4 KiB · not allocated any more ✗")
    simulated = run(Mmap("a", PAGE_SIZE), Write("a"), Munmap("a"))
    assert [frame.name for frame in last_scene(simulated).frames] == ["zero page 0x1"]


def test_a_kernel_bug_is_a_cross_with_words(story):
    with story.machine, pytest.raises(KernelBug):
        folio = alloc_folio()
        folio_put(folio)
        folio_put(folio)
    made = pages(Film(story), rows=True)
    assert made.moments[-1]["title"] == f"✗ {folio!r} was used after it was freed"
    assert "not allocated any more ✗" in drawn(made, -1)
    assert "✗" in made.rows[-1]
    assert 'class="struck"' in still(made)
    assert "was used after it was freed" in made.text
    with story.machine:
        alloc_folio()
    assert not pages(Film(story)).moments[-1]["bug"], "the machine went on: the bug is not its last moment"


def test_caches_bios_and_disks_are_shown_where_there_are_any(run):
    from solutions.lab1_zero_page import blkdev_issue_zero_pages

    simulated = run(Mmap("f", PAGE_SIZE, data=b"hello"), Read("f"))
    assert [owner.name for owner in last_scene(simulated).owners] == ["main", "file 1"]
    disk = simulated.machine.disk(4096)
    with simulated.machine:
        blkdev_issue_zero_pages(disk, 8, 80)
    text = as_text(last_scene(simulated))
    assert "vectors 0–9              10 ×         4 KiB → zero page 0x1" in text
    assert re.search(r"sectors 8–87 +40 KiB +zeroes", text)
    assert re.search(r"sectors 88–4,095 +2,004 KiB +old: cc cc …", text)


class HugeEntry(NamedTuple):
    folio: Folio
    write: bool


def test_a_huge_entry_is_one_row_of_2_mib(run):
    simulated = run(Mmap("a", 2 * PTRS_PER_PTE * PAGE_SIZE))
    with simulated.machine:
        PmdTable(1)[1].set(Pmd(alloc_folio(9)))
    rows = last_scene(simulated).owners[0].areas[0].rows
    assert [(row.where, row.size, row.entry) for row in rows] == [
        ("0x200000–0x3fffff", "2 MiB", "huge · ro"),
        ("0x400000–0x5fffff", "512 × 4 KiB", ""),
    ]


def test_a_new_kind_of_entry_is_one_small_addition(run, monkeypatch):
    monkeypatch.setitem(words.ENTRIES, HugeEntry, lambda pmd: words.Entry(pmd.folio, "huge · rw", "writable"))
    simulated = run(Mmap("a", 2 * PTRS_PER_PTE * PAGE_SIZE))
    with simulated.machine:
        PmdTable(1)[1].set(HugeEntry(alloc_folio(9), True))
    picture = last_scene(simulated)
    row = picture.owners[0].areas[0].rows[0]
    assert (row.where, row.entry, picture.frames[0].huge) == ("0x200000–0x3fffff", "huge · rw", True)
    assert (
        pages(Film(simulated)).moments[-1]["title"]
        == "main: entry for 0x200000–0x3fffff now maps folio 0x200, writable"
    )


def boxes(picture):
    found = re.findall(r'<rect x="(.*?)" y="(.*?)" width="(.*?)" height="(.*?)"', "".join(drawing(picture)))
    return [tuple(map(float, box)) for box in found]


@given(program=programs())
def test_no_box_covers_another(run, program):
    every = boxes(last_scene(run(*program)))
    for i, (x, y, w, h) in enumerate(every):
        for a, b, c, d in every[i + 1 :]:
            assert x + w <= a or a + c <= x or y + h <= b or b + d <= y


def test_the_longest_addresses_fit_their_boxes(run):
    gib = 1 << 30
    simulated = run(
        Mmap("a", gib), Read("a", 0, gib, step=gib // 7), Write("a", gib // 2, length=40 * PAGE_SIZE)
    )
    for owner in last_scene(simulated).owners:
        for row in owner.areas[0].rows:
            assert len(place(row)) * 7.3 + len(row.size) * 5.7 <= RANGE_W - 20, row


@pytest.mark.parametrize(("n", "arrows"), [(1, 1), (4, 4), (8, 8), (9, 1)])
def test_each_page_has_an_arrow_until_there_are_too_many(run, n, arrows):
    picture = last_scene(run(Mmap("a", n * PAGE_SIZE), Read("a", 0, n * PAGE_SIZE)))
    assert "".join(drawing(picture)).count('class="edge"') == arrows
    heads = re.findall(r"M484 (\S+)l-8-4v8z|M481 (\S+)l-8-4v8z", "".join(drawing(picture)))
    assert len(set(heads)) == arrows, "no two heads lie on each other"


def test_sectors_of_a_disk_are_side_by_side_and_none_is_too_short_to_be_seen(run):
    simulated = run(Mmap("a", PAGE_SIZE))
    disk = simulated.machine.disk(1 << 20)
    with simulated.machine:
        disk.data.store(9 * 512, b"a password")
    strip = next(part for part in drawing(last_scene(simulated)) if "old where" in part)
    boxes = re.findall(
        r'<rect x="(\S+)" y="\S+" width="(\S+)" height="\S+" rx="6" class="(\S+) where"', strip
    )
    assert [look for *_, look in boxes] == ["old", "data", "old"]
    assert all(float(width) >= 5 for _, width, _ in boxes)
    assert float(boxes[0][0]) == 140 and sum(float(width) for _, width, _ in boxes) == pytest.approx(
        552, abs=1
    )
    assert "data: 61 20 70 61 …" in as_text(last_scene(simulated))
