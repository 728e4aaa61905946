"""Huge entries, the huge zero folio and the tables put aside for a split, in the memory map and in its words."""

import pytest
from hugezero.hw.ram import PAGE_SIZE, PMD_SIZE
from hugezero.mm.huge_memory import HUGE_ZERO
from hugezero.scenario import (
    DropCaches,
    Exit,
    Fork,
    Madvise,
    Mmap,
    Munmap,
    Read,
    Simulated,
    UseZeroPage,
    Write,
)
from hugezero.view.memory.drawing import drawing
from hugezero.view.memory.pages import pages
from hugezero.view.memory.scene import scene
from hugezero.view.memory.text import as_text, summary
from hugezero.view.moments import Film
from hugezero.view.pages import still

from tests.scenario.kernels import KERNELS
from tests.view.memory.test_memory_map import boxes, drawn, last_scene

READ = (Mmap("a", 2 * PMD_SIZE), Madvise("a", "hugepage"), Read("a", 0, 2 * PMD_SIZE, PMD_SIZE))


def run(design, *actions):
    simulated = Simulated(KERNELS[design], pages=4096)
    simulated.run(actions)
    return simulated


def rows(picture):
    return [
        (row.size, row.entry, [frame.name for frame in picture.frames if frame.key == row.frame])
        for owner in picture.owners
        for area in owner.areas
        for row in area.rows
    ]


def frames(picture):
    return {
        frame.name: " · ".join(filter(None, (frame.words, frame.held, frame.holders)))
        for frame in picture.frames
    }


@pytest.mark.parametrize(
    ("design", "name", "words"),
    [
        ("huge zero page", "huge zero folio 0x200", "set aside at boot"),
        ("counted", "huge zero folio 0x400", "count 3: main 2 ×, kernel"),
        ("persistent", "huge zero folio 0x200", "count 2: kernel, since boot"),
    ],
)
def test_the_huge_zero_folio_is_one_frame_that_says_who_holds_it(design, name, words):
    picture = last_scene(run(design, *READ))
    assert rows(picture) == [("2 × 2 MiB", "huge · ro", [name])]
    assert frames(picture) == {
        name: f"2 MiB · zeroes · {words}",
        "zero page 0x1": "4 KiB · zeroes · not counted",
    }
    assert f"to {name}" in summary(picture)
    assert f"2 × 2 MiB    huge · ro → {name}" in as_text(picture)


def test_the_count_follows_who_comes_and_goes():
    simulated = run("counted", *READ)
    film = Film(simulated)
    told = []
    for _, done, state in film.states():
        if done is not None and done.cell == (HUGE_ZERO, "refcount") and done.new != done.old:
            words = [frame.holders for frame in scene(film, state).frames if "huge zero" in frame.name]
            told.append((done.new, *words))
    assert told == [(2, "count 2: 2 more"), (3, "count 3: main, 2 more")]
    simulated.run([Munmap("a")])
    assert frames(last_scene(simulated))["huge zero folio 0x400"] == "2 MiB · zeroes · count 1: kernel"
    simulated.run([DropCaches()])
    assert list(frames(last_scene(simulated))) == ["zero page 0x1"]


def test_tables_that_are_put_aside_are_counted_and_not_drawn():
    simulated = run("counted", *READ)
    (main,) = last_scene(simulated).owners
    assert main.lines == ["RSS 0 kB", "2 faults", "2 page tables", "2 put aside"]
    simulated.run([Munmap("a", PAGE_SIZE, PAGE_SIZE)])
    picture = last_scene(simulated)
    assert picture.owners[0].lines[2:] == ["2 page tables", "1 put aside"]
    assert [(size, entry) for size, entry, _ in rows(picture)] == [
        ("4 KiB", "ro · special"),
        ("510 × 4 KiB", "ro · special"),
        ("2 MiB", "huge · ro"),
    ]
    assert set(frames(picture)) == {"huge zero folio 0x400", "zero page 0x1"}


def test_a_huge_page_of_ones_own_is_an_ordinary_folio():
    picture = last_scene(run("counted", *READ, Write("a", 0, b"hi"), Fork("child")))
    assert rows(picture)[:2] == [
        ("2 MiB", "huge · ro", ["folio 0x600"]),
        ("2 MiB", "huge · ro", ["huge zero folio 0x400"]),
    ]
    assert frames(picture)["folio 0x600"] == "2 MiB · data: 68 69 … · held 2 ×"
    assert frames(picture)["huge zero folio 0x400"] == "2 MiB · zeroes · count 3: main, child, kernel"


def test_where_flags_count_they_are_drawn_and_whoever_has_one_is_named():
    simulated = run("per-mm flag", *READ, Fork("child"))
    picture = last_scene(simulated)
    assert [(owner.name, owner.flag) for owner in picture.owners] == [
        ("main", "huge_zero"),
        ("child", "huge_zero"),
    ]
    assert frames(picture)["huge zero folio 0x400"] == "2 MiB · zeroes · count 3: main, child, kernel"
    assert "".join(drawing(picture)).count('class="flag"') == 2
    assert as_text(picture).count("flag huge_zero is set") == 2
    simulated.run([Munmap("a"), Exit(by="child")])
    picture = last_scene(simulated)
    assert frames(picture)["huge zero folio 0x400"] == "2 MiB · zeroes · count 2: main, kernel", (
        "it maps nothing"
    )


def test_a_huge_zero_folio_that_was_freed_too_early_keeps_its_name():
    simulated = run("counted", *READ)
    with simulated.machine:
        HUGE_ZERO.refcount.set(1)
    simulated.run([DropCaches()])
    assert frames(last_scene(simulated))["huge zero folio 0x400"] == "2 MiB · not allocated any more ✗"


def test_what_happens_to_huge_entries_is_told_and_outlined():
    simulated = run(
        "counted", *READ, Write("a", 0, b"hi"), UseZeroPage(False), Munmap("a", PMD_SIZE, PAGE_SIZE)
    )
    made = pages(Film(simulated, since=0, most=5000))
    told = {moment["title"]: moment["changed"] for moment in made.moments}
    main, row, zero = "oMm(1)", "aVma(1):512", "fFolio(0x400)"
    for title, changed in {
        "main: for 0x200000–0x3fffff a page table is put aside, in frame 0x200": [main],
        "Folio 0x400 is the huge zero folio from now on": [zero],
        "The huge zero folio's count stays at 0: nobody is there": [],
        "The huge zero folio's count goes from 0 to 2": [zero],
        "Which folio is the huge zero one? Folio 0x400": [],
        "main: its page table lock is taken": [main],
        "main: its page table lock is given back": [main],
        "main: entry for 0x200000–0x3fffff now maps the huge zero folio 0x400, read-only": [row],
        "main: entry for 0x200000–0x3fffff now maps folio 0x600 instead of the huge zero folio 0x400, writable": [
            row
        ],
        "main: every CPU forgets what it remembers of 0x400000–0x5fffff": [],
        "May a read be given the huge zero folio? No": [],
        "main: for 0x400000–0x5fffff the page table that was put aside is taken: the one in frame 0x201": [
            main
        ],
        "main: 0x400000–0x5fffff is mapped by small entries now, in the page table in frame 0x201": [main],
    }.items():
        assert told[title] == changed, title
    opened = next(k for k, moment in enumerate(made.moments) if moment["changed"] == [row])
    assert f'<g data-k="{row}">' in drawn(made, opened)
    simulated.run([Munmap("a"), DropCaches()])
    titles = {moment["title"] for moment in pages(Film(simulated)).moments}
    assert "Who may have memory to give back? shrink_huge_zero_folio_count" in titles
    assert "There is no huge zero folio any more: it was folio 0x400" in titles


@pytest.mark.parametrize("design", ["huge zero page", "counted"])
def test_the_longest_words_fit_their_boxes(design):
    simulated = run(design, *READ, Write("a", 0, b"hi"), Fork("child"))
    picture = last_scene(simulated)
    for frame in picture.frames:
        assert len(frame.name) * 7.3 + (len(frame.held) * 6.2 + 10 if frame.held else 0) <= 208 - 12, frame
        assert len(frame.words) * 5.7 <= 208 - 12, frame
        assert len(frame.holders) * 5.7 <= 208 - 20, frame
    every = boxes(picture)
    for i, (x, y, w, h) in enumerate(every):
        for a, b, c, d in every[i + 1 :]:
            assert x + w <= a or a + c <= x or y + h <= b or b + d <= y
    assert "huge zero folio" in still(pages(Film(simulated)))
