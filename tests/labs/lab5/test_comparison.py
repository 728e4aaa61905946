"""Five designs on one table: each line says what the design is known for, on the reference's kernels and on broken ones."""

import inspect
import re

import pytest
from hugezero.labs.lab5 import table as five
from hugezero.labs.lab5.comparison import ROWS, _length, measure, states
from hugezero.labs.lab5.designs import LABS, designs
from hugezero.labs.lab5.table import STORIES, Table, five_designs, picture, turn_pages

from autograder.course.layout import Course, load

COURSE = Course()


def kernel_of(lab):
    (path,) = (COURSE.root / "solutions").glob(f"{lab}_*.py")
    return {n: f for n, f in vars(load(f"solutions.{path.stem}", path)).items() if inspect.isfunction(f)}


KERNELS = {lab: kernel_of(lab) for lab in LABS}


@pytest.fixture(scope="module")
def rows():
    return {one.name: measure(one) for one in designs({}, KERNELS)}


def test_the_step_to_2_mib_saves_faults_and_nothing_after_it_does(rows):
    assert [row.faults for row in rows.values()] == [16384, 32, 32, 32, 32]
    assert [row.rss for row in rows.values()] == [0] * 5
    assert len({row.tables for row in rows.values()}) == 1


def test_only_the_counted_designs_write_to_shared_lines(rows):
    writes = {name: row.writes for name, row in rows.items()}
    assert writes["counted"] == 2 and 0.001 > writes["per mm"] > 0
    assert writes["zero page"] == writes["set aside"] == writes["persistent"] == 0
    assert rows["counted"].share > 50 > 1 > rows["per mm"].share > rows["persistent"].share


def test_memory_is_held_by_who_never_counts_and_given_back_by_who_does(rows):
    held = {name: (row.asleep, row.left, row.at_rest) for name, row in rows.items()}
    assert held["zero page"] == (4, 4, 4)
    assert held["counted"] == held["per mm"] == (4, 2052, 4)
    assert held["set aside"] == held["persistent"] == (2052, 2052, 2052)
    assert {name for name, row in rows.items() if row.without_mm == 2048} == {"set aside", "persistent"}


def test_each_page_goes_when_its_design_says(rows):
    assert {name: (row.comes, row.goes) for name, row in rows.items()} == {
        "zero page": ("at boot", "never"),
        "set aside": ("at boot", "never"),
        "counted": ("with the first reader", "when nobody maps it"),
        "per mm": ("with the first reader", "when all its readers have ended"),
        "persistent": ("at boot", "never"),
    }


def test_what_goes_must_be_thought_through(rows):
    looked = {one.name: states(one) for one in designs({}, KERNELS)}
    assert all(found.bug is None and not found.inconclusive for found in looked.values())
    assert looked["counted"].states > 50 > 2 > looked["persistent"].states
    assert rows["zero page"].lines < rows["set aside"].lines < rows["counted"].lines < rows["per mm"].lines
    assert rows["persistent"].later <= rows["per mm"].later


def test_a_kernel_that_goes_wrong_has_no_column_and_says_why(capsys):
    def raises(vmf):
        raise KeyError("lost")

    broken = {**KERNELS, "lab3": {**KERNELS["lab3"], "do_huge_pmd_anonymous_page": raises}}
    kept = five.designs
    try:
        five.designs = lambda here: kept({}, {lab: broken[lab] for lab in ("lab1", "lab3")})
        table = five_designs({})
    finally:
        five.designs = kept
    assert list(table.rows) == ["zero page"]
    assert "counted: could not be measured: KeyError" in capsys.readouterr().out


def test_the_fifth_design_comes_when_its_functions_are_done():
    earlier = {lab: KERNELS[lab] for lab in ("lab1", "lab2", "lab3", "lab4")}
    assert [one.name for one in designs({}, earlier)] == ["zero page", "set aside", "counted", "per mm"]
    mine = designs(KERNELS["lab5"], earlier)
    assert [(one.name, one.whose) for one in mine][-1] == ("persistent", "yours")


def test_the_table_reads_as_text_and_as_html_and_its_chart_says_its_numbers(rows):
    table = Table(rows, dict.fromkeys(rows, "the course's"), ["a sixth"])
    assert "16,384" in repr(table) and "a sixth: comes when" in repr(table)
    differ = [key for key in ROWS if len({getattr(row, key) for row in rows.values()}) > 1]
    assert table._repr_html_().count("<tr>") == 2 + len(five.SECTIONS) + len(differ)
    assert {key for keys in five.SECTIONS.values() for key in keys} == set(ROWS)
    assert f"per mm {rows['per mm'].writes:.2g}" in table.chart().text


def test_a_head_says_which_lab_and_since_when(rows):
    head, since, _ = repr(Table(rows, dict.fromkeys(rows, ""), [])).splitlines()[:3]
    assert re.findall(r"lab (\d): ([a-z ]+?)(?=  |$)", head) == [
        (lab[3:], name) for lab, (name, *_) in LABS.items()
    ]
    assert re.findall(r"20\d\d", since) == ["2012", "2012", "2016", "2025"]


def test_what_all_designs_have_in_common_is_said_once(rows):
    table = Table(rows, dict.fromkeys(rows, ""), [])
    same = next(line for line in table.note.splitlines() if line.startswith("The same"))
    assert "RSS then, KiB: 0" in same and "page tables then, KiB" in same
    assert "RSS then" not in "".join(table._section(*each) for each in table._sections())


def test_good_and_bad_are_told_by_a_mark_as_well_as_a_colour(rows):
    table = Table(rows, dict.fromkeys(rows, ""), [])
    marks = dict(zip(rows, table._marks("faults"), strict=True))
    assert marks == {"zero page": "✗", "set aside": "✓", "counted": "✓", "per mm": "✓", "persistent": "✓"}
    assert table._marks("without_mm") == ["✗", "✓", "✗", "✗", "✓"], "here more is better"
    assert table._marks("goes") == [""] * 5, "words are neither"
    assert table._marks("share").count("✗") == 1
    html = table._repr_html_()
    for look, mark in (("good", "✓"), ("bad", "✗")):
        assert html.count(f'class="{look}"') == html.count(f'class="{look}">{mark} ') > 5


def test_lines_are_counted_where_the_text_has_gone():
    design = designs({}, KERNELS)[0]
    names: dict = {}
    exec(
        compile(inspect.getsource(KERNELS["lab1"]["do_wp_page"]), "<gone>", "exec"),
        vars(inspect.getmodule(KERNELS["lab1"]["do_wp_page"])).copy(),
        names,
    )
    assert _length(names["do_wp_page"].__code__) == _length(design.kernel.do_wp_page.__code__) > 5


@pytest.mark.parametrize("story", STORIES)
def test_each_program_has_a_picture_on_each_design(story):
    for one in designs({}, KERNELS):
        drawn = picture(one, story)
        assert drawn.moments[drawn.at]["where"].endswith("· Read('a')"), "not on an empty machine"


def test_two_designs_stand_side_by_side(monkeypatch):
    monkeypatch.setattr(five, "designs", lambda here: designs({}, KERNELS))
    story, sides = turn_pages({}).children
    assert [side.children[0].value for side in sides.children] == ["counted", "persistent"]
    assert list(story.options) == list(STORIES)
