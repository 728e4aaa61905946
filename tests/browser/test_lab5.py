"""Lab 5 as a student solves it in a real JupyterLab: the bug hunt, the functions, the table of five and its pictures."""

import inspect
import re
import shutil

import pytest
from playwright.sync_api import expect

from autograder.course.given import givens
from autograder.course.layout import Course
from solutions import lab5_persistent

from .test_lab1 import answer, go_to, run

pytestmark = pytest.mark.browser

STEM = "lab5_persistent"
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
TOO_FAST = '''def secret_on_disk():
    """The disk is through before anything can happen."""
    return [Zeroout(), DiskWorks(), Exit(), DropCaches()]
'''
EXERCISES = [
    name
    for name, thing in vars(lab5_persistent).items()
    if getattr(thing, "__module__", "") == lab5_persistent.__name__
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
    errors = [out for cell in cells for out in cell["outputs"] if out["output_type"] == "error"]
    assert errors == []
    checks = [cell for cell in cells if cell["source"].startswith("check(")]
    assert len(checks) == len(EXERCISES)
    for cell in checks:
        assert "Not started." in str(cell["outputs"]), cell["source"]


def test_blank_the_table_has_four_designs_and_says_where_the_fifth_comes_from(tab):
    table = go_to(tab, "five = five_designs(")
    expect(table).to_contain_text("the course's")
    expect(table).to_contain_text("persistent: comes when 5.4 and 5.5 are done")


def test_a_hunt_without_prey_is_told_what_was_seen(tab):
    said = answer(tab, "secret_on_disk", TOO_FAST)
    expect(said).to_contain_text("Not yet.")
    expect(said).to_contain_text("Whenever the disk came to a bio, its folio was still there")


def test_the_schedule_of_the_bug_is_a_picture_with_the_disk_as_a_column(tab):
    picture = run(tab, "every_schedule_with_disk(zeroout_borrowing)").locator(".hz")
    expect(picture.locator(".hz-title")).to_contain_text("The disk reads P1, which has been freed")
    label = picture.locator(".hz-board").get_attribute("aria-label")
    assert "Schedule of 3 CPUs" in label


def test_zeroes_of_a_size_that_was_assumed_are_not_yet_right(tab):
    answer(tab, "largest_zero_folio", inspect.getsource(lab5_persistent.largest_zero_folio))
    said = answer(tab, "blkdev_issue_zero_pages", TWO_MIB)
    expect(said).to_contain_text("Not yet.")


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_answer_is_done(tab, name):
    said = answer(tab, name, inspect.getsource(getattr(lab5_persistent, name)))
    expect(said).to_contain_text("Done.")
    expect(said).not_to_contain_text(re.compile("Not yet|Almost"))


def test_done_the_experiments_show_what_the_text_says(tab):
    tab.run_all()
    for start, text in {
        "program = attempt(secret_on_disk)": "something else, which begins with b'secret",
        "print(with_disk(program, zeroout_counting))": "reachable states, the disk reads nothing that has gone",
        "reader = [": "the log says: no memory for a persistent huge zero folio",
        "def pieces_of(": "a block of 64 KiB: 17 pieces without the option, 3 with it",
        "def zeroing(": "512 pieces in     2 bios",
        "five = five_designs(": "yours",
    }.items():
        expect(go_to(tab, start)).to_contain_text(text)


def test_a_design_and_a_program_are_chosen_and_the_pages_turn(tab):
    output = run(tab, "turn_pages(globals())")
    picture = output.locator(".hz")
    expect(picture).to_be_visible()
    before = picture.locator(".hz-title").inner_text()
    output.locator("select").nth(1).select_option("ended, and memory gets tight")
    expect(picture.locator(".hz-title")).not_to_have_text(before)
    output.locator("select").first.select_option("counted")
    expect(output.locator(".hz")).to_have_count(1)
    title = output.locator(".hz-title")
    last = title.inner_text()
    for _ in range(60):
        if output.locator(".hz input:focus").count():
            break
        tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("ArrowLeft")
    expect(title).not_to_have_text(last)
