"""The schedule picture where tables, locks and translations play a part: what is left out, and what things are called."""

import re

from hugezero.check.schedules import in_words
from hugezero.explore.moves import Row, Thread
from hugezero.explore.search import Outcome
from hugezero.hw.tlb import Tlb, Translation
from hugezero.mm.huge_memory import TRANSPARENT_HUGEPAGE, Deposits
from hugezero.mm.mm_types import Mm, Vma
from hugezero.mm.page_alloc import SMALL, Folio
from hugezero.mm.pgtable import Pmd, PmdTable, PteTable, zero_pte
from hugezero.mm.shrinker import SHRINKERS
from hugezero.mm.vmstat import VMSTAT
from hugezero.view.schedules.pages import LEFT_OUT, Interleaving

from .test_schedule import board, drawn

MM, VMA, ZEROES, TABLE = Mm(1), Vma(1), Folio((SMALL, 9, 1)), PteTable((SMALL + 512, 0, 1))
HUGE = Pmd(ZEROES, special=True)
LOCK, PMD, DEPOSIT, CACHED = (MM, "page_table_lock"), (PmdTable(1), 1), (Deposits(1), 1), (Tlb(1), "cached")
REMEMBERS = (Translation(1, 0x200000, ZEROES),)


def read(cpu, cell, value):
    return Row(cpu, cell, "read", (), value, value, value)


SPLIT = [
    read(0, (VMA, "vm_mm"), MM),
    Row(0, LOCK, "lock", (), False, True, None),
    Row(0, (VMSTAT, "thp_split_pmd"), "add", (1,), 0, 1, None),
    Row(0, DEPOSIT, "xchg", (None,), TABLE, None, TABLE),
    Row(0, (TABLE, 0), "set", (zero_pte(),), None, zero_pte(), None),
    Row(0, PMD, "set", (TABLE,), HUGE, TABLE, None),
    read(1, (TRANSPARENT_HUGEPAGE, "use_zero_page"), True),
    read(1, (SHRINKERS, "registered"), ()),
    read(1, CACHED, REMEMBERS),
    Row(0, CACHED, "flush", (0x200000, 0x400000), REMEMBERS, (), None),
    Row(0, (MM, "rss"), "add", (512,), 0, 512, None),
    Row(0, LOCK, "unlock", (), True, False, None),
]
SHOWN = [2, 4, 5, 6, 9, 10, 11, 12]


def pictured(rows, bug=None):
    return Interleaving(Outcome(bug, list(rows)), ["splitter", "reader"], None, None).pages()


def heads(made):
    return [label for label in re.findall(r">([^<>]+)</text>", board(made)) if label not in ("", "CPU")]


def test_rows_from_which_nobody_learns_anything_are_left_out_and_the_others_keep_their_numbers():
    made = pictured(SPLIT)
    assert [number for number, *_ in drawn(made)] == SHOWN
    assert [moment["rows"] for moment in made.moments] == [0, *SHOWN]
    assert [moment["changed"][0] for moment in made.moments[1:]] == [f"r{k}" for k in SHOWN]
    assert made.at == len(SHOWN) and made.legend.endswith(LEFT_OUT)
    assert "vm_mm" not in made.text and "thp_split_pmd" not in made.text
    assert not pictured(SPLIT[1:2]).legend.endswith(LEFT_OUT)


def test_the_last_row_is_there_whatever_it_is():
    made = pictured(SPLIT[:3])
    assert [number for number, *_ in drawn(made)] == [2, 3]


def test_tables_locks_and_translations_have_short_names():
    made = pictured(SPLIT)
    code = {number: words for number, _, words, _ in drawn(made)}
    assert code[4] == "deposits[1].xchg(None)"
    assert code[5] == "pte[0].set(zero page)"
    assert code[6] == "pmd[1].set(table P1)"
    assert code[10] == "flush_pmd_tlb_range(…)"
    words = {number: list(said) for number, _, _, said in drawn(made)}
    assert words[4][-1] == "→ table P1"
    assert " ".join(words[10]).endswith("from 0x200000 up to 0x400000")
    assert {"page_table_lock", "pmd[1]", "deposits[1]", "TLB"} <= set(heads(made))
    assert "held" in words[2] and "free" in words[12]
    assert "P2 ro" in words[5] and "table P1" in words[6]
    assert "CPU 1: P2" in words[9] and "CPU 1: P2" not in words[10]


def test_what_one_cpu_alone_counts_is_no_column_and_locks_are_one_where_there_is_room():
    assert "rss" not in heads(pictured(SPLIT))
    both = [*SPLIT, Row(1, (MM, "rss"), "add", (-512,), 512, 0, None)]
    assert "rss" in heads(pictured(both)) and "page_table_lock" not in heads(pictured(both))
    ends_at_it = pictured([*both, Row(1, LOCK, "lock", (), False, True, None)])
    assert "page_table_lock" in heads(ends_at_it)


def test_the_map_shows_where_a_table_is_kept_and_no_areas():
    text = pictured(SPLIT[:6]).text
    assert re.search(r"huge entries.*\n +its cells\n +pmd\[1\] +table P1 → P1", text)
    assert "mm: lock held" in text
    assert "vm_mm" not in text and "Vma" not in text
    assert re.search(r"P1 +4 KiB · in use", text)
    before = pictured([read(0, LOCK, False), read(1, CACHED, REMEMBERS)]).text
    assert "its TLB in row 2" in before and re.search(r"P1 +2 MiB · in use", before)


def test_a_name_of_code_keeps_its_letters_in_a_title():
    assert pictured(SPLIT, "hz.folio names nothing").moments[0]["title"] == "hz.folio names nothing"
    assert pictured(SPLIT, "a page is lost").moments[0]["title"] == "A page is lost"


def test_a_message_and_its_picture_call_folios_the_same():
    rows = [*SPLIT, Row(1, (ZEROES, "state"), "free", (), "live", "free", None)]
    bug = f"{ZEROES!r} is gone"
    why, table = in_words(Outcome(bug, rows), [Thread("splitter", ()), Thread("reader", ())])
    assert why == pictured(rows, bug).moments[0]["title"] == "P2 is gone"
    assert "free_folio(P2)" in table[-1]
