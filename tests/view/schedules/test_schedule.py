"""The schedule picture: a function of what a search found, which tells all of it."""

import re
from html import unescape
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hugezero.explore.byhand import ByHand
from hugezero.explore.moves import Row, Thread
from hugezero.explore.search import Outcome, explore
from hugezero.mm.page_alloc import Folio, alloc_folio, free_folio
from hugezero.view import schedule
from hugezero.view.pages import still
from hugezero.view.schedules.names import Names
from hugezero.view.schedules.pages import Interleaving
from hypothesis import given
from hypothesis import strategies as st

from ...explore.test_search import WRONG
from ...explore.versions import COUNT, FOLIO, HZ, at_rest, kernel, shrinker, user

NAMES = ["fault", "fault", "shrinker"]


def scan_that_frees_what_is_still_named(hz):
    if hz.refcount.cmpxchg(1, 0) == 1:
        free_folio(hz.folio.read())
        hz.folio.set(None)


def get_that_frees_and_uses(hz):
    folio = alloc_folio(9)
    free_folio(folio)
    again = alloc_folio(9)
    hz.folio.set(again)
    folio.refcount.inc()


VERSIONS = {
    **WRONG,
    "uses a handle of before": {"get": get_that_frees_and_uses},
}


def searched(version):
    """What a search is given for *version*."""
    functions = kernel(**VERSIONS.get(version, {}))
    return (functions, [user(), user(), shrinker()]), {"at_end": at_rest}


@pytest.fixture(scope="module")
def find():
    """What the search finds in a version, and the picture of that."""
    found = {}

    def find(version):
        args, more = searched(version)
        if version not in found:
            found[version] = explore(*args, **more)
        return found[version], Interleaving(found[version], NAMES, None, ByHand(*args, **more))

    return find


def board(made, number=-1):
    """The HTML of the schedule."""
    return "".join(made.parts[i] for i in made.pages[made.moments[number]["page"]])


def rows_of(made):
    """(number, HTML) of each row drawn; 0 is the start."""
    found = re.findall(r'<div class="hz-line hz-row" data-k="r(\d+)">(.*?)</div>', board(made))
    return [(int(number), html) for number, html in found]


def words_of(html):
    return unescape(re.sub(r"<[^>]+>", "", html))


def drawn(made):
    """(number, column, code, values of the cells, the words behind or below it) of each row drawn."""
    for number, html in rows_of(made)[1:]:
        op = re.search(r'<span class="hz-op[^"]*" style="grid-column:(\d+)">.*?<code>(.*?)</code>', html)
        values = re.findall(r'<span class="hz-v[^"]*" style="[^"]*">(.*?)</span>', html)
        said = re.findall(
            r'<span class="gave">(.*?)</span>|<p class="hz-(?:note|verdict)"[^>]*>(.*?)</p>', html
        )
        words = [unescape(gave or note) for gave, note in said]
        yield number, int(op[1]), words_of(op[2]), [unescape(value) for value in values], words


def heads(made):
    """What stands above the columns: of the CPUs, and of the cells."""
    html = re.search(r'<div class="hz-line hz-heads">(.*?)</div>', board(made))[1]
    return (
        [words_of(one) for one in re.findall(r"<b>.*?</b>", html)],
        [words_of(one) for one in re.findall(r'<span class="hz-v hz-head.*?</span>', html)],
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_outcome_gives_the_same_bytes(find, version):
    found, picture = find(version)
    args, more = searched(version)
    one, two = picture.pages(), Interleaving(found, NAMES, None, ByHand(*args, **more)).pages()
    two.asked = one.asked
    assert one == two and still(one) == still(two)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_row_is_drawn_once_in_the_column_of_its_cpu(find, version):
    found, picture = find(version)
    made = picture.pages()
    assert heads(made)[0] == ["CPU 0 · fault", "CPU 1 · fault", "CPU 2 · shrinker"]
    rows = list(drawn(made))
    assert [number for number, *_ in rows] == list(range(1, len(found.rows) + 1))
    assert [column for _, column, *_ in rows] == [row.cpu + 2 for row in found.rows]


@pytest.mark.parametrize("version", VERSIONS)
def test_as_many_switches_are_marked_as_there_are(find, version):
    found, picture = find(version)
    made = picture.pages()
    where = [k + 1 for k, (one, other) in enumerate(pairwise(found.rows), 1) if one.cpu != other.cpu]
    assert board(made).count("data-switch") == found.switches == len(where)
    marked = [int(line[1:4]) for line in made.text.splitlines() if re.match(r">\s*\d", line)]
    assert marked == where
    assert f"shortest: {found.switches} switch" in made.moments[0]["where"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_text_has_every_row_with_its_code_and_its_words(find, version):
    found, picture = find(version)
    made = picture.pages()
    lines = [line for line in made.text.splitlines() if re.match(r"[> ]\s*\d+  ", line)]
    assert "at the start" in lines.pop(0)
    assert len(lines) == len(found.rows)
    starts = [made.text.splitlines()[2].index(f"CPU {cpu}") for cpu in range(3)]
    for row, line, (_, _, code, *_), moment in zip(
        found.rows, lines, drawn(made), made.moments[1:], strict=True
    ):
        assert line[starts[row.cpu] :].removeprefix("[program] ").startswith(code)
        assert line[4 : starts[row.cpu]].strip() == ""
        assert code in moment["said"] and f"CPU {row.cpu}" in moment["said"]
    assert made.moments[0]["title"] in made.text


@pytest.mark.parametrize("version", VERSIONS)
def test_the_verdict_is_whole_under_the_last_row_and_under_the_one_that_did_the_harm(find, version):
    found, picture = find(version)
    made = picture.pages()
    title = made.moments[0]["title"]
    verdict = re.findall(r'<p class="hz-verdict" style="grid-column:2/-1">(.*?)</p>', board(made))
    assert verdict[-1] == f"✗ {title}" and board(made).index(verdict[-1]) > board(made).rindex("hz-row")
    assert made.text.count(title) == 1 + len(verdict)
    harmful = [number for number, *_, words in drawn(made) if any("Here it went wrong" in w for w in words)]
    assert len(harmful) == len(verdict) - 1 <= 1
    assert [n for n, moment in enumerate(made.moments) if "here it went wrong" in moment["said"]] == harmful
    assert made.at == len(found.rows)
    assert [moment["bug"] for moment in made.moments] == [False] * len(found.rows) + [True]
    assert "broken" in made.moments[-1]["said"]


@pytest.mark.parametrize("version", VERSIONS)
def test_columns_hold_what_the_cells_hold_behind_each_row(find, version):
    found, picture = find(version)
    made = picture.pages()
    changed = {row.cell for row in found.rows if row.cell in (COUNT, FOLIO) and row.old != row.new}
    assert set(heads(made)[1]) >= {cell[1] for cell in changed}
    start = [words_of(v) for v in re.findall(r'<span class="hz-v.*?</span>', rows_of(made)[0][1])]
    assert dict(zip(heads(made)[1], start, strict=True)) == {
        name: {"refcount": "0", "folio": "–"}[name] for name in heads(made)[1]
    }
    cells = {COUNT: 0, FOLIO: None}
    for row, (_, _, _, values, _) in zip(found.rows, drawn(made), strict=True):
        cells[row.cell] = row.new
        shown = dict(zip(heads(made)[1], values, strict=True))
        assert shown.get("refcount", "0") == str(cells[COUNT])
        assert (shown.get("folio", "–") == "–") == (cells[FOLIO] is None)


def test_what_just_changed_is_black_and_the_rest_grey(find):
    found, picture = find("scan trusts count")
    for row, (_, html) in zip(found.rows, rows_of(picture.pages())[1:], strict=True):
        assert html.count("touched new") == (row.cell in (COUNT, FOLIO) and row.old != row.new)
        assert html.count("touched") == (row.cell in (COUNT, FOLIO))


def test_code_reads_as_a_student_writes_it(find):
    _, picture = find("scan trusts count")
    assert [code for _, _, code, *_ in drawn(picture.pages())][:6] == [
        "refcount.inc_not_zero()",
        "alloc_folio(9)",
        "folio.cmpxchg(None, P1)",
        "refcount.set(2)",
        "read P1",
        "refcount.dec_and_test()",
    ]


def test_what_was_read_too_early_and_what_was_overwritten_unseen_is_told(find):
    found, picture = find("scan trusts count")
    said = [moment["said"] for moment in picture.pages().moments]
    read = next(k for k, row in enumerate(found.rows, 1) if row.cpu == 2)
    lost = next(k for k, row in enumerate(found.rows, 1) if k > read and row.cpu == 2)
    taken = next(k for k, row in enumerate(found.rows, 1) if k > read and row.verb == "inc_not_zero")
    assert f"true until row {taken};" in said[read]
    assert f"forgets what row {taken} did;" in said[lost]
    assert sum("true until" in words for words in said) == sum("forgets" in words for words in said) == 1


def test_each_allocation_is_a_folio_with_a_name_of_its_own(find):
    found, picture = find("uses a freed folio after four rounds")
    assert next(drawn(picture.pages()))[2] == "refcount.inc_not_zero()", "P5.refcount is another thing"
    births = [words for *_, code, _, words in drawn(picture.pages()) if code == "alloc_folio(9)"]
    assert [words[-1] for words in births] == [f"→ P{n}" for n in range(1, len(births) + 1)]
    assert len({row.result for row in found.rows if row.verb == "new"}) < len(births)
    assert (
        picture.pages().moments[0]["title"] == f"CPU 1 uses P5, which it freed in row {len(found.rows) - 1}"
    )


def test_a_read_of_a_freed_folio_says_who_freed_it():
    folio = Folio((0x8000, 9, 0))
    rows = [
        Row(0, (HZ, "objects"), "new", ("Folio", 9), None, None, folio),
        Row(1, (folio, "state"), "free", (), "live", "free", None),
        Row(0, (folio, "data"), "load", (0, 1), None, None, None),
    ]
    told = Interleaving(Outcome(f"{folio!r} was used after it was freed", rows), None, None, None).pages()
    assert told.moments[-1]["title"] == "CPU 0 reads P1, which CPU 1 freed in row 2"
    assert told.text.count("✗ CPU 0 reads P1, which CPU 1 freed in row 2") == 1
    assert "✗ Here it went wrong. CPU 0 reads P1" in told.text


def test_a_folio_that_is_still_named_when_it_is_freed_is_told():
    functions = kernel(scan=scan_that_frees_what_is_still_named)
    hand = ByHand(functions, [user(), user(), shrinker()])
    picture = Interleaving(Outcome(), NAMES, None, hand)
    picks = [[0, 0]] * 5 + [[2, 0]] * 3
    said = [moment["said"] for moment in picture.asked({"picks": picks})["moments"]]
    assert sum("folio still names it" in words for words in said) == 1


def test_a_stale_handle_is_named_after_the_folio_that_it_meant(find):
    _, picture = find("uses a handle of before")
    assert picture.pages().moments[0]["title"].startswith("P1 was used after it was freed, and its frame")


P = Folio((0x8000, 9, 0))
BORN = Row(0, (HZ, "objects"), "new", ("Folio", 9), None, None, P)
KEPT = Row(0, FOLIO, "cmpxchg", (None, P), None, P, None)
FREED = Row(0, (P, "state"), "free", (), "live", "free", None)


def read(cpu, value):
    return Row(cpu, COUNT, "read", (), value, value, value)


def put(cpu, old, new):
    return Row(cpu, COUNT, "set", (new,), old, new, None)


def told(*rows, bug=None):
    """The words behind each row, and the maps."""
    made = Interleaving(Outcome(bug, list(rows)), None, None, None).pages()
    said = [": ".join(words) for *_, words in drawn(made)]
    return said, ["".join(made.parts[i] for i in made.pages[moment["map"]]) for moment in made.moments], made


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((read(0, 1), put(1, 1, 2), put(0, 2, 0)), ["→ 1: true until row 2", "", "forgets what row 2 did"]),
        ((read(0, 1), put(1, 1, 2), read(0, 2), put(0, 2, 0)), ["→ 1", "", "→ 2", ""]),
        ((read(0, 1), put(1, 1, 1), put(0, 1, 0)), ["→ 1", "", ""]),
        ((read(0, 1), put(1, 1, 2), read(1, 2)), ["→ 1", "", "→ 2"]),
        ((read(0, 1), put(0, 1, 2), put(0, 2, 3)), ["→ 1", "", ""]),
        ((BORN, KEPT, FREED), ["→ P1", "→ None: stored", "folio still names it"]),
        (
            (BORN, KEPT, Row(0, FOLIO, "xchg", (None,), P, None, P), FREED),
            ["→ P1", "→ None: stored", "→ P1", ""],
        ),
    ],
)
def test_readings_are_about_what_others_did_in_between(rows, said):
    assert told(*rows)[0] == said


def test_only_an_operation_that_no_kernel_may_do_is_red_itself(find):
    for version, red in (("scan trusts count", 1), ("count before pointer", 0)):
        assert board(find(version)[1].pages()).count('class="hz-op bad"') == red


def test_the_map_tells_a_freed_folio_from_one_in_use():
    seen = Row(1, FOLIO, "read", (), P, P, P)
    _, maps, _ = told(BORN, KEPT, seen, Row(0, FOLIO, "xchg", (None,), P, None, P), FREED)
    assert [("in use" in one, "in no cell" in one, "freed in row 5 ✗" in one) for one in maps] == [
        (False, False, False),
        (False, True, False),
        (True, False, False),
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    assert ["CPU 0<" in one for one in maps] == [False, True, True, True, True, False]
    assert "CPU 1<" in maps[-1], "it does not know yet"
    _, maps, _ = told(BORN, FREED)
    assert "P1" not in maps[-1], "nobody knows of it any more"


def test_cells_of_two_things_are_told_in_full():
    rows = [Row(0, (Folio((1 << 15, 9, n)), "refcount"), "read", (), 1, 1, 1) for n in (0, 1)]
    names = Names(rows)
    assert [names.code(row) for row in rows] == ["P1.refcount.read()", "P2.refcount.read()"]
    other = type(HZ)(7)
    names = Names([Row(0, (thing, "refcount"), "read", (), 0, 0, 0) for thing in (HZ, other)])
    assert names.cell(COUNT) == "HugeZero(0).refcount"


def test_the_map_tells_who_knows_which_folio(find):
    _, picture = find("scan trusts count")
    made = picture.pages()
    maps = ["".join(made.parts[i] for i in made.pages[moment["map"]]) for moment in made.moments]
    assert ">in no cell" not in maps[0] and "P1" not in maps[0]
    assert "2 MiB · in no cell" in maps[2] and "CPU 0 · fault" in maps[2]
    assert "2 MiB · in use" in maps[3]
    for number, count in ((4, 2), (6, 1), (8, 2), (11, 0)):
        assert f">refcount {count}<" in maps[number]
    freed = find("uses a freed folio after four rounds")[1].pages()
    assert "freed" not in words_of(rows_of(freed)[0][1])


@pytest.mark.parametrize("version", VERSIONS)
def test_picking_by_hand_what_the_search_picked_breaks_the_same(find, version):
    found, picture = find(version)
    made = picture.pages()
    answer = picture.asked({"rows": len(found.rows)})
    again = picture.asked({"picks": answer["picks"]})
    assert again == answer
    assert [moment["title"] for moment in answer["moments"]] == [moment["title"] for moment in made.moments]
    assert answer["choices"] == [] and answer["at"] == made.at
    assert [m["said"] for m in answer["moments"]] == [m["said"] for m in made.moments]


def asks(picture, *cpus):
    """What is shown when *cpus* go, one after the other; and the same as one that can be read like pages."""
    answer = picture.asked({"picks": [[cpu, 0] for cpu in cpus]})
    return answer, SimpleNamespace(**answer)


def test_a_count_below_zero_is_told_at_once():
    gives_back = Thread("gives back", HZ.refcount.dec)
    picture = Interleaving(Outcome(), ["one", "two"], None, ByHand({}, [gives_back] * 2, {COUNT: 1}))
    titles = [asks(picture, *cpus)[1].moments[0]["title"] for cpus in ([], [0])]
    assert titles == ["You choose who goes next"] * 2
    picture = Interleaving(Outcome(), ["one", "two"], None, ByHand({}, [gives_back] * 2, {COUNT: 0}))
    _, made = asks(picture, 0)
    assert (
        made.moments[0]["title"]
        == "The count is -1: more was given back than taken. You choose who goes next"
    )
    assert [words for *_, words in drawn(made)] == [["the count is -1: more was given back than taken"]]


def test_who_has_finished_is_not_stuck_and_what_broke_is_no_end(find):
    _, picture = find("right")
    answer, _ = asks(picture)
    while answer["choices"]:
        assert answer["says"].startswith("Who goes next?")
        answer, _ = asks(picture, *[cpu for cpu, _ in answer["picks"]], answer["choices"][0]["cpu"])
    assert answer["says"] == "All have finished"
    found, picture = find("scan trusts count")
    assert picture.asked({"rows": len(found.rows)})["says"] == "It broke here: nobody goes on"
    stuck = Thread("stuck", lambda: [HZ.lock.lock() for _ in range(2)])
    answer, _ = asks(Interleaving(Outcome(), ["stuck"], None, ByHand({}, [stuck])), 0)
    assert answer["says"].startswith("Nobody can go on: each waits for a lock")


@pytest.mark.parametrize("version", ["right", *VERSIONS])
def test_columns_stay_while_somebody_plays(find, version):
    found, picture = find(version)
    for start in (Interleaving(Outcome(), NAMES, None, picture.hand), picture):
        at_first = heads(asks(start)[1])
        for cpus in ([0], [1, 1], [0, 0, 0, 2], [0, 1, 0, 1]):
            answer, made = asks(start, *cpus)
            assert answer.get("error") or heads(made) == at_first
        assert {"refcount", "folio"} <= {*at_first[1]} or found.bug


@given(version=st.sampled_from(["right", *VERSIONS]), data=st.data())
def test_a_step_back_shows_what_was_there_before(find, version, data):
    _, picture = find(version)
    answer, seen = picture.asked({"picks": []}), []
    for _ in range(data.draw(st.integers(1, 12))):
        able = [choice for choice in answer["choices"] if "way" in choice]
        if not able:
            break
        seen.append(answer)
        choice = data.draw(st.sampled_from(able))
        answer = picture.asked({"picks": [*answer["picks"], [choice["cpu"], choice["way"]]]})
    for before in reversed(seen):
        assert picture.asked({"picks": before["picks"]}) == before


def test_the_picks_of_a_row_lead_to_it(find):
    found, picture = find("plain increment")
    answer = picture.asked({"rows": len(found.rows)})
    for k, moment in enumerate(answer["moments"]):
        part = picture.asked({"picks": answer["picks"][: moment["picks"]]})
        assert part["at"] >= k
        shorter = picture.asked({"picks": answer["picks"][: max(0, moment["picks"] - 1)]})
        assert shorter["at"] < k or k == 0


def test_a_pick_that_nobody_can_make_is_told(find):
    _, picture = find("right")
    assert "CPU 7 cannot go now" in picture.asked({"picks": [[7, 0]]})["error"]


def test_by_hand_right_code_comes_to_a_good_end(find):
    found, picture = find("right")
    assert "goes wrong" in picture.pages().moments[0]["title"]
    assert picture.pages().moments[0]["where"] == f"{found.states:,} states"
    answer = picture.asked({"picks": []})
    while answer["choices"]:
        choice = answer["choices"][0]
        answer = picture.asked({"picks": [*answer["picks"], [choice["cpu"], choice["way"]]]})
    assert answer["moments"][0]["title"] == "All have finished, and nothing broke"


def test_a_search_that_came_to_no_end_is_no_good_news():
    args, more = searched("right")
    told = Interleaving(explore(*args, limit=50, **more), NAMES, None, None).pages()
    assert told.moments[0]["title"] == "No end was found"
    assert told.moments[0]["where"].startswith("inconclusive after")


def test_the_widget_carries_its_text_and_a_picture_of_its_own(find):
    found, picture = find("scan trusts count")
    widget = schedule(found, NAMES)
    data, _ = widget._repr_mimebundle_()
    made = picture.pages()
    assert data["text/plain"] == made.text
    assert 'role="img" aria-label="Schedule of 3 CPUs, 4 switches, 12 operations.' in data["text/html"]
    assert "<script" not in data["text/html"] and 'hz-row struck" data-k="r12"' in data["text/html"]
    assert widget.words["hand"] is False and widget.at == 12
    args, more = searched("scan trusts count")
    assert schedule(found, NAMES, by_hand=ByHand(*args, **more)).words["hand"] is True


def test_the_cells_beside_the_rows_can_be_chosen(find):
    found, _ = find("scan trusts count")
    made = Interleaving(found, NAMES, [FOLIO], None).pages()
    assert heads(made)[1] == ["folio"]
