"""What must be so on any machine when nobody is in the kernel, looked up in its cells."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hugezero.machine import Machine
from hugezero.mm.huge_memory import HUGE_ZERO, Deposits
from hugezero.mm.mm_types import AddressSpace, Mm
from hugezero.mm.page_alloc import ZERO_PAGE, Folio
from hugezero.mm.pgtable import Pmd, PmdTable, PteTable
from hugezero.mm.vmstat import VMSTAT


def what_is_wrong(machine: Machine, counted: str) -> list[str]:
    """Sentences about what is not as it must be. *counted*: what is counted of the huge zero page: entries, mms, nothing?"""
    wrong: list[str] = []

    def must(true: object, what: str) -> None:
        if not true:
            wrong.append(what)

    cells, peek = machine.cells, machine.peek
    tables: dict[Any, dict[int, Pmd | PteTable]] = {}
    held: Counter[Folio] = Counter()
    holders: set[Mm] = set()
    zeroes = all_tables = 0
    for (handle, index), value in cells.items():
        if isinstance(handle, PmdTable) and isinstance(index, int) and value is not None:
            tables.setdefault(handle.id, {})[index] = value
        elif isinstance(handle, AddressSpace) and isinstance(index, int) and value is not None:
            held[value] += 1
    deposits = {(h.id, i): v for (h, i), v in cells.items() if isinstance(h, Deposits) and v is not None}
    in_use = [table.body for table in deposits.values()]
    for mm in sorted({handle for handle, _ in cells if isinstance(handle, Mm)}, key=lambda mm: mm.id):
        rss, nr = 0, 0
        if peek((mm, "huge_zero")) and peek((mm, "users")) > 0:
            holders.add(mm)
        for index, below in tables.get(mm.id, {}).items():
            nr += 1
            table = deposits.pop((mm.id, index), None)
            if not isinstance(below, Pmd):
                must(table is None, f"{mm}: a table is put aside for block {index}, which is not huge")
                in_use.append(below.body)
                for i in range(512):
                    entry = peek((below, i))
                    if entry is not None and entry.folio is ZERO_PAGE:
                        must(entry.special and not entry.write, f"{mm}: {entry}")
                    elif entry is not None:
                        must(not entry.special, f"{mm}: {entry}")
                        held[entry.folio] += 1
                        rss += 1
                continue
            must(table is not None, f"{mm}: no table is put aside for the huge entry of block {index}")
            if table is not None:
                must(all(peek((table, i)) is None for i in range(512)), f"{table} is put aside and not empty")
            if below.special:
                zeroes += 1
                must(counted != "mms" or mm in holders, f"{mm}: {below}, and its flag is not set")
                must(below.folio is peek((HUGE_ZERO, "folio")), f"{mm}: {below} is not the huge zero page")
                must(not below.write and not below.dirty, f"{mm}: {below} may be written to")
            else:
                held[below.folio] += 1
                rss += 512
        must(peek((mm, "rss")) == rss, f"{mm}: RSS is {peek((mm, 'rss'))}, and {rss} pages are mapped")
        must(
            peek((mm, "nr_ptes")) == nr,
            f"{mm}: nr_ptes is {peek((mm, 'nr_ptes'))}, and there are {nr} tables",
        )
        must(not peek((mm, "page_table_lock")), f"{mm}: the page table lock is held")
        all_tables += nr
    must(not deposits, f"tables are put aside for nobody: {deposits}")
    now = peek((VMSTAT, "nr_page_table_pages"))
    must(now == all_tables, f"nr_page_table_pages is {now}, and there are {all_tables}")
    must(len(set(in_use)) == len(in_use), "a table is used twice")

    huge, refcount = peek((HUGE_ZERO, "folio")), peek((HUGE_ZERO, "refcount"))
    must(not peek((HUGE_ZERO, "lock")), "the huge zero page's lock is held")
    if huge is not None:
        in_use.append(huge)
        data = peek((huge, "data"))
        must((data.fill, data.runs) == (0, ()), "the huge zero page holds something else than zeroes")
    if counted:
        users = {"entries": zeroes, "mms": len(holders)}[counted]
        must(huge is not None or users == 0, f"there is no huge zero page, and {users} hold it")
        right = 0 if huge is None else 1 + users
        must(refcount == right, f"the huge zero page's count is {refcount}, and should be {right}")
    for folio, times in held.items():
        count = peek((folio, "refcount"))
        must(count == times, f"{folio}: its count is {count}, and {times} hold it")
    alive = {
        handle
        for (handle, field), value in cells.items()
        if field == "state" and value == "live" and isinstance(handle, Folio)
    }
    for folio in alive - held.keys() - set(in_use):
        must(False, f"{folio}, {folio.nr_pages} pages, is lost: nobody holds it")
    for folio in {*held, *in_use} - alive:
        must(False, f"{folio} is free, and held")
    return wrong
