"""Each lab as a student solves it in a real JupyterLab: blank, wrong in a way of its own, right, and what it shows then.

The tests of a lab run one after the other, in the order of this file and in one tab: later ones find the
answers of earlier ones. conftest.py sorts them.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator, expect

from autograder.course.layout import Course, source_of

from .conftest import Tab, axe

pytestmark = pytest.mark.browser

COURSE = Course()
LAB1, LAB2, LAB3, LAB4, LAB5 = (
    "lab1_zero_page", "lab2_huge_zero_page", "lab3_shrinker", "lab4_mm_flag", "lab5_persistent",
)  # fmt: skip
PICTURE = os.environ.get("LAB1_PICTURE")  # where to put the README's picture, when it is to be made again


def on(*stems: str) -> Any:
    """The test is of these labs."""
    return pytest.mark.parametrize(
        "tab", stems, indirect=True, ids=[stem.partition("_")[0] for stem in stems]
    )


@pytest.fixture(scope="module")
def tabs() -> list[Tab]:
    """The tab that is open: that of the lab whose tests are run now."""
    return []


@pytest.fixture
def tab(request: pytest.FixtureRequest, tabs: list[Tab], lab: Any, opened: Any) -> Tab:
    """The lab's notebook: blank, after Run All, and then as the test before has left it."""
    name = f"{request.param}.ipynb"
    if not tabs or tabs[0].name != name:
        for done in tabs:
            done.page.context.close()
        shutil.copy(COURSE.notebook(request.param), lab.folder)
        tabs[:] = [opened(name)]
        tabs[0].run_all()
    return tabs[0]


def exercises(stem: str) -> list[str]:
    cells = nbformat.read(COURSE.notebook(stem), 4).cells
    return [c.metadata.nbgrader.grade_id for c in cells if c.metadata.get("nbgrader", {}).get("solution")]


def right(tab: Tab, name: str) -> str:
    """The reference's answer."""
    return source_of(COURSE.solution(Path(tab.name).stem).read_text("utf-8"), name)


def go_to(tab: Tab, start: str) -> Locator:
    """Select the cell that starts with this text; return where its output will be."""
    sources = tab.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.sharedModel.source)"
    )
    (number,) = [i for i, source in enumerate(sources) if source.startswith(start)]
    tab.page.evaluate(
        """async n => { const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = n; await notebook.scrollToItem(n, 'center') }""",
        number,
    )
    return tab.page.locator(f'.jp-Cell[data-windowed-list-index="{number}"] .jp-OutputArea')


def run(tab: Tab, start: str) -> Locator:
    """Run the cell that starts with this text, with the keyboard."""
    output = go_to(tab, start)
    tab.command("notebook:enter-command-mode")
    tab.page.keyboard.press("Control+Enter")
    tab.idle()
    return output


def answer(tab: Tab, function: str, source: str) -> Locator:
    """Type an answer over what is there, and run its cell and its check."""
    go_to(tab, f"def {function}(")
    tab.command("notebook:enter-edit-mode")
    tab.page.locator(".jp-Cell.jp-mod-active .cm-content:focus").wait_for()
    tab.page.keyboard.press("Control+A")
    tab.page.keyboard.insert_text(source)
    tab.page.keyboard.press("Control+Enter")
    return run(tab, f'check("{function}")')


def focus(tab: Tab, picture: Locator) -> None:
    """Give the keys to *picture*, as one without a mouse does: Tab until it has them."""
    for _ in range(60):
        if picture.locator("input:focus").count():
            return
        tab.page.keyboard.press("Tab")
    pytest.fail("Tab never came to the picture")


def turns(tab: Tab, picture: Locator) -> None:
    """One step back shows something else."""
    focus(tab, picture)
    before = picture.inner_html()
    tab.page.keyboard.press("ArrowUp")
    assert picture.inner_html() != before


# blank


@on(*COURSE.stems())
def test_blank_nothing_raises_and_no_check_has_begun(tab: Tab) -> None:
    cells = tab.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.widgets
            .filter(cell => cell.model.type === 'code').map(cell => cell.model.toJSON())"""
    )
    errors = [out for cell in cells for out in cell["outputs"] if out["output_type"] == "error"]
    assert errors == []
    checks = [cell for cell in cells if cell["source"].startswith("check(")]
    assert len(checks) == len(exercises(Path(tab.name).stem)) >= 2
    for cell in checks:
        assert "Not started." in str(cell["outputs"]), cell["source"]


@on(LAB2)
@pytest.mark.parametrize("name", ["copy_huge_pmd", "zap_huge_pmd", "change_huge_pmd"])
def test_a_repair_shows_what_its_bug_does_before_anybody_has_touched_it(tab: Tab, name: str) -> None:
    expect(go_to(tab, f'check("{name}")')).to_contain_text("as it was given, and this is what its bug does")


@on(LAB5)
def test_blank_the_table_has_four_designs_and_says_where_the_fifth_comes_from(tab: Tab) -> None:
    table = go_to(tab, "five = five_designs(")
    expect(table).to_contain_text("the course's")
    expect(table).to_contain_text("persistent: comes when 5.4 and 5.5 are done")


@on(LAB4)
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_the_line_goes_from_cpu_to_cpu_by_the_keys_alone(tab: Tab, theme: str) -> None:
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


@on(LAB5)
def test_the_schedule_of_the_bug_is_a_picture_with_the_disk_as_a_column(tab: Tab) -> None:
    picture = run(tab, "every_schedule_with_disk(zeroout_borrowing)").locator(".hz")
    expect(picture.locator(".hz-title")).to_contain_text("The disk reads P1, which has been freed")
    label = picture.locator(".hz-board").get_attribute("aria-label")
    assert "Schedule of 3 CPUs" in label


# wrong

FRAME_OF_ITS_OWN = '''def do_anonymous_page(vmf):
    """Always a frame of its own."""
    anon_vma_prepare(vmf.vma)
    folio = alloc_folio()
    clear_folio(folio)
    vmf.vma.vm_mm.rss.inc()
    vmf.pte.set(pte_mkdirty(pte_mkwrite(mk_pte(folio))))
    return 0
'''
TOO_FAST = '''def secret_on_disk():
    """The disk is through before anything can happen."""
    return [Zeroout(), DiskWorks(), Exit(), DropCaches()]
'''
TWO_MIB = '''def blkdev_issue_zero_pages(bdev, sector, nr_sects):
    """Always in pieces of 2 MiB."""
    zeroes = largest_zero_folio()
    while nr_sects:
        bio = bio_alloc(bdev, sector)
        n = min(nr_sects, 4096)
        bio_add_folio(bio, zeroes, n * SECTOR_SIZE)
        error = submit_bio_wait(bio)
        if error:
            return error
        sector, nr_sects = sector + n, nr_sects - n
    return 0
'''
NOT_YET = [
    (LAB1, "do_anonymous_page", FRAME_OF_ITS_OWN, re.compile("RSS|folio|frame")),
    (LAB5, "secret_on_disk", TOO_FAST, "Whenever the disk came to a bio, its folio was still there"),
    (LAB5, "blkdev_issue_zero_pages", TWO_MIB, re.compile("sectors?|bios?|folio")),
]


@pytest.mark.parametrize(
    ("tab", "name", "wrong", "seen"), NOT_YET, indirect=["tab"], ids=[n for _, n, *_ in NOT_YET]
)
def test_a_wrong_answer_is_told_what_was_seen(tab: Tab, name: str, wrong: str, seen: Any) -> None:
    if name == "blkdev_issue_zero_pages":  # zeroes of a size that was assumed
        answer(tab, "largest_zero_folio", right(tab, "largest_zero_folio"))
    said = answer(tab, name, wrong)
    expect(said).to_contain_text("Not yet.")
    expect(said).to_contain_text(seen)


@on(LAB2)
def test_a_race_that_is_lost_is_shown_and_can_be_stepped_through(tab: Tab) -> None:
    looks_first = right(tab, "do_huge_pmd_anonymous_page").replace(
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
    turns(tab, picture)
    tab.page.keyboard.press("c")
    picked = picture.locator(".hz-top .hz-soft")
    expect(picked).to_contain_text("by hand: 2 switches, 32 operations; you picked 1, 1, 1, 0")
    tab.page.keyboard.press("1")
    expect(picked).to_contain_text("by hand: 2 switches, 33 operations")
    expect(picture.get_by_role("status")).to_contain_text("All have finished")
    expect(picture.locator(".hz-title")).to_contain_text("is lost")


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


@on(LAB3)
def test_what_is_wrong_under_one_schedule_is_shown_as_that_schedule(tab: Tab) -> None:
    said = answer(tab, "shrink_huge_zero_folio_scan", TRUSTS)
    expect(said).to_contain_text("Almost. Right alone, wrong under this schedule")
    picture = said.locator(".hz")
    expect(picture.locator(".hz-top .hz-soft")).to_have_text("shortest: 3 switches, 5 operations")


@on(LAB3)
def test_a_version_is_broken_by_hand_and_the_schedule_is_taken_over(tab: Tab) -> None:
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
    seed = "write your student id here"
    mine = re.sub(r"return .*", f'return "{seed}", [{schedule}]', right(tab, "break_scan_schedule"))
    said = answer(tab, "break_scan_schedule", mine)
    expect(said).to_contain_text("Done.")
    expect(said).to_contain_text(f"the version of '{seed}' is broken")


SETS_FIRST = '''def mm_get_huge_zero_folio(mm):
    """Set first, taken later."""
    if mm.huge_zero.test():
        return HUGE_ZERO.folio.read()
    folio = get_huge_zero_folio(HUGE_ZERO)
    if folio is not None:
        mm.huge_zero.set()
    return folio
'''


@on(LAB4)
def test_a_reference_too_many_is_shown_as_the_schedule_that_takes_it(tab: Tab) -> None:
    said = answer(tab, "mm_get_huge_zero_folio", SETS_FIRST)
    expect(said).to_contain_text("Almost. Right alone, wrong under this schedule")
    expect(said).to_contain_text("the count is 3; it should be 2")
    picture = said.locator(".hz")
    expect(picture.locator(".hz-top .hz-soft")).to_contain_text("shortest:")
    turns(tab, picture)


# right

ALL = [(stem, name) for stem in COURSE.stems() for name in exercises(stem)]


@pytest.mark.parametrize(
    ("tab", "name"), ALL, indirect=["tab"], ids=[f"{s.partition('_')[0]}-{n}" for s, n in ALL]
)
def test_the_right_answer_is_done(tab: Tab, name: str) -> None:
    said = answer(tab, name, right(tab, name))
    expect(said).to_contain_text("Done.")
    expect(said).not_to_contain_text(re.compile("Not yet|Almost"))


SHOWN = {  # what an experiment shows when all is done, by how its cell starts
    LAB2: {
        "both = experiment(": "huge · ro",
        "fork_64 = experiment(": "child: 0 faults",
        'version = "5.8"': "4,104 faults",
        "read_1g = [": "yours: 512 faults, 512 page tables",
        "for size in (": "512 frames gone",
    },
    LAB3: {
        "every_schedule_of(get_huge_zero_folio=get_huge_zero_folio": "nothing goes wrong in any of them",
        "program = [": "0 DropCaches()",
        "def visit(": "one after each has ended: 5 brought",
        "race_of_2026(locked=True)": "nothing goes wrong in any of them",
    },
    LAB4: {
        "from hugezero.cost.contention import bouncing, shares": "5.7% is spent in get",
        "two_threads_of_one_mm(": "the mm holds the folio once",
        "program = [": "2 main",
        "from hugezero.labs.experiment import yours": "a later fault: ('own', 'r') ('folio', 'r')",
        "from hugezero.cost.contention import side_by_side": "2.33 ×",
        "program = attempt(": "yours: 512 pages are held in the end",
        "reader = [": "the huge zero page: gone",
    },
    LAB5: {
        "program = attempt(secret_on_disk)": "something else, which begins with b'secret",
        "print(with_disk(program, zeroout_counting, end_zeroout))": "reachable states, the disk reads nothing that has gone",
        "reader = [": "the log says: no memory for a persistent huge zero folio",
        "def pieces_of(": "a block of 64 KiB: 17 pieces without the option, 3 with it",
        "def zeroing(": "512 pieces in     2 bios",
        "five = five_designs(": "yours",
    },
}


@on(*SHOWN)
def test_done_the_experiments_show_what_the_text_says(tab: Tab) -> None:
    tab.run_all()
    for start, text in SHOWN[Path(tab.name).stem].items():
        expect(go_to(tab, start)).to_contain_text(text)


# what it shows then


def where(picture: Locator) -> int:
    return int(re.search(r"(\d+) of", picture.locator(".hz-top .hz-soft").inner_text())[1])


@on(LAB1)
@pytest.mark.parametrize("start", ["small = experiment(", "story = experiment("])
def test_both_pictures_answer_to_the_keyboard(tab: Tab, start: str) -> None:
    picture = run(tab, start).locator(".hz")
    expect(picture).to_be_visible()
    focus(tab, picture)
    active = tab.active_cell()
    tab.page.keyboard.press("End")
    last = where(picture)
    label = picture.locator("svg").get_attribute("aria-label")
    assert "Memory map. main, RSS 4 kB" in label
    for _ in range(5):
        tab.page.keyboard.press("Shift+ArrowLeft")
    assert where(picture) == last - 5
    tab.page.keyboard.press("PageUp")
    expect(picture.locator(".hz-top .hz-soft")).to_contain_text("Read('data'")
    tab.page.keyboard.press("Home")
    expect(picture.locator(".hz-title")).to_have_text("The machine has just been switched on")
    assert picture.locator("svg").get_attribute("aria-label") != label
    assert tab.active_cell() == active
    if PICTURE and start.startswith("story"):
        take_picture(tab, picture)


def take_picture(tab: Tab, picture: Locator) -> None:
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


@on(LAB2)
def test_the_story_is_a_picture_that_turns(tab: Tab) -> None:
    picture = run(tab, "story = experiment(").locator(".hz")
    expect(picture).to_be_visible()
    focus(tab, picture)
    tab.page.keyboard.press("End")
    expect(picture.locator("svg[role=img]")).to_have_attribute("aria-label", re.compile("main, RSS 2,048 kB"))


@on(LAB4)
def test_the_charts_speak(tab: Tab) -> None:
    chart = go_to(tab, "from hugezero.cost.contention import sweep").locator(".hz-chart")
    chart.scroll_into_view_if_needed()
    expect(chart.locator("svg")).to_have_attribute("aria-label", "Throughput against CPUs: lab 3")
    chart.locator("summary").click()
    expect(chart).to_contain_text("the knee is at 28 CPUs")
    assert axe(tab.page, ".hz-chart") == []


@on(LAB5)
def test_two_designs_and_a_program_are_chosen_and_the_pages_turn(tab: Tab) -> None:
    output = run(tab, "turn_pages(globals())")
    pictures = output.locator(".hz")
    expect(pictures).to_have_count(2)
    story, left = (output.locator("select").nth(n) for n in range(2))
    expect(pictures.first.locator("svg[role=img]")).to_have_attribute(
        "aria-label", re.compile("to huge zero folio")
    )
    story.select_option("ended, and memory gets tight")
    expect(pictures).to_have_count(2)
    left.select_option("zero page")
    expect(pictures.first.locator("svg[role=img]")).to_have_attribute(
        "aria-label", re.compile("to zero page 0x1")
    )
    focus(tab, pictures.nth(1))
    tab.page.keyboard.press("End")
    expect(pictures.nth(1).locator(".hz-top .hz-soft")).to_contain_text("DropCaches()")
