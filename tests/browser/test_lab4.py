"""Lab 4 as a student solves it in a real JupyterLab: from blank, over a flag that is set too early, to done."""

import inspect
import re
import shutil

import pytest
from playwright.sync_api import expect

from autograder.course.given import givens
from autograder.course.layout import Course
from solutions import lab4_mm_flag

from .conftest import axe
from .test_lab1 import answer, go_to, run

pytestmark = pytest.mark.browser

STEM = "lab4_mm_flag"
EXERCISES = [
    name
    for name, thing in vars(lab4_mm_flag).items()
    if getattr(thing, "__module__", "") == lab4_mm_flag.__name__
]
SETS_FIRST = '''def mm_get_huge_zero_folio(mm):
    """Set first, taken later."""
    if mm.huge_zero.test():
        return HUGE_ZERO.folio.read()
    folio = get_huge_zero_folio(HUGE_ZERO)
    if folio is not None:
        mm.huge_zero.set()
    return folio
'''


@pytest.fixture(scope="module")
def tab(lab, opened, project):
    shutil.copy(project / "course" / f"{STEM}.ipynb", lab.folder)
    for name, text in givens(Course(project), STEM).items():
        (lab.folder / name).write_text(text)
    tab = opened(f"{STEM}.ipynb")
    tab.run_all()
    return tab


def right(name):
    return inspect.getsource(getattr(lab4_mm_flag, name))


def focus(tab, picture):
    """Give the keys to *picture*, as one without a mouse does: Tab until it has them."""
    for _ in range(60):
        if picture.locator("input:focus").count():
            return
        tab.page.keyboard.press("Tab")
    pytest.fail("Tab never came to the picture")


def test_blank_nothing_raises_and_no_check_has_begun(tab):
    cells = tab.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.widgets
            .filter(cell => cell.model.type === 'code').map(cell => cell.model.toJSON())"""
    )
    checks = [cell for cell in cells if cell["source"].startswith("check(")]
    assert len(checks) == len(EXERCISES)
    for cell in checks:
        assert "Not started." in str(cell["outputs"]), cell["source"]


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_the_line_goes_from_cpu_to_cpu_by_the_keys_alone(tab, theme):
    tab.theme(theme)
    picture = run(tab, "from hugezero.cost.cacheline import replay").locator(".hz")
    expect(picture).to_be_visible()
    focus(tab, picture)
    drawn, active = picture.locator("svg[role=img]"), tab.active_cell()
    expect(drawn).to_have_attribute("aria-label", re.compile("gets it from memory"))
    tab.page.keyboard.press("End")
    expect(picture.locator(".hz-top .hz-soft")).to_contain_text("visit 60 of 60")
    expect(drawn).to_have_attribute("aria-label", re.compile(r"takes the line from CPU \d.* waits"))
    tab.page.keyboard.press("ArrowLeft")
    expect(picture.locator(".hz-top .hz-soft")).to_contain_text("visit 59 of 60")
    assert picture.locator("svg .sel").count() == 1
    assert tab.active_cell() == active
    assert axe(tab.page, ".hz:focus-within") == []


def test_a_reference_too_many_is_shown_as_the_schedule_that_takes_it(tab):
    said = answer(tab, "mm_get_huge_zero_folio", SETS_FIRST)
    expect(said).to_contain_text("Almost. Right alone, wrong under this schedule")
    expect(said).to_contain_text("the count is 3; it should be 2")
    picture = said.locator(".hz")
    expect(picture.locator(".hz-top .hz-soft")).to_contain_text("shortest:")
    focus(tab, picture)
    before = picture.inner_html()
    tab.page.keyboard.press("ArrowUp")
    assert picture.inner_html() != before


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_answer_is_done(tab, name):
    said = answer(tab, name, right(name))
    expect(said).to_contain_text("Done.")
    expect(said).not_to_contain_text(re.compile("Not yet|Almost"))


def test_done_the_experiments_show_what_the_text_says(tab):
    tab.run_all()
    for start, text in {
        "from hugezero.cost.contention import bouncing, shares": "5.6% is spent in get",
        "two_threads_of_one_mm(": "the mm holds the folio once",
        "program = [": "2 main",
        "from hugezero.labs.experiment import yours": "a later fault: ('own', 'r') ('folio', 'r')",
        "from hugezero.cost.contention import side_by_side": "2.33 ×",
        "program = attempt(": "yours: 512 pages are held in the end",
        "reader = [": "the huge zero page: gone",
    }.items():
        expect(go_to(tab, start)).to_contain_text(text)


def test_the_charts_speak(tab):
    chart = go_to(tab, "from hugezero.cost.contention import sweep").locator(".hz-chart")
    chart.scroll_into_view_if_needed()
    expect(chart.locator("svg")).to_have_attribute("aria-label", "Throughput against CPUs: lab 3")
    chart.locator("summary").click()
    expect(chart).to_contain_text("the knee is at 28 CPUs")
    assert axe(tab.page, ".hz-chart") == []
