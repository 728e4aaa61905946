"""Of an experiment the pictures know the actions: rows stand below them, keys and cells go from one to the next."""

import pytest
from hugezero.labs.experiment import experiment
from hugezero.view import memory_map, timeline
from hugezero.view.memory.pages import pages
from hugezero.view.memory.timeline import text_rows, timeline_rows
from hugezero.view.moments import Film, NoSuchMoment
from hugezero.view.pages import still

from tests.view.conftest import KERNEL, STORY


@pytest.fixture(scope="module")
def run():
    return experiment(STORY, KERNEL, pages=4096)


def heads(rows):
    return [row.partition('<li class="act">')[2].partition("</li>")[0] for row in rows]


def test_each_action_stands_above_its_operations(run):
    rows = timeline_rows(Film(run))
    told = {k: head for k, head in enumerate(heads(rows)) if head}
    assert list(told) == [before for before, _ in run.acts]
    assert [head.partition("(")[0] for head in told.values()] == ["Mmap", "Read", "Write", "Fork", "Write"]
    assert "Fork(&#x27;child&#x27;)" in told.values()
    film = Film(run, at="Fork")
    assert "\nWrite('data', data=b'x', by='child')\n" in text_rows(film, film.at)


def test_a_window_that_begins_within_an_action_names_it(run):
    before, _ = run.acts[2]
    rows = timeline_rows(Film(run, since=before + 3))
    assert heads(rows)[0].startswith("Write(")


def test_a_cell_says_at_which_action_a_picture_opens(run):
    fork, write = run.acts[3][0], run.acts[4][0]
    opened = memory_map(run, at="Fork")
    assert opened.moments[opened.at]["where"].endswith("· Fork('child')")
    assert opened.moments[opened.at]["page"] == opened.moments[write]["page"], "as it is after it"
    assert fork < opened.at < write and opened.moments[opened.at]["changed"], "at the last change"
    assert opened.moments[opened.at]["title"] in opened._repr_mimebundle_()[0]["text/plain"]
    assert timeline(run, at="Fork").at == fork, "before it"
    assert memory_map(run, at="Write").at <= fork, "the first of two"
    assert memory_map(run, at="Write('data', data=b'x'").at == len(run.machine.log)


def test_an_action_that_is_not_there_is_named_with_those_that_are(run):
    with pytest.raises(NoSuchMoment, match=r"at='Exit': .*there are Mmap\('data', 16384\), Read"):
        memory_map(run, at="Exit")
    with pytest.raises(NoSuchMoment, match="only an experiment knows its actions"):
        memory_map(run.machine, at="Fork")


def test_page_keys_lead_to_the_last_change_of_each_action(run):
    made = pages(Film(run))
    ends = [before for before, _ in run.acts[1:]] + [len(run.machine.log)]
    assert [made.moments[n]["page"] for n in made.acts] == [made.moments[n]["page"] for n in ends]
    assert all(made.moments[n]["stop"] for n in made.acts)
    assert "action" in made.keys
    part = pages(Film(run, since=20, most=60))
    assert part.acts == [n - 20 for n, end in zip(made.acts, ends, strict=True) if 20 < end <= 80]
    assert "ten" in pages(Film(run.machine)).keys


def test_a_step_stops_where_the_drawing_changes_and_only_there(run):
    made = pages(Film(run))
    for before, after in zip(made.moments, made.moments[1:], strict=False):
        assert after["stop"] == (after["page"] != before["page"])
    stops = [moment for moment in made.moments if moment["stop"]]
    assert 20 < len(stops) < len(made.moments) / 2


def test_a_picture_that_nothing_could_be_seen_in_opens_at_its_beginning():
    empty = experiment([], KERNEL, pages=4096)
    made = pages(Film(empty, before=True))
    assert (made.at, len(made.moments)) == (0, 2)
    assert "The machine has just been switched on" in made.text


def test_an_experiment_that_was_stopped_names_the_action_that_did_it():
    def do_anonymous_page(vmf):
        raise ValueError("no")

    functions = {**KERNEL.functions, "do_anonymous_page": do_anonymous_page}
    stopped = experiment(STORY, type(KERNEL)(functions), pages=4096)
    assert [words.partition("(")[0] for _, words in stopped.acts] == ["Mmap", "Read"]
    assert "Read(" in heads(timeline_rows(Film(stopped)))[stopped.acts[1][0]]
    for picture in (memory_map(stopped, at="Fork"), timeline(stopped, at="Fork")):
        opened, end = picture.moments[picture.at], picture.moments[-1]
        assert opened["page"] == end["page"], "where an action never came, it opens at the end"


def test_the_current_operation_is_marked_in_a_page_that_cannot_be_turned(run):
    made = pages(Film(run, at=run.acts[3][0] + 1), rows=True)
    html = still(made)
    assert html.count('<li aria-current="step"') == 1
    assert f'<li aria-current="step" data-n="{run.acts[3][0] + 1}"' in html
