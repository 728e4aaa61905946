"""Long logs are cut, and say so."""

import pytest
from hugezero.hw.ram import PAGE_SIZE
from hugezero.scenario import Mmap, Read
from hugezero.view.memory.pages import pages
from hugezero.view.moments import FEWEST, MOST, Film, NoSuchMoment


@pytest.fixture(scope="module")
def long(run):
    return run(Mmap("a", 64 * PAGE_SIZE), Read("a", 0, 64 * PAGE_SIZE))


def test_a_short_log_is_shown_whole_and_says_nothing(story):
    made = pages(Film(story))
    assert len(made.moments) == len(story.machine.log) + 1
    assert made.note == ""


def test_of_a_long_log_the_last_operations_are_shown_and_the_way_to_the_others(long):
    total = len(long.machine.log)
    made = pages(Film(long))
    assert len(made.moments) == MOST + 1
    assert made.moments[-1]["where"] == f"operation {total:,} of {total:,}"
    assert f"Operations {total - MOST + 1} to {total} of {total} are shown" in made.note
    assert made.note in made.text
    assert f"since=0, most={total} shows all" in made.note
    assert pages(Film(long, since=0, most=total)).note == ""


def test_at_opens_at_an_operation_with_those_around_it(long):
    film = Film(long, at=300)
    made = pages(film)
    assert (film.first, film.last, film.at) == (200, 400, 300)
    assert made.moments[made.at]["where"].startswith("operation 300 of")
    assert made.text.startswith(made.moments[made.at]["title"])


def test_since_starts_behind_an_operation(long):
    film = Film(long, since=100)
    assert (film.first, film.last) == (100, 300)
    mark = len(long.machine.log)
    assert len(pages(Film(long, since=mark)).moments) == 1


def test_the_first_moment_of_a_window_is_what_the_whole_film_shows_there(long):
    cut, whole = pages(Film(long, since=100, most=5)), pages(Film(long, since=0, most=200))
    for number, moment in enumerate(cut.moments):
        assert moment["title"] == whole.moments[100 + number]["title"]


@pytest.mark.parametrize(
    "asked", [{"at": -1}, {"at": 10**6}, {"since": 10**6}, {"most": 0}, {"at": 5, "since": 10}]
)
def test_a_moment_that_is_not_there_is_named(long, asked):
    with pytest.raises(NoSuchMoment, match=r"=\d|=-1"):
        Film(long, **asked)


def test_a_machine_without_a_log_shows_its_present_moment(run):
    simulated = run(Mmap("a", 64 * PAGE_SIZE), Read("a", 0, 64 * PAGE_SIZE), log=False)
    made = pages(Film(simulated))
    assert len(made.moments) == 1
    assert "kept no log" in made.note
    assert "64 × 4 KiB" in made.text


def test_of_a_large_machine_fewer_operations_are_shown(run, monkeypatch):
    monkeypatch.setattr("hugezero.view.moments.WORK", 100)
    film = Film(run(Mmap("a", 64 * PAGE_SIZE), Read("a", 0, 64 * PAGE_SIZE)))
    assert film.last - film.first == FEWEST
    assert "are shown" in film.not_shown()
