"""The schedule picture where tables, locks and translations play a part: what is left out, and what things are called."""

import re
from html import unescape

from hugezero.block.bio import Bio, BlockDevice
from hugezero.check.schedules import in_words
from hugezero.explore.moves import Row
from hugezero.explore.search import Outcome
from hugezero.explore.threads import calls
from hugezero.hw.tlb import Tlb, Translation
from hugezero.mm.huge_memory import TRANSPARENT_HUGEPAGE, Deposits
from hugezero.mm.mm_types import Mm, Vma
from hugezero.mm.page_alloc import SMALL, Folio
from hugezero.mm.pgtable import Pmd, PmdTable, PteTable, mk_pte, zero_pte
from hugezero.mm.shrinker import SHRINKERS
from hugezero.mm.vmstat import VMSTAT
from hugezero.view.schedules.pages import Interleaving

from .test_schedule import board, drawn, heads

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


def folded(made):
    """(numbers, words) of each line that stands for operations from which nobody learns anything."""
    found = re.findall(r'hz-line hz-fold"><i class="n">(.*?)</i><p[^>]*>(.*?)</p>', board(made))
    return [(unescape(numbers), unescape(words)) for numbers, words in found]


def test_rows_from_which_nobody_learns_anything_are_folded_and_the_others_keep_their_numbers():
    made = pictured(SPLIT)
    assert [number for number, *_ in drawn(made)] == SHOWN
    assert [moment["rows"] for moment in made.moments] == [0, *SHOWN]
    assert [moment["changed"][0] for moment in made.moments] == [f"r{k}" for k in (0, *SHOWN)]
    assert made.at == len(SHOWN)
    assert folded(made) == [
        ("1", "1 operation on areas"),
        ("3", "1 operation on statistics"),
        ("7–8", "2 operations on switches"),
    ]
    assert "vm_mm" not in made.text and "thp_split_pmd" not in made.text
    assert "7–8 (CPU 1 · reader: 2 operations on switches)" in made.text
    assert folded(pictured(SPLIT[1:2])) == []


def test_what_the_verdict_is_about_is_never_folded():
    bio = Bio(1000)
    rows = [
        Row(0, (bio, "bi_sector"), "write", (8,), 0, 8, None),
        Row(0, (BlockDevice(1), "queue"), "append", (bio, 1024), (), (bio,), True),
        Row(1, (bio, "bi_status"), "write", (5,), 0, 5, None),
        Row(1, LOCK, "lock", (), False, True, None),
    ]
    assert folded(pictured(rows, "wrong")) == [
        ("1", "1 operation on the fields of a bio"),
        ("3", "1 operation on the fields of a bio"),
    ]
    assert folded(pictured(rows, "the bi_status is wrong")) == [("1", "1 operation on the fields of a bio")]
    assert "queue ← bio" in [code for _, _, code, *_ in drawn(pictured(rows))]


def test_the_last_row_is_there_whatever_it_is():
    made = pictured(SPLIT[:3])
    assert [number for number, *_ in drawn(made)] == [2, 3]


def test_tables_locks_and_translations_have_short_names():
    made = pictured(SPLIT)
    code = {number: words for number, _, words, *_ in drawn(made)}
    assert code[4] == "deposits[1].xchg(None)"
    assert code[5] == "pte[0].set(zero page)"
    assert code[6] == "pmd[1].set(table P1)"
    assert code[10] == "flush_pmd_tlb_range(…)"
    words = {number: [*values, *said] for number, _, _, values, said in drawn(made)}
    assert words[4][-1] == "→ table P1"
    assert " ".join(words[10]).endswith("from 0x200000 up to 0x400000")
    assert {"lock", "pmd[1]", "deposits[1]", "TLB"} <= set(heads(made)[1])
    assert "held" in words[2] and "free" in words[12]
    assert "P2 ro" in words[5] and "table P1" in words[6]
    assert "CPU 1: P2" in words[9] and "CPU 1: P2" not in words[10]


def test_what_one_cpu_alone_counts_is_no_column_and_a_lock_is_the_last_that_is_left_out():
    assert "rss" not in heads(pictured(SPLIT))[1]
    both = [*SPLIT, Row(1, (MM, "rss"), "add", (-512,), 512, 0, None)]
    assert heads(pictured(both))[1] == ["TLB", "rss", "deposits[1]", "pmd[1]", "lock"]
    assert heads(pictured(both, "the page table lock is still held"))[1][:2] == ["lock", "rss"]


def test_the_columns_are_those_that_the_verdict_names_first():
    """The race of a split is about the entry that the reader has set, and it is in a table."""
    page = Folio((SMALL + 1024, 0, 1))
    rows = [
        *SPLIT[:6],
        Row(1, (MM, "objects"), "new", ("Folio", 0), None, None, page),
        Row(1, (TABLE, 2), "set", (mk_pte(page),), None, mk_pte(page), None),
        Row(0, (TABLE, 2), "set", (zero_pte(),), mk_pte(page), zero_pte(), None),
        Row(0, (TABLE, 3), "set", (zero_pte(),), None, zero_pte(), None),
        Row(0, LOCK, "unlock", (), True, False, None),
    ]
    made = pictured(rows, f"a page is lost: {page!r} was never freed, and nobody knows of it any more")
    assert heads(made)[1][0] == "pte[2]" and "pte[3]" not in heads(made)[1]
    harmful = [number for number, *_, words in drawn(made) if any("Here it went wrong" in w for w in words)]
    assert harmful == [9]
    assert "lost in row 9 ✗" in made.text
    maps = ["".join(made.parts[i] for i in made.pages[m["map"]]) for m in made.moments]
    lost = {m["rows"]: "lost in row 9 ✗" in one for m, one in zip(made.moments, maps, strict=True)}
    assert lost == {number: number >= 9 for number in lost}
    assert 'class="freed"' in maps[-1]


def test_who_brings_a_page_and_ends_without_a_word_has_lost_it_in_its_last_row():
    page = Folio((SMALL + 1024, 0, 1))
    rows = [
        Row(1, (MM, "objects"), "new", ("Folio", 0), None, None, page),
        Row(1, LOCK, "lock", (), False, True, None),
        Row(1, LOCK, "unlock", (), True, False, None),
        Row(0, LOCK, "lock", (), False, True, None),
    ]
    made = pictured(rows, f"{page!r} is lost: it was never freed")
    assert [n for n, *_, words in drawn(made) if any("Here it went wrong" in w for w in words)] == [3]


def test_a_lost_update_is_blamed_on_the_store_that_forgot():
    rows = [read(0, (MM, "rss"), 0), Row(1, (MM, "rss"), "add", (1,), 0, 1, None)]
    rows += [Row(0, (MM, "rss"), "set", (512,), 1, 512, None), Row(1, LOCK, "lock", (), False, True, None)]
    made = pictured(rows, "RSS is 512 pages when all have ended; it should be 513")
    assert heads(made)[1][0] == "rss"
    assert [n for n, *_, words in drawn(made) if any("Here it went wrong" in w for w in words)] == [3]


def test_the_map_shows_where_a_table_is_kept_and_no_areas():
    text = pictured(SPLIT[:6]).text
    assert re.search(r"huge entries.*\n +its cells\n +pmd\[1\] +table P1 → P1", text)
    assert "mm: lock held" in text
    assert "vm_mm" not in text and "Vma" not in text
    assert re.search(r"P1 +4 KiB · in use", text)
    before = pictured([read(0, LOCK, False), read(1, CACHED, REMEMBERS)]).text
    assert re.search(r"its TLB +row 2 ", before) and re.search(r"P1 +2 MiB · in use", before)


def test_a_name_of_code_keeps_its_letters_in_a_title():
    assert pictured(SPLIT, "hz.folio names nothing").moments[0]["title"] == "hz.folio names nothing"
    assert pictured(SPLIT, "a page is lost").moments[0]["title"] == "A page is lost"


def test_a_message_and_its_picture_call_folios_the_same():
    rows = [*SPLIT, Row(1, (ZEROES, "state"), "free", (), "live", "free", None)]
    bug = f"{ZEROES!r} is gone"
    why, table = in_words(Outcome(bug, rows), [calls("splitter"), calls("reader")])
    assert why == pictured(rows, bug).moments[0]["title"] == "P2 is gone"
    assert "free_folio(P2)" in table[-1]
