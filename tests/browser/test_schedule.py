"""The schedule picture in a real JupyterLab, driven from the keyboard alone."""

import inspect
import re

import pytest
from playwright.sync_api import expect

from ..explore import versions
from .conftest import axe
from .test_pictures import reach

pytestmark = pytest.mark.browser

SEARCH = """
from hugezero.explore.byhand import ByHand
from hugezero.explore.search import explore
from hugezero.notebook import schedule
functions, threads = kernel(scan=scan_that_trusts_count), [user(), user(), shrinker()]
found = explore(functions, threads, at_end=at_rest)
"""
SHOW = "schedule(found, threads, by_hand=ByHand(functions, threads, at_end=at_rest))"
SHOW_RIGHT = """
right = kernel(), threads
schedule(explore(*right, at_end=at_rest), threads, by_hand=ByHand(*right, at_end=at_rest, may_fail=True))
"""
CELLS = (inspect.getsource(versions), SEARCH, SHOW, SHOW_RIGHT)
BROKE = "A count of 0 was decremented: somebody gave back a reference that nobody held"


@pytest.fixture(scope="module")
def tab(lab, opened):
    lab.write("schedule.ipynb", *CELLS)
    tab = opened("schedule.ipynb")
    tab.run_all()
    expect(tab.picture()).to_be_visible()
    tab.save()
    return tab


def place(picture):
    """The row with the outline; 0 is the start."""
    (key,) = picture.locator(".hz-row:is(.sel, .struck)").evaluate_all("all => all.map(n => n.dataset.k)")
    return int(key[1:])


def rows(picture):
    """How many operations are shown; the start is none."""
    return picture.locator(".hz-row").count() - 1


def box(picture):
    return picture.locator(".hz-row:is(.sel, .struck) .hz-op")


def test_it_opens_where_it_broke_and_keys_step(tab):
    picture = reach(tab, 0)
    expect(picture.locator(".hz-title")).to_have_text(BROKE)
    expect(picture.locator(".hz-top .hz-soft")).to_have_text("shortest: 4 switches, 12 operations")
    assert (place(picture), rows(picture)) == (12, 12)
    notebook = (tab.active_cell(), tab.page.locator(".jp-Notebook .jp-Cell").count())
    for key, row in [
        ("ArrowUp", 11),
        ("ArrowLeft", 10),
        ("ArrowDown", 11),
        ("PageUp", 1),
        ("Home", 0),
        ("ArrowUp", 0),
        ("PageDown", 10),
        ("End", 12),
        ("ArrowDown", 12),
    ]:
        tab.page.keyboard.press(key)
        assert place(picture) == row, key
        expect(box(picture)).to_be_in_viewport()
    for key in "bdd1x":  # in command mode these would add, delete and cut cells, or change what they are
        tab.page.keyboard.press(key)
    assert (tab.active_cell(), tab.page.locator(".jp-Notebook .jp-Cell").count()) == notebook


def test_each_step_is_told_to_those_who_do_not_see_it(tab):
    picture = reach(tab, 0)
    tab.page.keyboard.press("Home")
    told = set()
    for row in range(1, 13):
        tab.page.keyboard.press("ArrowDown")
        said = picture.locator("input").get_attribute("aria-valuetext")
        assert said.startswith(f"row {row} of 12; CPU ")
        told.add(said)
    assert len(told) == 12 and "broken: a count of 0 was decremented" in said


def test_the_map_comes_and_goes_and_its_counter_follows(tab):
    picture = reach(tab, 0)
    tab.page.keyboard.press("End")
    shown = picture.locator(".hz-map svg")
    expect(shown).to_be_hidden()
    tab.page.keyboard.press("m")
    for key, count in [("End", 0), ("ArrowUp", 0), ("ArrowUp", 2), ("PageUp", 0), ("PageDown", 2)]:
        tab.page.keyboard.press(key)
        expect(shown).to_contain_text(f"refcount {count}")
    tab.page.keyboard.press("m")
    expect(shown).to_be_hidden()


def test_from_a_row_it_goes_on_by_hand_and_back(tab):
    picture, keyboard = reach(tab, 0), tab.page.keyboard
    title, choices = picture.locator(".hz-title"), picture.locator(".hz-picks button")
    keyboard.press("End")
    for _ in range(5):
        keyboard.press("ArrowUp")
    keyboard.press("c")
    expect(title).to_have_text("You choose who goes next")
    assert (place(picture), rows(picture)) == (7, 7)
    expect(choices).to_have_text(
        ["1 CPU 1 · user refcount.inc_not_zero()", "2 CPU 2 · shrinker refcount.set(0)"]
    )
    keyboard.press("2")
    expect(picture.locator(".hz-row.sel[data-k=r8]")).to_contain_text("refcount.set(0)")
    keyboard.press("Backspace")
    expect(picture.locator("[data-k=r8]")).to_have_count(0)
    assert (place(picture), rows(picture)) == (7, 7)
    for key, row in [("1", 8), ("2", 9)]:
        keyboard.press(key)
        expect(picture.locator(f".hz-row.sel[data-k=r{row}]")).to_be_visible()
    expect(picture.locator(".hz-row.sel[data-k=r9]")).to_contain_text("forgets what row 8 did")
    expect(choices).to_have_text([re.compile("CPU 1 "), re.compile("CPU 2 ")])
    keyboard.press("ArrowUp")
    keyboard.press("1")  # from a row further up: what came behind it is gone
    expect(picture.locator(".hz-row.sel[data-k=r9]")).to_contain_text("folio.read()")
    keyboard.press("c")
    expect(title).to_have_text(BROKE)
    assert (place(picture), rows(picture)) == (7, 12)
    expect(picture.locator(".hz-hand")).to_be_hidden()


def test_where_it_broke_nobody_goes_on_but_a_step_back_is_possible(tab):
    picture, keyboard = reach(tab, 0), tab.page.keyboard
    keyboard.press("End")
    keyboard.press("c")
    expect(picture.get_by_role("status")).to_contain_text("It broke here: nobody goes on")
    expect(picture.locator(".hz-title")).to_have_text(BROKE)
    keyboard.press("1")
    keyboard.press("Backspace")
    expect(picture.locator(".hz-picks button")).to_have_count(2)
    assert rows(picture) == 11
    keyboard.press("c")


def test_buttons_do_what_the_keys_do(tab):
    picture = tab.picture()
    picture.locator("[data-k=r3] .hz-op").click()
    assert place(picture) == 3
    picture.get_by_role("button", name="continue by hand").click()
    picture.locator(".hz-picks button", has_text="CPU 2").click()
    expect(picture.locator(".hz-row.sel[data-k=r4]")).to_contain_text("refcount.read()")
    picture.get_by_role("button", name="continue by hand").click()
    assert rows(picture) == 12


def test_right_code_is_played_from_the_start_and_memory_may_run_out(tab):
    picture, keyboard = reach(tab, 1), tab.page.keyboard
    expect(picture.locator(".hz-title")).to_have_text("No schedule of these CPUs goes wrong")
    keyboard.press("c")
    expect(picture.locator(".hz-picks button")).to_have_text(
        [re.compile(f"{key} CPU") for key in ("0", "⇧0", "1", "⇧1", "2")]
    )
    keyboard.press("Shift+Digit1")
    expect(picture.locator(".hz-row.sel[data-k=r2]")).to_contain_text("→ None")
    keyboard.press("2")
    expect(picture.locator(".hz-row.sel[data-k=r3]")).to_contain_text("refcount.cmpxchg(1, 0)")
    for row in (5, 6, 7, 8, 9):
        keyboard.press("0")
        expect(picture.locator(f".hz-row.sel[data-k=r{row}]")).to_be_visible()
    expect(picture.locator(".hz-picks button")).to_have_text(
        ["1 CPU 1 · user registered.read()"]
    )  # are there shrinkers?
    keyboard.press("1")
    expect(picture.locator(".hz-title")).to_have_text("All have finished, and nothing broke")
    picture.get_by_role("button", name="continue by hand").click()
    expect(picture.locator(".hz-title")).to_have_text("No schedule of these CPUs goes wrong")


def focus(tab):
    """What the button with the focus says."""
    return tab.page.evaluate("() => document.activeElement.closest('.hz-picks button')?.textContent ?? ''")


def test_after_a_choice_the_focus_stays_on_a_button(tab):
    picture, keyboard = reach(tab, 0), tab.page.keyboard
    keyboard.press("Home")
    keyboard.press("c")
    for row in (1, 2, 3):
        picture.locator(".hz-picks button", has_text="CPU 0").click()
        expect(picture.locator(f".hz-row[data-k=r{row}]")).to_be_visible()
        expect(picture.locator(".hz-picks button:focus")).to_contain_text("CPU 0")
    keyboard.press("Tab")
    assert "CPU 1" in focus(tab)
    keyboard.press("Enter")
    expect(picture.locator(".hz-row.sel[data-k=r5]")).to_contain_text("→ True")
    expect(picture.locator(".hz-picks button:focus")).to_contain_text("CPU 1")
    keyboard.press("Backspace")
    keyboard.press("c")
    assert place(picture) == 0


def test_escape_and_shift_enter_leave_the_picture_as_in_any_notebook(tab):
    picture, keyboard = reach(tab, 0), tab.page.keyboard
    cell = tab.active_cell()
    keyboard.press("Escape")
    assert picture.locator(":focus").count() == 0
    assert tab.page.evaluate("() => document.activeElement.matches('.jp-Notebook .jp-Cell')")
    keyboard.press("k")  # in command mode: the cell above
    expect(tab.page.locator(".jp-Notebook .jp-Cell").nth(cell - 1)).to_have_class(re.compile("jp-mod-active"))
    reach(tab, 0)
    keyboard.press("Shift+Enter")
    expect(tab.page.locator(".jp-Notebook .jp-Cell").nth(cell + 1)).to_have_class(re.compile("jp-mod-active"))
    tab.idle()
    expect(tab.picture()).to_be_visible()


def test_the_map_opens_where_it_can_be_seen(tab):
    picture = reach(tab, 0)
    tab.page.keyboard.press("End")
    tab.page.keyboard.press("m")
    expect(picture.locator(".hz-map svg")).to_be_in_viewport(ratio=0.5)
    tab.page.keyboard.press("m")


def test_the_line_of_each_cpu_is_marked_in_the_code_beside_it(tab):
    picture, keyboard = reach(tab, 0), tab.page.keyboard
    keyboard.press("Home")
    expect(picture.locator(".hz-code .now")).to_have_count(0)
    for code in ("hz.refcount.inc_not_zero()", "alloc_folio(9)", "hz.folio.cmpxchg(None, folio)"):
        keyboard.press("ArrowDown")
        expect(picture.locator(".hz-code .now")).to_contain_text(code)
        expect(picture.locator(".hz-code .now .at")).to_have_text("0▸")
    keyboard.press("End")
    keyboard.press("ArrowUp")
    expect(picture.locator(".hz-code .now")).to_contain_text("hz.refcount.set(0)")
    expect(picture.locator(".hz-code .here")).to_have_count(3)
    assert re.search(
        r"CPU 2 · shrinker, line \d+: ", picture.locator("input").get_attribute("aria-valuetext")
    )


CUT_OFF = """node => [...node.querySelectorAll('.hz-scroll, .hz-line, .hz-line > :not(u), .hz-op code, .hz-top *')]
    .filter(part => part.scrollWidth > part.clientWidth + 1 && part.clientWidth)
    .map(part => part.className + ': ' + part.textContent)"""
BROKEN = """node => [...node.querySelectorAll('.hz-op code, .hz-v, .hz-note, .hz-verdict, .hz-heads b')].flatMap(part => {
    const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT), found = [];
    for (let text; text = texts.nextNode();)
        for (const word of text.data.matchAll(/[A-Za-z0-9_]+/g)) {
            const range = new Range();
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map(box => box.top)).size > 1) found.push(word[0]);
        }
    return found;
})"""


@pytest.mark.parametrize("width", [800, 1280, 1366, 1920])
def test_nothing_is_cut_off_and_no_word_is_broken_however_wide_the_window_is(opened, tab, width):
    page = opened("schedule.ipynb", width=width, height=900)
    if width == 800:
        page.command("application:toggle-left-area")
    page.run_all()
    picture = page.picture()
    expect(picture.locator(".hz-verdict").first).to_be_visible()
    for theme in ("Light", "Dark"):
        page.theme(theme)
        assert picture.evaluate(CUT_OFF) == []
        assert picture.evaluate(BROKEN) == []
    board, code = (picture.locator(part).bounding_box() for part in (".hz-board", ".hz-source"))
    beside = code["x"] > board["x"] + 400
    assert beside == (width == 1920) and (beside or code["y"] > board["y"])
    page.page.context.close()


def test_with_a_dead_kernel_it_steps_and_says_that_the_rest_needs_one(lab, opened):
    lab.write("dead_schedule.ipynb", *CELLS)
    tab = opened("dead_schedule.ipynb")
    tab.run_all()
    tab.save()
    tab.kill_kernel()
    picture, keyboard = reach(tab, 0), tab.page.keyboard
    keyboard.press("c")
    expect(picture.get_by_role("status")).to_contain_text("The kernel does not answer")
    keyboard.press("ArrowUp")
    assert (place(picture), rows(picture)) == (11, 12)
    keyboard.press("c")
    expect(picture.locator(".hz-hand")).to_be_hidden()
    tab.page.context.close()
    later = opened("dead_schedule.ipynb")  # with a kernel that never saw it
    picture = reach(later, 0)
    later.page.keyboard.press("c")
    expect(picture.get_by_role("status")).to_contain_text("The kernel does not answer")
    later.page.keyboard.press("Home")
    assert place(picture) == 0


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing_wrong(tab, theme):
    tab.theme(theme)
    picture = reach(tab, 0)
    tab.page.keyboard.press("End")
    assert axe(tab.page, ".hz:focus-within") == []
    tab.page.keyboard.press("ArrowUp")
    tab.page.keyboard.press("m")
    tab.page.keyboard.press("c")
    expect(picture.locator(".hz-picks button").first).to_be_visible()
    assert axe(tab.page, ".hz:focus-within") == []
    tab.page.keyboard.press("c")
    tab.page.keyboard.press("m")


def test_at_360_pixels_the_title_is_whole_and_columns_scroll(lab, opened, tab):
    narrow = opened("schedule.ipynb", width=360, height=800)
    narrow.command("application:toggle-left-area")
    narrow.run_all()
    picture = reach(narrow, 0)
    assert picture.evaluate("node => node.getBoundingClientRect().right <= innerWidth")
    for name in (".hz-title", ".hz-top .hz-soft", ".hz-foot"):
        part = picture.locator(name).first
        assert part.evaluate("node => node.scrollWidth <= node.clientWidth + 1 || node.clientWidth === 0"), (
            name
        )
    scroll = picture.locator(".hz-scroll").first
    assert scroll.evaluate("node => node.scrollWidth > node.clientWidth")
    inside = "node => { const box = node.getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth }"
    for key in ("End", "PageUp", "PageDown"):
        narrow.page.keyboard.press(key)
        assert box(picture).evaluate(inside), key
    assert axe(narrow.page, ".jp-OutputArea-output .hz") == []


def test_what_is_saved_has_a_text_and_a_picture_of_its_own(tab, lab):
    data = lab.saved("schedule.ipynb").cells[2].outputs[0]["data"]
    assert BROKE in data["text/plain"] and "refcount.set(0)" in data["text/plain"]
    assert "hz-board" in data["text/html"] and "hz-row struck" in data["text/html"]
