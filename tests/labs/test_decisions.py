"""What was written under "What would you have merged?" comes back in a later lab; what is not there is asked for."""

import json

import nbformat
import pytest
from hugezero.labs import decisions
from hugezero.labs.decisions import EMPTY, MARK, SECTION, your_decisions

from autograder.course.layout import Course

COURSE = Course()
LAB = 3  # your_decisions looks for it here


def write(folder, stem, *sources):
    folder.mkdir(exist_ok=True)
    cells = [{"cell_type": "markdown", "source": source.splitlines(keepends=True)} for source in sources]
    (folder / f"{stem}.ipynb").write_text(json.dumps({"cells": cells}), "utf-8")


def test_what_was_written_is_brought_back_from_beside_and_from_a_folder_of_its_own(
    tmp_path, monkeypatch, capsys
):
    here = tmp_path / "lab3_c"
    write(here, "lab1_a", "# Lab", f"**Your decision, 2007.** {EMPTY}\n\nThe second.\nOf course.")
    write(tmp_path / "lab2_b", "lab2_b", "**Your decision, 2012.** Count it.")
    monkeypatch.chdir(here)
    your_decisions()
    told = capsys.readouterr().out
    assert told == "2007, in lab 1: The second.\nOf course.\n2012, in lab 2: Count it.\n"


@pytest.mark.parametrize("cell", ["", f"**Your decision, 2007.** {EMPTY}", "Your decision: the second"])
def test_what_was_not_written_is_named(cell, tmp_path, monkeypatch, capsys):
    write(tmp_path, "lab1_a", cell)
    monkeypatch.chdir(tmp_path)
    your_decisions()
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f'Lab 1: nothing is written in lab1_a.ipynb, under "{SECTION}"'
    assert told[1].startswith("Lab 2: its notebook is not here.")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"cells": [{}]}', "null"])
def test_a_file_that_is_no_notebook_holds_nothing(text, tmp_path):
    (tmp_path / "x.ipynb").write_text(text, "utf-8")
    assert decisions.written_in(tmp_path / "x.ipynb") == []


@pytest.mark.parametrize("stem", COURSE.stems()[1:])
def test_each_lab_that_asks_has_one_cell_to_write_in_right_after_it(stem):
    cells = nbformat.read(COURSE.notebook(stem), 4).cells
    (asked,) = [n for n, cell in enumerate(cells) if SECTION in cell.source]
    (write,) = [n for n, cell in enumerate(cells) if MARK.match(cell.source)]
    assert cells[write].cell_type == "markdown" and 0 < write - asked <= 2
    assert decisions.written_in(COURSE.notebook(stem)) == [(MARK.match(cells[write].source)[1], "")]
