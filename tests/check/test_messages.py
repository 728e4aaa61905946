"""What a student reads names what they wrote: the helper, the element, the code, the bio, the lines that were printed."""

import linecache

import nbformat
import pytest
from hugezero import notebook
from hugezero.check.notebook import run_open
from hugezero.check.report import Report
from hugezero.labs import open_checks
from nbgrader.utils import determine_grade

from autograder.course.layout import Course, source_of

COURSE = Course()
open_checks()
LAB1, LAB3, LAB5 = "lab1_zero_page", "lab3_shrinker", "lab5_persistent"


def told(stem, name, *changes, before=""):
    """What the open checks say to the reference with *changes* (text, by what), and what stands *before* it."""
    text = source_of(COURSE.solution(stem).read_text("utf-8"), name)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    namespace = {"__name__": "__main__"}
    cells = nbformat.read(COURSE.notebook(stem), 4).cells
    exec(next(cell.source for cell in cells if cell.cell_type == "code"), namespace)
    source = before + text
    linecache.cache["<cell>"] = len(source), None, source.splitlines(keepends=True), "<cell>"
    exec(compile(source, "<cell>", "exec"), namespace)
    return Report(name, run_open(name, namespace[name], stem[:4]))


ANON, WP, ZERO = "do_anonymous_page", "do_wp_page", "blkdev_issue_zero_pages"
SEND = "        error = submit_bio_wait(bio)\n        if error:\n            return error\n"
HELPER = "def piece(nr):\n    raise NotImplementedError()\n\n\n"
SAID = {
    "a bio that is never sent": (
        (LAB1, ZERO, (SEND, "")),
        "a bio of 4,096 bytes for sector 0 was filled, and never sent",
    ),
    "a bio that is not waited for": (
        (LAB1, ZERO, ("error = submit_bio_wait(bio)", "error = submit_bio(bio)")),
        "is still in the disk's queue: nobody has waited for it",
    ),
    "a bio past the end": (
        (LAB5, "assemble_block", ("bio_alloc(bdev, sector)", "bio_alloc(bdev, bdev.bd_nr_sectors - 1)")),
        "got EIO: the disk ends at sector 512, after 512 of them",
    ),
    "a quotient": (
        (LAB1, ZERO, ("PAGE_SIZE // SECTOR_SIZE", "PAGE_SIZE / SECTOR_SIZE")),
        "is a float, and a kernel has none: numbers are whole here, so divide with //",
    ),
    "a counter like a number": (
        (LAB1, ANON, ("vmf.vma.vm_mm.rss.inc()", "vmf.vma.vm_mm.rss += 1")),
        ".rss.read() for that, and .inc(), .dec(), .add(), .set() change it",
    ),
    "a counter that is assigned": (
        (LAB1, ANON, ("vmf.vma.vm_mm.rss.inc()", "vmf.vma.vm_mm.rss = 1")),
        ".read() tells what it holds, and .inc(), .dec(), .add(), .set() change it",
    ),
    "an entry that is not dirty": (
        (LAB1, ANON, ("pte_mkdirty(pte_mkwrite(mk_pte(folio)))", "pte_mkwrite(mk_pte(folio))")),
        "hint: pte_mkdirty(entry) gives an entry that says so",
    ),
    "a code by its name": (
        (LAB1, ANON, ("return VM_FAULT_OOM", "return VM_FAULT_SIGBUS")),
        "do_anonymous_page returned VM_FAULT_SIGBUS: a fault handler returns 0, or VM_FAULT_OOM",
    ),
    "one element of a list": (
        (LAB1, "wrong_bytes", ('        Fork("child"),\n', "        Fork,\n")),
        "Number 3 of your list is <class 'hugezero.scenario.actions.Fork'>, which is no action like "
        "Mmap('a', 4096): write Fork(…)",
    ),
    "half of it": (
        (LAB1, WP, ("        return VM_FAULT_OOM", "        raise NotImplementedError()")),
        "Not yet. Part of do_wp_page is written. What is left: A page that nobody else holds any more",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SAID)
def test_the_message_names_it(what):
    case, words = SAID[what]
    exec_before = "VM_FAULT_SIGBUS = 2\n" if "SIGBUS" in str(case) else ""
    assert words in str(told(*case, before=exec_before))


def test_a_helper_that_is_not_written_is_named():
    change = "n = min(PAGE_SIZE // SECTOR_SIZE, nr_sects)", "n = piece(nr_sects)"
    said = str(told(LAB1, ZERO, change, before=HELPER))
    assert "Not yet. The helper piece, which blkdev_issue_zero_pages calls, is not written yet" in said


def test_what_is_printed_stands_under_the_check_that_failed_and_is_kept_short(capsys):
    noisy = "    for n in range(100):\n        print('so', n)\n    anon_vma_prepare"
    wrong = told(
        LAB1, ANON, ("    anon_vma_prepare", noisy), ("        return VM_FAULT_OOM", "        return 0")
    )
    said = str(wrong)
    assert said.count("printed: so") == 8 and "printed: …" in said
    assert said.index("✗") < said.index("printed: so 0")
    assert "printed: <code>so 0</code>" in wrong.html()
    right = str(told(LAB1, ANON, ("    anon_vma_prepare", "    print('here')\n    anon_vma_prepare")))
    assert right.startswith("Done.") and "printed: here" in right
    assert capsys.readouterr().out == ""


def graded_cell(result):
    """The cell of a check as Jupyter saves it: what it returned is a result, if it is anything."""
    cell = nbformat.v4.new_code_cell("check('put')")
    cell.metadata["nbgrader"] = {"grade": True, "solution": False, "grade_id": "check_put", "points": 7}
    if result is not None:
        data = {"text/plain": repr(result), "text/html": result._repr_html_()}
        cell.outputs = [nbformat.v4.new_output("execute_result", data=data, execution_count=1)]
    return cell


@pytest.mark.parametrize(("body", "points"), [("return 0", 7), ("return 1", 0)])
def test_nbgrader_itself_reads_what_check_returns(body, points, monkeypatch, capsys):
    from hugezero.check.checks import CHECKS, Check, expect
    from hugezero.check.notebook import EXERCISES, Exercise

    def run(kernel):
        """It returns 0."""
        expect(kernel.put_nothing() == 0, "it does not")

    run.__module__ = "hugezero.labs.lab0.checks"
    monkeypatch.setitem(CHECKS, "put_nothing", [Check("put_nothing", 4, run)])
    monkeypatch.setitem(EXERCISES, ("lab0", "put_nothing"), Exercise("", 3, "the rest"))
    namespace = {"__name__": "__main__", "LAB": 0}
    exec(f"from hugezero.notebook import *\ndef put_nothing():\n    {body}", namespace)
    exec("result = check('put_nothing')\noverview = progress()", namespace)
    assert determine_grade(graded_cell(namespace["result"])) == (points, 7)
    here = "0 of 4 points here; 3 more are decided when it is graded" if not points else "4 of 4 points here"
    assert here in capsys.readouterr().out
    assert (namespace["result"] is None) == bool(points)
    line = next(line for line in repr(namespace["overview"]).splitlines() if "put_nothing" in line)
    assert line.split() == ["✓" if points else "✗", "put_nothing", f"{4 if points else 0}/4", "+", "3", "when", "graded",
                            *("done" if points else "not yet").split()]  # fmt: skip
    assert "put_nothing" in namespace["overview"]._repr_html_()


def test_progress_shows_every_exercise_of_the_lab_and_what_was_not_checked():
    namespace = {"__name__": "__main__", "LAB": 1}
    exec("from hugezero.notebook import *\noverview = progress()", namespace)
    said = repr(namespace["overview"])
    assert "do_anonymous_page" in said and "get_huge_zero_folio" not in said
    assert "not checked yet" in said
    with pytest.raises(ValueError, match="LAB"):
        notebook.progress()
