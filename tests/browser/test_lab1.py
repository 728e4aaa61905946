"""A student's first hour with lab 1, in a real JupyterLab: blank, wrong, right, and the pictures."""

import inspect
import os
import re
import shutil

import pytest
from playwright.sync_api import expect

from solutions import lab1_zero_page

pytestmark = pytest.mark.browser

NAME = "lab1_zero_page.ipynb"
WRONG = '''def do_anonymous_page(vmf):
    """Always a frame of its own."""
    anon_vma_prepare(vmf.vma)
    folio = alloc_folio()
    clear_folio(folio)
    vmf.vma.vm_mm.rss.inc()
    vmf.pte.set(pte_mkdirty(pte_mkwrite(mk_pte(folio))))
    return 0
'''
PICTURE = os.environ.get("LAB1_PICTURE")  # where to put the README's picture, when it is to be made again


@pytest.fixture(scope="module")
def tab(lab, opened, project):
    shutil.copy(project / "course" / NAME, lab.folder / NAME)
    tab = opened(NAME)
    tab.run_all()
    return tab


def number_of(tab, start):
    """Which cell starts with this text."""
    sources = tab.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.sharedModel.source)"
    )
    (number,) = [i for i, source in enumerate(sources) if source.startswith(start)]
    return number


def go_to(tab, start):
    """Select a cell; gives where its output will be."""
    number = number_of(tab, start)
    tab.page.evaluate(
        """async n => { const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = n; await notebook.scrollToItem(n, 'center') }""",
        number,
    )
    return tab.page.locator(f'.jp-Cell[data-windowed-list-index="{number}"] .jp-OutputArea')


def run(tab, start):
    """Run the cell that starts with this text, with the keyboard."""
    output = go_to(tab, start)
    tab.command("notebook:enter-command-mode")
    tab.page.keyboard.press("Control+Enter")
    tab.idle()
    return output


def answer(tab, function, source):
    """Type an answer over what is there, and run its cell and its check."""
    go_to(tab, f"def {function}(")
    tab.command("notebook:enter-edit-mode")
    tab.page.locator(".jp-Cell.jp-mod-active .cm-content:focus").wait_for()
    tab.page.keyboard.press("Control+A")
    tab.page.keyboard.insert_text(source)
    tab.page.keyboard.press("Control+Enter")
    return run(tab, f'check("{function}")')


def test_blank_nothing_raises_and_no_check_has_begun(tab):
    cells = tab.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.widgets
            .filter(cell => cell.model.type === 'code').map(cell => cell.model.toJSON())"""
    )
    errors = [out for cell in cells for out in cell["outputs"] if out["output_type"] == "error"]
    assert errors == []
    checks = [cell for cell in cells if cell["source"].startswith("check(")]
    assert len(checks) >= 6
    for cell in checks:
        assert "Not started." in str(cell["outputs"]), cell["source"]


def test_a_wrong_answer_is_told_what_was_seen_and_the_right_one_is_done(tab):
    said = answer(tab, "do_anonymous_page", WRONG)
    expect(said).to_contain_text("Not yet.")
    expect(said).to_contain_text(re.compile("RSS|folio|frame"))
    said = answer(tab, "do_anonymous_page", inspect.getsource(lab1_zero_page.do_anonymous_page))
    expect(said).to_contain_text("Done.")
    expect(said).not_to_contain_text("Not yet")


def where(picture):
    return int(re.search(r"(\d+) of", picture.locator(".hz-top .hz-soft").inner_text())[1])


@pytest.mark.parametrize("start", ["small = experiment(", "story = experiment("])
def test_both_pictures_answer_to_the_keyboard(tab, start):
    answer(tab, "do_anonymous_page", inspect.getsource(lab1_zero_page.do_anonymous_page))
    answer(tab, "do_wp_page", inspect.getsource(lab1_zero_page.do_wp_page))
    picture = run(tab, start).locator(".hz")
    expect(picture).to_be_visible()
    for _ in range(40):
        if picture.locator("input:focus").count():
            break
        tab.page.keyboard.press("Tab")
    active = tab.active_cell()
    tab.page.keyboard.press("End")
    last = where(picture)
    label = picture.locator("svg").get_attribute("aria-label")
    assert "Memory map. main, RSS 4 kB" in label
    for _ in range(5):
        tab.page.keyboard.press("ArrowLeft")
    assert where(picture) == last - 5
    tab.page.keyboard.press("Home")
    expect(picture.locator(".hz-title")).to_have_text("The machine has just been switched on")
    assert picture.locator("svg").get_attribute("aria-label") != label
    assert tab.active_cell() == active
    if PICTURE and start.startswith("story"):
        take_picture(tab, picture)


def take_picture(tab, picture):
    """The README's picture: the timeline where the zero page gives way."""
    titles = "main: entry for 0x200000 now maps folio 0x201 instead of the zero page"
    tab.page.keyboard.press("End")
    while not picture.locator(".hz-title").inner_text().startswith(titles):
        tab.page.keyboard.press("ArrowLeft")
    tab.command("application:toggle-left-area")
    tab.page.set_viewport_size({"width": 1120, "height": 900})
    picture.evaluate("node => node.scrollIntoView({block: 'end'})")
    tab.page.wait_for_timeout(500)
    tab.page.screenshot(path=PICTURE)
