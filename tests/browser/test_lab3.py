"""Lab 3 as a student solves it in a real JupyterLab: from blank to done, and one schedule driven by hand."""

import inspect
import re
import shutil

import pytest
from playwright.sync_api import expect

from autograder.course.given import givens
from autograder.course.layout import Course
from solutions import lab3_shrinker

from .test_lab1 import answer, go_to, run

pytestmark = pytest.mark.browser

STEM = "lab3_shrinker"
TRUSTS = '''def shrink_huge_zero_folio_scan(hz):
    """Looks, and then acts."""
    if hz.refcount.read() == 1:
        hz.refcount.set(0)
        free_folio(hz.folio.xchg(None))
        return HPAGE_PMD_NR
    return 0
'''
SCANS = {  # each version of scan that somebody may have to break, and who goes next
    "scan_pointer_first": "1100",
    "scan_takes_the_count": "00011202",
    "scan_leaves_first": "01122220",
}
EXERCISES = [
    name
    for name, thing in vars(lab3_shrinker).items()
    if getattr(thing, "__module__", "") == lab3_shrinker.__name__
]


@pytest.fixture(scope="module")
def tab(lab, opened, project):
    shutil.copy(project / "course" / f"{STEM}.ipynb", lab.folder)
    for name, text in givens(Course(project), STEM).items():
        (lab.folder / name).write_text(text)
    tab = opened(f"{STEM}.ipynb")
    tab.run_all()
    return tab


def test_blank_nothing_raises_and_no_check_has_begun(tab):
    cells = tab.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.widgets
            .filter(cell => cell.model.type === 'code').map(cell => cell.model.toJSON())"""
    )
    checks = [cell for cell in cells if cell["source"].startswith("check(")]
    assert len(checks) == len(EXERCISES)
    for cell in checks:
        assert "Not started." in str(cell["outputs"]), cell["source"]


def test_what_is_wrong_under_one_schedule_is_shown_as_that_schedule(tab):
    said = answer(tab, "shrink_huge_zero_folio_scan", TRUSTS)
    expect(said).to_contain_text("Almost. Right alone, wrong under this schedule")
    picture = said.locator(".hz")
    expect(picture.locator(".hz-top .hz-soft")).to_have_text("shortest: 3 switches, 5 operations")


def focus(tab, picture):
    """Give the keys to *picture*, as one without a mouse does: Tab until it has them."""
    for _ in range(60):
        if picture.locator("input:focus").count():
            return
        tab.page.keyboard.press("Tab")
    pytest.fail("Tab never came to the picture")


def test_a_version_is_broken_by_hand_and_the_schedule_is_taken_over(tab):
    output = run(tab, 'to_break("shrink_huge_zero_folio_scan"')
    picture, keyboard = output.locator(".hz"), tab.page.keyboard
    (version,) = [name for name in SCANS if name in output.inner_text()]
    expect(picture.locator(".hz-title")).to_have_text(
        "Nobody has gone yet: continue by hand, and say who does"
    )
    focus(tab, picture)
    keyboard.press("c")
    picked = picture.locator(".hz-top .hz-soft")
    expect(picked).to_contain_text("nobody picked yet")
    for n, cpu in enumerate(SCANS[version], 1):
        keyboard.press(cpu)
        expect(picked).to_contain_text(f"you picked {', '.join(SCANS[version][:n])}")
    expect(picture.get_by_role("status")).to_contain_text("It broke here: nobody goes on")
    schedule = re.search(r"you picked ([\d, ]+)", picked.inner_text())[1]
    source = inspect.getsource(lab3_shrinker.break_scan_schedule)
    seed = "write your student id here"
    said = answer(tab, "break_scan_schedule", re.sub(r"return .*", f'return "{seed}", [{schedule}]', source))
    expect(said).to_contain_text("Done.")
    expect(said).to_contain_text(f"the version of '{seed}' is broken")


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_answer_is_done(tab, name):
    said = answer(tab, name, inspect.getsource(getattr(lab3_shrinker, name)))
    expect(said).to_contain_text("Done.")
    expect(said).not_to_contain_text(re.compile("Not yet|Almost"))


def test_done_the_experiments_show_what_the_text_says(tab):
    tab.run_all()
    for start, text in {
        "every_schedule_of(get_huge_zero_folio=get_huge_zero_folio": "nothing goes wrong in any of them",
        "program = [": "0 DropCaches()",
        "def visit(": "and a DropCaches() after each: 5 brought",
        "race_of_2026(locked=True)": "nothing goes wrong in any of them",
    }.items():
        expect(go_to(tab, start)).to_contain_text(text)
