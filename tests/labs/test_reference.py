"""The sheet of names fits on a screen, has every name that a notebook brings, and says what each one does."""

import hugezero.notebook
import pytest
from hugezero.labs.reference import by_topic, reference
from hugezero.notebook import *  # noqa: F403

BROUGHT = set(hugezero.notebook.__all__)


def test_the_sheet_is_about_thirty_lines_and_leaves_nothing_out(capsys):
    reference()
    told = capsys.readouterr().out
    assert 20 <= len(told.splitlines()) <= 32
    assert max(map(len, told.splitlines())) <= 100
    assert set(told.replace(",", " ").split()) >= BROUGHT


def test_what_the_student_has_made_is_not_in_it():
    def mine():
        pass

    brought = hugezero.notebook.alloc_folio
    names = {"mine": mine, "LAB": 2, "run": object(), "boot": mine, "alloc_folio": brought}
    assert {name for values in by_topic(names).values() for name in values} == {"alloc_folio"}


def test_every_name_is_told_with_its_parameters_and_what_it_does(capsys):
    reference("folio")
    told = capsys.readouterr().out
    assert "free_folio(folio): " in told and "PAGE_SIZE" not in told


def test_a_word_that_nothing_is_about_says_what_to_do(capsys):
    reference("elephant")
    assert capsys.readouterr().out == "Nothing here is about 'elephant'. reference() prints all names.\n"


@pytest.mark.parametrize("name", sorted(BROUGHT))
def test_each_function_of_a_notebook_says_what_it_does(name):
    value = getattr(hugezero.notebook, name)
    assert not callable(value) or (value.__doc__ or "").strip(), name
