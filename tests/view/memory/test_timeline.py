"""The timeline: operations as the student wrote them, and the prints beside them."""

import pytest
from hugezero.mm.mm_types import Mm
from hugezero.mm.page_alloc import Folio, alloc_folio, free_folio
from hugezero.store import Done
from hugezero.view import memory_map, timeline
from hugezero.view.memory.pages import pages
from hugezero.view.memory.timeline import text_rows, timeline_rows
from hugezero.view.moments import Film
from hugezero.view.words import code


def test_there_is_a_row_for_each_operation_shown(story):
    rows = timeline_rows(Film(story))
    assert len(rows) == len(story.machine.log)
    assert '<span class="n">1</span>' in rows[0]
    assert all(row.count("<li data-n") == 1 for row in rows)
    assert len(timeline_rows(Film(story, since=20, most=7))) == 7


def test_operations_read_like_the_code_that_did_them(story):
    machine = story.machine
    before = len(machine.log)
    with machine:
        mm = Mm(1)
        folio = alloc_folio()
        mm.rss.inc()
        mm.rss.read()
        folio.refcount.add(2)
        folio.data.clear()
        free_folio(folio)
        areas = mm.mmap
        mm.mmap = areas
    assert [code(done).split(" = ")[0] for done in machine.log[before:]] == [
        "alloc_folio()",
        "Mm(1).rss.inc()",
        "Mm(1).rss.read()",
        f"{folio!r}.refcount.add(2)",
        f"{folio!r}.data.clear()",
        f"free_folio({folio!r})",
        "Mm(1).mmap",
        "Mm(1).mmap",
    ]


def test_a_huge_value_does_not_flood_a_row():
    done = Done(0, (Folio((1, 0, 0)), "data"), "store", (0, b"\x07" * 4096), None, None, None)
    assert code(done) == r"Folio(0x1).data.store(0, b'\x07\x07\x07\x07'… (4,096 bytes))"


def test_a_value_that_just_changed_stands_out(story):
    rows = timeline_rows(Film(story))
    for row, done in zip(rows, story.machine.log, strict=True):
        assert (' new"' in row) == (done.new != done.old)


def test_prints_stand_beside_the_operation_they_followed(story):
    story.machine.prints = [(0, "first of all\n"), (7, "a <b>"), (7, "twice")]
    film = Film(story)
    rows = timeline_rows(film)
    assert "printed: first of all" in rows[0]
    assert "printed: a &lt;b&gt;" in rows[6]
    assert "printed: twice" in rows[6]
    assert sum("printed" in row for row in rows) == 2
    assert "printed: twice" in text_rows(film, 7)


def test_the_text_marks_the_current_operation(story):
    k = 1 + [done.verb for done in story.machine.log].index("store")
    made = pages(Film(story, at=k), rows=True)
    (current,) = [line for line in made.text.splitlines() if line.startswith(">")]
    assert f"{k}  program   Folio(0x201).data.store(0, b'hi')" in current


@pytest.mark.parametrize("show", [memory_map, timeline])
def test_a_widget_carries_its_picture_and_its_text_in_its_bundle(story, show):
    widget = show(story)
    data, _ = widget._repr_mimebundle_()
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert "<svg" in data["text/html"]
    assert "<script" not in data["text/html"]
    assert "main: RSS" in data["text/plain"] or show is timeline
    assert widget.moments[widget.at]["title"] in data["text/plain"]


def test_the_timeline_opens_where_there_is_something_to_see_first_and_the_map_at_the_end(story):
    opened = timeline(story)
    assert "maps 0x200000" in opened.moments[opened.at]["title"]
    assert memory_map(story).at == len(story.machine.log)
    assert timeline(story, at=5).at == memory_map(story, at=5).at == 5
