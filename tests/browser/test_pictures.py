"""Both widgets in a real JupyterLab, driven from the keyboard alone."""

import re

import pytest
from hugezero.machine import Kernel
from hugezero.scenario import Mmap, Read, Simulated
from hugezero.view import timeline
from playwright.sync_api import expect

from .conftest import axe

pytestmark = pytest.mark.browser

SETUP = """
from hugezero.notebook import *
run = experiment(
    [Mmap("data", 4 * PAGE_SIZE), Read("data", 0, 2 * PAGE_SIZE), Fork("child"), Write("data", 0, b"hi")], Kernel(), pages=2048
)
run.machine.prints.append((20, "said by the student"))
"""
CHART = """
import matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(5, 2.5))
axes.plot([0, 1], [0, 1], marker="o")
chart(figure, alt="a line that rises", text="0: 0, 1: 1")
"""
PROGRESS = """
told = progress("pages read")
for done in range(0, 101, 10):
    told(done, 100)
"""
MAP, TIMELINE = 0, 1


@pytest.fixture(scope="module")
def tab(lab, opened):
    lab.write("pictures.ipynb", SETUP, "memory_map(run)", "timeline(run)", CHART, PROGRESS)
    tab = opened("pictures.ipynb")
    tab.run_all()
    expect(tab.picture(TIMELINE)).to_be_visible()
    tab.save()
    return tab


def reach(tab, number):
    """Go to a picture as one without a mouse does: Escape, then Tab until it has the focus."""
    focused = """n => document.activeElement?.matches('.hz input')
        && document.querySelectorAll('.jp-OutputArea-output .hz')[n]?.contains(document.activeElement)"""
    tab.command("notebook:enter-command-mode")
    for _ in range(150):
        if tab.page.evaluate(focused, number):
            return tab.picture(number)
        tab.page.keyboard.press("Tab")
    pytest.fail("Tab never came to the picture")


def where(picture):
    return int(
        re.search(r"operation (\d+) of|before", picture.locator(".hz-top .hz-soft").inner_text())[1] or 0
    )


def act(picture):
    return picture.locator(".hz-top .hz-soft").inner_text().partition(" · ")[2]


@pytest.mark.parametrize("number", [MAP, TIMELINE])
def test_keys_turn_the_pages_and_the_notebook_does_not_react(tab, number):
    picture = reach(tab, number)
    notebook = (tab.active_cell(), tab.page.locator(".jp-Notebook .jp-Cell").count())
    keyboard = tab.page.keyboard
    keyboard.press("End")
    last = where(picture)
    seen = picture.locator("svg").get_attribute("aria-label"), picture.locator(".hz-title").inner_text()
    for key, place in [
        ("Shift+ArrowLeft", last - 1),
        ("Shift+ArrowUp", last - 2),
        ("Shift+ArrowRight", last - 1),
        ("Shift+ArrowDown", last),
        ("Shift+ArrowRight", last),
    ]:
        keyboard.press(key)
        assert where(picture) == place, key
    keyboard.press("PageUp")
    assert act(picture) == "Fork('child')"
    keyboard.press("PageUp")
    assert act(picture).startswith("Read(")
    before = picture.locator("svg").get_attribute("aria-label"), picture.locator(".hz-title").inner_text()
    assert before[0] != seen[0]
    assert before[1] != seen[1]
    keyboard.press("PageDown")
    assert act(picture) == "Fork('child')"
    keyboard.press("Home")
    expect(picture.locator(".hz-title")).to_have_text("The machine has just been switched on")
    for key in "bddxj":  # in command mode these would add, delete, cut and leave cells
        keyboard.press(key)
    assert (tab.active_cell(), tab.page.locator(".jp-Notebook .jp-Cell").count()) == notebook


@pytest.mark.parametrize("number", [MAP, TIMELINE])
def test_a_step_changes_the_drawing_and_moves_nothing_else(tab, number):
    picture = reach(tab, number)
    tab.page.keyboard.press("Home")
    drawing, steps, sizes = picture.locator("svg"), 0, set()
    while True:
        before = where(picture), drawing.inner_html()
        tab.page.keyboard.press("ArrowRight")
        box = picture.bounding_box()
        sizes.add((round(box["width"]), round(box["height"])))
        if where(picture) == before[0]:
            break
        steps += 1
        assert drawing.inner_html() != before[1] or act(picture).startswith("Write(")
    assert 20 < steps < before[0] / 2
    assert len(sizes) == 1, "as large at every moment"


@pytest.mark.parametrize("number", [MAP, TIMELINE])
@pytest.mark.parametrize(("width", "height"), [(800, 768), (1366, 768)])
def test_all_of_a_picture_fits_a_laptop(opened, tab, number, width, height):
    small = opened("pictures.ipynb", width=width, height=height)
    small.command("application:toggle-left-area")
    small.run_all()
    picture = reach(small, number)
    small.page.keyboard.press("End")
    room = small.page.locator(".jp-WindowedPanel-outer").first.bounding_box()["height"]
    assert picture.bounding_box()["height"] <= room
    scroll = picture.locator(".hz-scroll").first
    assert scroll.evaluate(
        "node => node.scrollWidth <= node.clientWidth && node.scrollHeight <= node.clientHeight"
    )


@pytest.mark.parametrize("spot", [".hz-title", "svg", ".hz-foot"])
def test_a_click_anywhere_on_a_picture_gives_it_the_keys(tab, spot):
    """Else ← would fold a section of the notebook."""
    picture = tab.picture(MAP)
    reach(tab, MAP)
    tab.page.keyboard.press("End")
    last = where(picture)
    tab.command("notebook:enter-command-mode")
    picture.locator(spot).click(position={"x": 5, "y": 5})
    tab.page.keyboard.press("Shift+ArrowLeft")
    assert where(picture) == last - 1
    assert tab.page.locator(".jp-collapseHeadingButton, .jp-CellHeader .collapsed").count() == 0


@pytest.mark.parametrize("number", [MAP, TIMELINE])
def test_one_leaves_a_picture_as_one_leaves_a_cell(tab, number):
    reach(tab, number)
    here = tab.active_cell()
    tab.page.keyboard.press("Escape")
    assert tab.page.evaluate("() => document.activeElement.closest('.hz')") is None
    assert tab.active_cell() == here
    reach(tab, number)
    tab.page.keyboard.press("Shift+Enter")
    tab.page.wait_for_function(
        "here => window.jupyterapp.shell.currentWidget.content.activeCellIndex === here + 1", arg=here
    )


def test_a_focus_ring_shows_where_the_keys_go(tab):
    picture = reach(tab, MAP)
    assert "solid" in picture.locator("input").evaluate("node => getComputedStyle(node).outline")
    assert tab.page.evaluate("() => document.querySelectorAll('.hz:focus-within').length") == 1


def test_the_map_follows_the_timeline_and_outlines_what_changed(tab):
    picture = reach(tab, TIMELINE)
    picture.locator("ol").scroll_into_view_if_needed()
    tab.page.keyboard.press("Home")
    outlined = 0
    for _ in range(30):
        tab.page.keyboard.press("Shift+ArrowRight")
        row = picture.locator('li[aria-current="step"]')
        assert int(row.locator(".n").inner_text()) == where(picture)
        expect(row).to_be_in_viewport()
        outlined += picture.locator("svg .sel").count()
    assert outlined > 5
    assert picture.locator(".said").inner_text() == "printed: said by the student"
    slider = picture.locator("input")
    assert slider.get_attribute("aria-valuetext") == picture.locator(".hz-top .hz-soft").inner_text()


def test_what_is_saved_has_a_text_and_a_picture_of_its_own(tab, lab):
    saved = lab.saved("pictures.ipynb")
    bundles = [output["data"] for cell in saved.cells for output in cell.outputs if "data" in output]
    assert ["<svg" in bundle.get("text/html", "") for bundle in bundles] == [True, True, True, False]
    assert "main: RSS" in bundles[MAP]["text/plain"]
    assert "main: maps 0x200000" in bundles[TIMELINE]["text/plain"]
    assert bundles[2]["text/plain"] == "a line that rises\n\n0: 0, 1: 1"
    assert bundles[3]["text/plain"] == "100 of 100 pages read"


def test_pages_turn_with_a_dead_kernel_and_with_one_that_never_saw_them(lab, opened):
    lab.write("dead.ipynb", SETUP, "timeline(run)")
    tab = opened("dead.ipynb")
    tab.run_all()
    tab.kill_kernel()
    picture = reach(tab, 0)
    tab.page.keyboard.press("PageDown")
    assert act(picture).startswith("Read(")
    tab.save()
    tab.page.context.close()
    later = opened("dead.ipynb")
    picture = reach(later, 0)
    before = where(picture)
    later.page.keyboard.press("Shift+ArrowRight")
    assert where(picture) == before + 1


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing_wrong(tab, theme):
    tab.theme(theme)
    for number in (MAP, TIMELINE):
        reach(tab, number)
        tab.page.keyboard.press("End")
        assert axe(tab.page, ".hz:focus-within") == []
    tab.page.locator(".hz-chart").scroll_into_view_if_needed()
    assert axe(tab.page, ".hz-chart") == []


def test_at_360_pixels_titles_are_whole_and_columns_scroll(lab, opened, tab):
    narrow = opened("pictures.ipynb", width=360, height=800)
    narrow.command("application:toggle-left-area")
    narrow.run_all()
    for number in (MAP, TIMELINE):
        picture = narrow.picture(number)
        picture.scroll_into_view_if_needed()
        inside = picture.evaluate("node => node.getBoundingClientRect().right <= innerWidth")
        assert inside
        for name in (".hz-title", ".hz-top .hz-soft", ".hz-foot"):
            part = picture.locator(name).first
            assert part.evaluate(
                "node => node.scrollWidth <= node.clientWidth + 1 || node.clientWidth === 0"
            ), name
        scroll = picture.locator(".hz-scroll")
        assert scroll.evaluate("node => node.scrollWidth > node.clientWidth")
        assert scroll.get_attribute("tabindex") == "0"
    assert axe(narrow.page, ".jp-OutputArea-output .hz") == []


def test_a_page_without_scripts_shows_the_picture(browser):
    simulated = Simulated(Kernel(), pages=2048)
    simulated.run([Mmap("data", 8192), Read("data")])
    k = 1 + [str(done.cell[1]) for done in simulated.machine.log].index("pgfault")
    html = timeline(simulated, at=k)._repr_mimebundle_()[0]["text/html"]
    context = browser.new_context(java_script_enabled=False, viewport={"width": 900, "height": 900})
    page = context.new_page()
    page.set_content(f"<title>feedback</title><main>{html}</main>")
    expect(page.locator(".hz svg")).to_be_visible()
    expect(page.locator('.hz li[aria-current="step"]')).to_contain_text("pgfault.inc()")
    context.close()
