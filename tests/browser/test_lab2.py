"""Lab 2 as a student solves it in a real JupyterLab: from blank, over a lost race, to done."""

import inspect
import re
import shutil

import pytest
from playwright.sync_api import expect

from autograder.course.given import givens
from autograder.course.layout import Course
from solutions import lab2_huge_zero_page

from .test_lab1 import answer, go_to, run

pytestmark = pytest.mark.browser

STEM = "lab2_huge_zero_page"
EXERCISES = [
    name
    for name, thing in vars(lab2_huge_zero_page).items()
    if getattr(thing, "__module__", "") == lab2_huge_zero_page.__name__
]
REPAIRS = ["copy_huge_pmd", "zap_huge_pmd", "change_huge_pmd"]


@pytest.fixture(scope="module")
def tab(lab, opened, project):
    shutil.copy(project / "course" / f"{STEM}.ipynb", lab.folder)
    for name, text in givens(Course(project), STEM).items():
        (lab.folder / name).write_text(text)
    tab = opened(f"{STEM}.ipynb")
    tab.run_all()
    return tab


def right(name):
    return inspect.getsource(getattr(lab2_huge_zero_page, name))


def test_blank_nothing_raises_and_no_check_has_begun(tab):
    cells = tab.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.widgets
            .filter(cell => cell.model.type === 'code').map(cell => cell.model.toJSON())"""
    )
    checks = [cell for cell in cells if cell["source"].startswith("check(")]
    assert len(checks) == len(EXERCISES)
    for cell in checks:
        assert "Not started." in str(cell["outputs"]), cell["source"]


@pytest.mark.parametrize("name", REPAIRS)
def test_a_repair_shows_what_its_bug_does_before_anybody_has_touched_it(tab, name):
    expect(go_to(tab, f'check("{name}")')).to_contain_text("as it was given, and this is what its bug does")


def focus(tab, picture):
    """Give the keys to *picture*, as one without a mouse does: Tab until it has them."""
    for _ in range(60):
        if picture.locator("input:focus").count():
            return
        tab.page.keyboard.press("Tab")
    pytest.fail("Tab never came to the picture")


def test_a_race_that_is_lost_is_shown_and_can_be_stepped_through(tab):
    looks_first = right("do_huge_pmd_anonymous_page").replace(
        "    mm.page_table_lock.lock()\n    ours = vmf.pmd.read() is None\n",
        "    ours = vmf.pmd.read() is None\n    mm.page_table_lock.lock()\n",
    )
    said = answer(tab, "do_huge_pmd_anonymous_page", looks_first)
    expect(said).to_contain_text("Almost. Right alone, wrong under this schedule")
    expect(said).to_contain_text("is lost")
    picture = said.locator(".hz")
    expect(picture.locator(".hz-top .hz-soft")).to_contain_text("shortest:")
    drawn = picture.locator(".hz-board")
    expect(drawn).to_have_attribute("aria-label", re.compile("Schedule of 2 CPUs, 2 switches"))
    focus(tab, picture)
    before = picture.inner_html()
    tab.page.keyboard.press("ArrowUp")
    assert picture.inner_html() != before
    tab.page.keyboard.press("c")
    picked = picture.locator(".hz-top .hz-soft")
    expect(picked).to_contain_text("by hand: 2 switches, 32 operations; you picked 1, 1, 1, 0")
    tab.page.keyboard.press("1")
    expect(picked).to_contain_text("by hand: 2 switches, 33 operations")
    expect(picture.get_by_role("status")).to_contain_text("All have finished")
    expect(picture.locator(".hz-title")).to_contain_text("is lost")


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_answer_is_done(tab, name):
    said = answer(tab, name, right(name))
    expect(said).to_contain_text("Done.")
    expect(said).not_to_contain_text(re.compile("Not yet|Almost"))


def test_done_the_experiments_show_what_the_text_says(tab):
    tab.run_all()
    for start, text in {
        "both = experiment(": "huge · ro",
        "fork_64 = experiment(": "child: 0 faults",
        'version = "5.8"': "4,104 faults",
        "read_1g = [": "yours: 512 faults, 512 page tables",
        "for size in (": "512 frames gone",
    }.items():
        expect(go_to(tab, start)).to_contain_text(text)
    picture = run(tab, "story = experiment(").locator(".hz")
    expect(picture).to_be_visible()
    focus(tab, picture)
    tab.page.keyboard.press("End")
    expect(picture.locator("svg[role=img]")).to_have_attribute("aria-label", re.compile("main, RSS 2,048 kB"))
