"""The four voices: when each is heard, and what it says."""

import nbformat
import pytest
from hugezero import notebook
from hugezero.check.checks import (
    CHECKS,
    Check,
    CodeRaised,
    Failed,
    NotStarted,
    expect,
    expect_equal,
    lab_in,
    run_checks,
)
from hugezero.check.function_under_test import subject
from hugezero.check.local_function import complaint
from hugezero.check.notebook import EXERCISES, Exercise, fingerprint, lab_of, labs_with, run_open
from hugezero.check.report import Report
from hugezero.machine import Kernel
from hugezero.notebook import check as check_in_a_notebook
from hugezero.store import KernelBug

from autograder.course.layout import Course


def a(run, needs=(), points=1.0, title="It does what it says."):
    run.__doc__ = title
    return Check("toy", points, run, tuple(needs))


def fails(error):
    def run(kernel):
        raise error

    return run


def test_a_check_that_returns_has_earned_its_points():
    (result,) = run_checks([a(lambda kernel: None, points=2)], None)
    assert (result.voice, result.points) == ("done", 2)


@pytest.mark.parametrize(
    ("error", "voice", "why"),
    [
        (NotStarted(), "not started", ""),
        (CodeRaised("f", "NotImplementedError", ""), "not started", ""),
        (CodeRaised("f", "KeyError", "'x'"), "not yet", "f raised KeyError: 'x'"),
        (Failed("seen 1, expected 2", "look"), "not yet", "seen 1, expected 2"),
        (Failed("both got it", "", ("CPU 0", "CPU 1")), "almost", "both got it"),
        (KernelBug("a page was freed twice"), "not yet", "kernel bug: a page was freed twice"),
    ],
)
def test_each_way_to_fail_has_its_voice_and_no_points(error, voice, why):
    (result,) = run_checks([a(fails(error))], None)
    assert (result.voice, result.why, result.points) == (voice, why, 0)


@pytest.mark.parametrize(
    ("got", "want", "why"),
    [
        (3, 2, "RSS is 3; it should be 2"),
        ("2", 2, "RSS is '2'; it should be 2"),
        (2, "2", "RSS is 2; it should be '2'"),
        (None, True, "RSS is None; it should be True"),
        (b"M", b"m", "RSS is b'M'; it should be b'm'"),
    ],
)
def test_what_differs_is_said_with_what_it_should_be(got, want, why):
    with pytest.raises(Failed) as failed:
        expect_equal("RSS", got, want, "count it")
    assert (failed.value.why, failed.value.hint) == (why, "count it")


def test_what_is_equal_is_passed_over():
    expect_equal("RSS", 2, 2, "count it")


def test_a_check_whose_needs_have_failed_is_not_run_and_says_which():
    ran = []
    first = a(fails(Failed("no")), title="The first promise.")
    second = a(lambda kernel: ran.append(1), needs=[first])
    third = a(lambda kernel: ran.append(1), needs=[second])
    results = run_checks([first, second, third], None)
    assert [r.voice for r in results] == ["not yet", "not run", "not run"] and ran == []
    assert results[1].why == "first: The first promise."


def test_a_check_that_falls_over_gives_no_verdict_and_does_not_fall_on_the_student():
    (result,) = run_checks([a(lambda kernel: 1 / 0)], None)
    assert (result.voice, result.points) == ("inconclusive", 0)
    assert "could make nothing of what it got (ZeroDivisionError" in result.why


def test_the_report_opens_with_what_was_seen_and_folds_the_hint():
    report = Report("f", run_checks([a(fails(Failed("seen <1>", "one & only")))], None))
    assert str(report).startswith("Not yet. Seen <1>\n")
    assert (
        "Seen &lt;1&gt;" in report.html()
        and "<details" in report.html()
        and "one &amp; only" in report.html()
    )


def test_a_blank_exercise_is_told_to_begin_and_nothing_else():
    text = str(Report("f", run_checks([a(fails(NotStarted()))] * 2, None)))
    assert text == "Not started. Write f above, run its cell, then run this one again.\n  0 of 2 points"


def test_done_says_what_there_is_now():
    assert str(Report("f", run_checks([a(lambda k: None)], None), "You now have f.")).startswith(
        "Done. You now have f."
    )


def test_almost_shows_the_schedule():
    report = Report("f", run_checks([a(fails(Failed("lost", "", ("CPU 0: x", "CPU 1: y"))))], None))
    assert "Almost. Right alone, wrong under this schedule: lost" in str(report)
    assert "CPU 1: y" in str(report) and "CPU 1: y" in report.html()


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (None, "there is no f: run the cell that defines it, and keep its first line"),
        (3, "f is an int, not a function"),
        (int, "f is a type, not a function"),
        (lambda: 0, "f takes (), and is called with 1 argument: keep its first line as it was"),
        (lambda y, z: 0, "f takes (y, z), and is called with 1 argument"),
    ],
)
def test_what_is_no_such_function_is_told_in_the_students_words(thing, message):
    assert message in complaint("f", thing, 1)


def test_a_generator_and_a_coroutine_are_named():
    def generator(x):
        yield x

    async def coroutine(x):
        return x

    assert "yield" in complaint("f", generator, 1)
    assert "async" in complaint("f", coroutine, 1)
    assert complaint("f", lambda x: 0, 1) == ""


def test_recursion_without_end_is_told_as_that():
    def f(x):
        return f(x)

    with pytest.raises(CodeRaised, match="it calls itself without end"):
        subject("f", f)(1)


def test_expect_fails_with_what_was_seen():
    with pytest.raises(Failed, match="seen"):
        expect(0, "seen")
    expect(1, "seen")


def test_check_in_a_notebook_finds_the_function_beside_it(capsys):
    namespace = {"check": check_in_a_notebook}
    exec(
        "def spin_trylock(lock):\n    return not lock.locked.test_and_set()\npoints = check('spin_trylock')",
        namespace,
    )
    assert namespace["points"] is None
    assert capsys.readouterr().out.startswith("Done.")


def test_a_check_that_does_not_exist_names_those_that_do():
    with pytest.raises(ValueError, match=r"no such exercise; there are .*do_wp_page"):
        check_in_a_notebook("do_wp_pge")


def test_every_exercise_is_entered_and_every_check_has_a_title_and_points():
    labs = {lab_in(stem) for stem in Course().stems()}
    for name, checks in CHECKS.items():
        if checks[0].lab not in labs:
            continue  # of a lab that another test has made up
        assert labs_with(name), name
        for each in checks:
            assert each.run.__doc__ and each.title.endswith(".") and each.points > 0, each.name
    assert {name for _, name in EXERCISES} <= set(CHECKS)


def test_the_points_announced_for_grading_are_those_of_the_hidden_checks():
    for stem in Course().stems():
        for name, checks in Course().checks(stem).items():
            assert EXERCISES[lab_in(stem), name].more == sum(each.points for each in checks if each.hidden), (
                name
            )


def checked(source, name):
    """The text that a notebook shows for *name* when its cell holds *source*."""
    import contextlib
    import io

    out = io.StringIO()
    code = f"from hugezero.notebook import *\n{source}\npoints = check({name!r})"
    with contextlib.redirect_stdout(out):
        exec(compile(code, "<a cell>", "exec"), {"LAB": 1})
    return out.getvalue()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "def spin_trylock(lock):\n    while lock.locked.test() or True:\n        pass",
            "did 50,000 operations",
        ),
        ("def spin_trylock(lock):\n    while True:\n        pass", "ran 200,000 lines"),
        (
            "def spin_trylock(lock):\n    return lock.locked.test_and_set()",
            "test_and_set() gives what the bit was before",
        ),
        (
            "def alloc_zeroed_folio():\n    f = alloc_folio()\n    f.data.clear()\n    return f",
            "alloc_folio() gives None",
        ),
        (
            "def alloc_zeroed_folio():\n    return clear_folio(alloc_folio())",
            "what does your last line return?",
        ),
        ("def do_anonymous_page(vmf):\n    vmf.pte = zero_pte()", "write vmf.pte.set(…)"),
        ("def do_anonymous_page(vmf):\n    vmf.pte.set(zero_pte)", "zero_pte is a function: call it"),
        ("def do_wp_page(vmf):\n    is_zero_pte(vmf.pte)", "is where the entry is kept"),
        (
            "def wrong_bytes():\n    return [Mmap('a', 9), Write('a', 0, 'A'), Read('a')]",
            "data is 'A'; it must be bytes",
        ),
        (
            "def wrong_bytes():\n    return [Mmap('a', 9), Write('a', 0, b'A', 'c'), Read('a')]",
            "length is 'c'; it must be int",
        ),
        ("def wrong_bytes():\n    return [Mmap('a', 9), Write('a')]", "Your program reads nothing"),
        ("def wrong_bytes():\n    return [Mmap('a', 1 << 40), Read('a', 0, 1 << 40)]", "64 KiB are enough"),
        ("def wrong_bytes():\n    return [Mmap('a', 9), Read('b')]", "no area is called 'b'; map it first"),
        (
            "def wrong_bytes():\n    return [Mmap('a', 9), Read('a', by='c')]",
            "there is no process 'c', only main",
        ),
        (
            "def blkdev_issue_zero_pages(bdev, sector, nr_sects):\n    while nr_sects:\n        bio_alloc(bdev, sector)",
            "is there a loop that cannot end?",
        ),
    ],
)
def test_a_likely_mistake_is_told_what_to_look_at(source, message):
    name = source.split("(")[0].removeprefix("def ")
    said = checked(source, name)
    assert said.startswith("Not yet.") and message in said, said


def test_an_experiment_that_cannot_end_is_stopped(capsys):
    code = """
from hugezero.notebook import *
def do_anonymous_page(vmf):
    while vmf.pte.read() is None:
        pass
experiment([Mmap("a", 4096), Read("a")])
"""
    exec(compile(code, "<a cell>", "exec"), {})
    assert "Stopped at Read('a'): 500,000 operations were done" in capsys.readouterr().out


def test_a_repair_that_nobody_touched_is_known_by_its_text():
    """The fingerprint in the open checks is that of the code that the notebook gives."""
    course = Course()
    for stem in course.stems():
        for cell in nbformat.read(course.notebook(stem), 4).cells:
            if "repair" in cell.metadata.get("tags", []):
                assert (
                    fingerprint(cell.source) == EXERCISES[lab_in(stem), cell.metadata.nbgrader.grade_id].given
                ), cell.source


def test_a_function_that_two_labs_ask_for_is_checked_by_the_lab_that_the_notebook_says_it_is(monkeypatch):
    for lab in ("lab7", "lab9"):
        monkeypatch.setitem(EXERCISES, (lab, "twice"), Exercise(lab))
    assert lab_of("twice", {"LAB": 7}) == "lab7"
    assert lab_of("twice", {"LAB": 9}) == "lab9"
    for names in ({}, {"LAB": 8}):
        with pytest.raises(ValueError, match=r"lab7 and lab9, and LAB is .* run the first cell"):
            lab_of("twice", names)


def test_an_exercise_of_one_lab_needs_no_word_of_the_lab(monkeypatch):
    monkeypatch.setitem(EXERCISES, ("lab7", "once"), Exercise(""))
    assert lab_of("once", {}) == "lab7"


def test_every_notebook_says_which_lab_it_is():
    course = Course()
    for stem in course.stems():
        cells = [
            cell.source for cell in nbformat.read(course.notebook(stem), 4).cells if cell.cell_type == "code"
        ]
        assert f"LAB = {stem[3]} " in cells[0]


def test_a_name_without_quotes_is_told():
    with pytest.raises(TypeError, match=r'check\("one"\)'):
        check_in_a_notebook(one)


def one():
    """Some function."""


RAISES = {
    "vmf.pte.set(ZERO_PAGE)": "an entry is None or a Pte",
    "vmf.pte.set(vmf)": "this is a VmFault",
    "vmf.pte.set(True)": "this is a bool",
    "vmf.pmd.set(ZERO_PAGE)": "a PMD entry is None, a page table, or a huge entry",
    "pte_mkwrite(None)": "pte_mkwrite wants an entry, a Pte, and was given None",
    "copy_user_page(ZERO_PAGE, ZERO_PAGE)": "copy_user_page(to, entry) wants an entry",
    "ZERO_PAGE.data.load(5000, 8)": "it has 4,096 bytes",
    "ZERO_PAGE.data.load(-5, 3)": "it has 4,096 bytes",
    "ZERO_PAGE.data.store(4090, b'x' * 20)": "it has 4,096 bytes",
    "pte_alloc_one(vmf.vma.vm_mm)[512]": "this table has 512 entries, from 0 on",
    "import sys; sys.exit()": "SystemExit",
    "raise LookupError": "LookupError",
    "return 1 / 0": "division by zero",
}


@pytest.mark.parametrize("line", RAISES)
def test_whatever_goes_wrong_in_an_answer_is_told_with_its_line(line):
    import linecache

    source = f"def do_anonymous_page(vmf):\n    {line}\n"
    names = dict(vars(notebook), LAB=1)
    file = f"<cell {line}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    exec(compile(source, file, "exec"), names)
    results = run_open("do_anonymous_page", names["do_anonymous_page"], "lab1")
    assert results[0].voice == "not yet"
    assert RAISES[line] in results[0].why
    assert f"line 2: {line}" in results[0].why


def test_what_a_check_cannot_work_with_is_no_accident(monkeypatch):
    def run(kernel):
        """It works."""
        return kernel.f() + 1

    run.__module__ = "hugezero.labs.lab9.checks"
    monkeypatch.setitem(CHECKS, "f", [Check("f", 1, run)])
    result = run_open("f", lambda: "a text")[0]
    assert (result.voice, result.points) == ("inconclusive", 0)
    assert "could make nothing of what it got (TypeError" in result.why


def test_a_table_can_be_gone_through_to_its_end():
    with Kernel().booted():
        table = notebook.pte_alloc_one(notebook.mm_alloc())
        assert len(list(table)) == len(table) == 512
