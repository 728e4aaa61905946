"""Labs build on labs: what stands in for a stub, and a student's own earlier lab in place of the course's."""

import sys
import types
from pathlib import Path

import nbformat
import pytest
from hugezero.labs.starting_kernel import OWN
from nbclient import NotebookClient

from autograder.course.given import given
from autograder.course.layout import Course, source_of

COURSE, STEM = Course(), "lab1_zero_page"
REFERENCE = COURSE.solution(STEM).read_text()
KERNEL = ["do_anonymous_page", "do_wp_page", "blkdev_issue_zero_pages", "copy_pte_range", "zap_pte_range"]


@pytest.fixture(autouse=True)
def nothing_given_and_nothing_own(monkeypatch):
    monkeypatch.setattr(sys, "path", [path for path in sys.path if not [*Path(path).glob("given_lab*.py")]])

    def forget():
        OWN.clear()
        for name in [name for name in sys.modules if name.startswith("given_lab")]:
            del sys.modules[name]

    forget()
    yield
    forget()


@pytest.fixture
def beside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def hand(folder, answers, *extra):
    """Lab 1's notebook with these answers in it, and these cells before them."""
    opened = nbformat.read(COURSE.notebook(STEM), 4)
    for cell in opened.cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("solution"):
            cell.source = answers.get(marks["grade_id"], cell.source)
    opened.cells[1:1] = [nbformat.v4.new_code_cell(source) for source in extra]
    folder.mkdir(exist_ok=True)
    nbformat.write(opened, folder / f"{STEM}.ipynb")


def whole(*names):
    return {name: source_of(REFERENCE, name) for name in names or KERNEL}


def notebook(code, **names):
    """Run *code* as the cell of a notebook, of lab 2 if nothing else is said; gives its globals."""
    namespace = {"LAB": 2, **names}
    exec(compile(f"from hugezero.notebook import *\n{code}", "<a cell>", "exec"), namespace)
    return namespace


def given_module(name, text):
    module = types.ModuleType(name)
    exec(text, module.__dict__)
    sys.modules[name] = module
    return module


# use_mine

TAKE = f"from given_lab1 import *\nuse_mine('{STEM}')\n"


def taken(capsys):
    """What use_mine printed, and whose each function of the kernel is."""
    given_module("given_lab1", given(COURSE, STEM))
    found = notebook(TAKE)
    mine = [name for name in KERNEL if found[name].__code__.co_filename == f"<{STEM}>"]
    assert all(found[name].__module__ == "given_lab1" for name in KERNEL if name not in mine)
    (line,) = capsys.readouterr().out.splitlines()
    return line, mine


def taken_from(folder, capsys, answers, *extra):
    hand(folder, answers, *extra)
    return taken(capsys)


def test_of_a_whole_notebook_everything_is_yours(beside, capsys):
    hand(beside, whole(), "print('loud')", "import sys\nprint('loud', file=sys.stderr)\nboot()")
    assert taken(capsys) == (
        f"{STEM}.ipynb: yours are do_anonymous_page, do_wp_page, blkdev_issue_zero_pages, copy_pte_range "
        "and zap_pte_range.",
        KERNEL,
    )


def test_in_the_folder_of_its_own_zip_it_is_found_as_well(beside, capsys, monkeypatch):
    hand(beside / STEM, whole())
    (beside / "lab2").mkdir()
    monkeypatch.chdir(beside / "lab2")
    assert taken(capsys)[1] == KERNEL


def test_of_half_a_notebook_half_is_yours_and_the_line_says_why_the_rest_is_not(beside, capsys):
    answers = whole("do_anonymous_page", "copy_pte_range", "zap_pte_range")
    answers["do_wp_page"] = "def do_wp_page(vmf):\n    return vmf.nothing"
    line, mine = taken_from(beside, capsys, answers)
    assert mine == ["do_anonymous_page", "copy_pte_range", "zap_pte_range"]
    assert "do_wp_page (not yet: do_wp_page raised AttributeError" in line
    assert "blkdev_issue_zero_pages (not started)" in line


def test_of_a_blank_notebook_nothing_is_yours(beside, capsys):
    line, mine = taken_from(beside, capsys, {})
    assert mine == []
    assert line.startswith(f"{STEM}.ipynb: nothing is done in full; the course's stay do_anonymous_page (not")


def test_a_helper_of_your_own_comes_along_and_a_cell_that_raises_does_not_matter(beside, capsys):
    answers = whole()
    answers["zap_pte_range"] = "zap_pte_range = (lambda old: old)(_zap)"
    helper = source_of(REFERENCE, "zap_pte_range").replace("def zap_pte_range", "def _zap")
    cells = ["1 / 0", "%matplotlib inline", "raise SystemExit", "ZERO_PAGE.data.clear()", helper]
    assert taken_from(beside, capsys, answers, *cells)[1] == KERNEL


@pytest.mark.parametrize(
    "loop", ["while True: pass", "while True:\n    len('x')", "use_mine('lab1_zero_page')"]
)
def test_a_loop_at_top_level_ends_by_lines(beside, capsys, loop):
    assert taken_from(beside, capsys, whole(), loop)[1] == KERNEL


def test_an_answer_that_has_no_end_stays_the_courses(beside, capsys):
    answers = {**whole(), "do_wp_page": "def do_wp_page(vmf):\n    while True: pass"}
    line, mine = taken_from(beside, capsys, answers)
    assert "do_wp_page (not yet: do_wp_page ran 200,000 lines and was not done)" in line
    assert mine == [name for name in KERNEL if name != "do_wp_page"]


def test_an_answer_that_ends_the_program_stays_the_courses(beside, capsys):
    answers = {**whole(), "do_wp_page": "def do_wp_page(vmf):\n    raise SystemExit"}
    assert "do_wp_page (not yet: do_wp_page raised SystemExit" in taken_from(beside, capsys, answers)[0]


def test_the_courses_own_function_is_not_taken_for_yours(beside, capsys):
    answers = {**whole(), "do_wp_page": "from given_lab1 import do_wp_page"}
    assert "do_wp_page (its cell defines no such function)" in taken_from(beside, capsys, answers)[0]


def test_a_notebook_that_is_not_there_is_named_with_a_way_out(beside, capsys):
    line, mine = taken(capsys)
    assert mine == []
    assert line == (
        f"There is no {STEM}.ipynb in {beside}: copy yours there, and run this cell again. "
        "All functions stay the course's."
    )


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"cells": 3}', '{"cells": [3]}', '{"cells": [{"cell_type": "code", "source": 3}]}',
     '{"cells": [{"cell_type": "code", "source": "", "metadata": {"tags": 3}}]}', "\udcff", "[" * 100_000],
    ids=lambda text: text[:40] or "nothing",
)  # fmt: skip
def test_a_file_that_is_no_notebook_is_told_and_raises_nothing(beside, capsys, text):
    (beside / f"{STEM}.ipynb").write_bytes(text.encode("utf-8", "surrogateescape"))
    line, mine = taken(capsys)
    assert mine == []
    assert "is no notebook that can be read" in line


def test_a_lab_that_there_is_not_is_told(beside, capsys):
    (beside / "notes.ipynb").write_text('{"cells": []}')
    notebook("use_mine('notes')")
    assert "is the notebook of no lab" in capsys.readouterr().out


def test_a_notebook_of_this_lab_or_a_later_one_is_not_taken_over(beside, capsys):
    hand(beside, whole())
    found = notebook(f"use_mine('{STEM}')", LAB=1)
    assert "do_wp_page" not in found
    assert "is the notebook of no lab before 1" in capsys.readouterr().out


def test_a_kernel_that_was_imported_and_is_of_a_later_lab_stands_in_for_nothing(capsys):
    given_module("given_lab2", REFERENCE)
    assert notebook(f"import given_lab2\n{STUB}{RUN}", LAB=2)["rss"] == 1
    assert "the one that shares nothing stands in" in capsys.readouterr().out


def test_what_a_later_lab_asked_for_again_is_not_replaced_by_your_older_one(beside, capsys):
    hand(beside, whole())
    newer = source_of(REFERENCE, "do_wp_page")
    given_module("given_lab2", f"from hugezero.notebook import *\n{newer}")
    found = notebook(f"from given_lab2 import *\nuse_mine('{STEM}')", LAB=3)
    assert found["do_wp_page"].__module__ == "given_lab2"
    assert "do_wp_page (lab 2's is newer)" in capsys.readouterr().out


def test_in_jupyter_it_shows_one_line_and_nothing_else(beside):
    hand(beside, whole(), "display('loud')\ndisplay(1)", "check('do_wp_page')")
    (beside / "given_lab1.py").write_text(given(COURSE, STEM))
    code = f"from hugezero.notebook import *\nLAB = 2\n{TAKE}"
    later = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(later, timeout=120).execute(cwd=str(beside))
    (shown,) = later.cells[0].outputs
    assert shown.name == "stdout"
    assert shown.text.startswith(f"{STEM}.ipynb: yours are do_anonymous_page")
    assert shown.text.count("\n") == 1


# what an experiment runs on

STUB = "def do_anonymous_page(vmf):\n    raise NotImplementedError()\n"
RUN = "run = experiment([Mmap('a', 4096), Read('a')])\nrss = run.rss()"


def test_for_a_stub_the_function_of_the_last_lab_that_has_one_stands_in(capsys):
    given_module("given_lab1", given(COURSE, STEM))
    given_module("given_lab2", "from given_lab1 import do_anonymous_page")
    found = notebook(f"from given_lab1 import *\nfrom given_lab2 import *\n{STUB}{RUN}", LAB=3)
    assert found["rss"] == 0
    assert capsys.readouterr().out == "do_anonymous_page is not written yet: lab 1's stands in for it.\n"
    given_module("given_lab10", REFERENCE)
    notebook(f"{STUB}{RUN}", LAB=11)
    assert capsys.readouterr().out == "do_anonymous_page is not written yet: lab 10's stands in for it.\n"


def test_for_a_stub_your_own_earlier_function_stands_in(beside, capsys):
    hand(beside, whole())
    given_module("given_lab1", given(COURSE, STEM))
    notebook(f"{TAKE}{STUB}{RUN}")
    assert "do_anonymous_page is not written yet: your own of lab 1 stands in" in capsys.readouterr().out


def test_for_a_stub_without_an_earlier_lab_the_kernel_that_shares_nothing_stands_in(capsys):
    assert notebook(STUB + RUN)["rss"] == 1
    said = capsys.readouterr().out
    assert said == "do_anonymous_page is not written yet: the one that shares nothing stands in for it.\n"


def test_functions_that_are_no_exercises_belong_to_the_kernel_too():
    given_module(
        "given_lab2", "from hugezero.store import new as hugezero_init\ndef only_there():\n    return 2"
    )
    code = "from hugezero.labs.experiment import yours\ndef mine():\n    return 1\nkernel = yours(globals())"
    kernel = notebook(code, LAB=3)["kernel"]
    assert (kernel.mine(), kernel.only_there()) == (1, 2)
    assert kernel.hugezero_init.__name__ == "new"


def test_a_function_that_calls_a_stub_is_none_and_the_stub_is_named(capsys):
    code = (
        "def get_one():\n    raise NotImplementedError()\ndef do_anonymous_page(vmf):\n    return get_one()\n"
    )
    assert notebook(code + RUN)["run"].stopped == "get_one is not written yet"
    assert capsys.readouterr().out == "Stopped at Read('a'): get_one is not written yet\n"


def test_the_import_of_everything_leaves_a_notebooks_own_name_alone():
    assert notebook("", __name__="__main__")["__name__"] == "__main__"
