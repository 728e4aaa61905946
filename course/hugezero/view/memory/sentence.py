"""What an operation did, in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...block.bio import Bio, BlockDevice
from ...hw.ram import PAGE_SIZE, PTRS_PER_PTE, Contents
from ...hw.tlb import Tlb
from ...mm.huge_memory import Deposits, HugeZero, TransparentHugepage
from ...mm.mm_types import AddressSpace, Mm, Vma
from ...mm.page_alloc import Folio
from ...mm.pgtable import PmdTable, PteTable
from ...mm.shrinker import Shrinkers
from ...mm.vmstat import Vmstat
from ...store import DECLARED, KERNEL, Done, Handle
from ..moments import Film, State
from ..words import Entry, code, entry_of, is_zeroes, rights, short, size, some, the
from .mappings import addresses
from .owners import cache_name

Tell = Callable[[Film, State, Done], str]


def sentence(film: Film, state: State, done: Done | None) -> str:
    """What happened at operation *done*, whose outcome *state* is."""
    if done is None:
        return "The machine has just been switched on" if film.kept else "The machine as it is now"
    said = _TELL.get(type(done.cell[0]), _anything)(film, state, done)
    return (
        said[0].upper() + said[1:]
        if said.startswith(("folio", "the ", "an ", "a ", "what", "which", "may ", "who ", "from ", "there "))
        else said
    )


def called(state: State, folio: Folio) -> str:
    """A folio within a sentence."""
    return the(folio, folio in state.huge_zeroes)


def maps(state: State, entry: Entry | None) -> str:
    return f"maps {called(state, entry.folio)}, {entry.rights}" if entry else "is empty"


def _entry(film: Film, state: State, done: Done) -> str:
    table, index = done.cell
    if table not in state.tables:
        name = f"entry {index} of a page table that nobody uses yet"
    else:
        mm, block = state.tables[table]
        page = block * PTRS_PER_PTE + int(index)
        name = f"{film.who(mm)}: entry for {page * PAGE_SIZE:#x}"
    return _change(state, name, done)


def _change(state: State, name: str, done: Done) -> str:
    """What became of the entry called *name*."""
    old, new = entry_of(done.old), entry_of(done.new)
    if done.verb == "read":
        return f"{name} is looked at: it {maps(state, new)}"
    if old == new:
        return f"{name} is set to what it was: it {maps(state, new)}"
    if old and new and old.folio is new.folio:
        return f"{name} still maps {called(state, new.folio)}, and is {new.words} now"
    if old and new:
        was = called(state, old.folio)
        return f"{name} now maps {called(state, new.folio)} instead of {was}, {new.rights}"
    return f"{name} {'is empty now' if new is None else 'now ' + maps(state, new)}"


def _pmd(film: Film, state: State, done: Done) -> str:
    handle, index = done.cell
    name, block = film.who(Mm(handle.id)), int(index)
    where = addresses(block * PTRS_PER_PTE, PTRS_PER_PTE)
    if isinstance(done.new, PteTable) and entry_of(done.old):
        return (
            f"{name}: {where} is mapped by small entries now, in the page table in frame {done.new.id[0]:#x}"
        )
    if entry_of(done.new) or entry_of(done.old):
        return _change(state, f"{name}: entry for {where}", done)
    if done.verb == "read":
        has = "there is none" if done.new is None else f"it is in frame {done.new.id[0]:#x}"
        return f"{name}: the page table for {where} is looked up: {has}"
    if done.new is None:
        return f"{name}: {where} " + (
            "has no page table, as before" if done.old is None else "loses its page table"
        )
    return f"{name}: {where} gets a page table, in frame {done.new.id[0]:#x}"


def _folio(film: Film, state: State, done: Done) -> str:
    folio: Any = done.cell[0]
    name = called(state, folio)
    match done.verb:
        case "new":
            return f"{name} is allocated: {size(folio.nr_pages * PAGE_SIZE)} with whatever was left in them"
        case "free":
            return f"{name} is freed"
        case "load":
            return f"{_bytes(done.args[1])} read from {name} at {done.args[0]:#x}: {some(done.result, 8)}"
        case "store":
            return (
                f"{_bytes(len(done.args[1]))} written to {name} at {done.args[0]:#x}: {some(done.args[1], 8)}"
            )
        case "clear":
            return f"{name} is filled with zeroes"
        case "paste":
            source: Contents = done.args[1]
            return (
                f"{size(done.args[3])} of {'zeroes' if is_zeroes(source) else 'data'} are copied into {name}"
            )
    if done.cell[1] == "refcount":
        return _count(f"{name}: its count of holders", done)
    whole = done.cell[1] == "data" and done.verb == "read"
    return f"all of {name} is read" if whole else _anything(film, state, done)


def _bytes(n: int) -> str:
    return f"{n:,} byte{'s are' if n != 1 else ' is'}"


def _count(name: str, done: Done) -> str:
    if done.verb == "read":
        return f"{name} is read: {done.new}"
    if done.old == done.new:
        return f"{name} stays at {done.new}"
    return f"{name} goes from {done.old} to {done.new}"


def _mm(film: Film, state: State, done: Done) -> str:
    mm: Any = done.cell[0]
    field = done.cell[1]
    name = film.who(mm)
    if done.verb == "new":
        return f"a new, empty address space: {name}"
    if field == "mmap":
        if done.verb == "read":
            return f"{name}: its list of areas is looked at"
        gone = [area for area in done.old if area not in done.new]
        come = [area for area in done.new if area not in done.old]
        words = [
            f"{'maps' if areas is come else 'gives up'} {_ranges(areas)}" for areas in (gone, come) if areas
        ]
        return f"{name}: {' and '.join(words) or 'its list of areas stays as it was'}"
    what = {"rss": "its resident set, in pages,", "min_flt": "its count of page faults"}
    what |= {"nr_ptes": "its count of page tables", "users": "its count of threads"}
    if field == "page_table_lock":
        return f"{name}: its page table lock is {DECLARED[done.verb].words.lock}"
    return _count(f"{name}: {what.get(str(field), field)}", done)


def _ranges(areas: list[tuple[int, int, Vma]]) -> str:
    return ", ".join(addresses(start // PAGE_SIZE, (end - start) // PAGE_SIZE) for start, end, _ in areas)


def _vma(film: Film, state: State, done: Done) -> str:
    vma, field = done.cell
    if done.verb == "new":
        return "a new area, which belongs to nobody yet"
    mm, start = state.peek((vma, "vm_mm")), state.peek((vma, "vm_start"))
    name = f"{film.who(mm) + ': ' if mm else ''}the area {f'at {start:#x}' if start else 'to be'}"
    if done.verb == "read":
        value = rights(done.new) if field == "vm_flags" else _value(film, state, done.new)
        return f"{name} is asked for its {field}: {value}"
    if field == "anon_vma" and done.new:
        return f"{name} is about to hold a page of its own: fork must copy its entries from now on"
    value = rights(done.new) if field == "vm_flags" else _value(film, state, done.new)
    return f"{name}: {field} is {value} now"


def _value(film: Film, state: State, value: Any) -> str:
    if isinstance(value, Mm):
        return film.who(value)
    if isinstance(value, AddressSpace):
        return cache_name(state, value)
    return hex(value) if type(value) is int else "none" if value is None else short(value)


def _cache(film: Film, state: State, done: Done) -> str:
    cache: Any = done.cell[0]
    index = done.cell[1]
    name = cache_name(state, cache)
    if done.verb == "new":
        return f"a new file, or piece of shared memory: {name}"
    if not isinstance(index, int):
        return f"{name}: its bytes are read"
    if done.verb == "read":
        return f"{name}: page {index} is looked up: it is {the(done.new) if done.new else 'not there'}"
    return f"{name}: page {index} is {'kept in ' + the(done.new) if done.new else 'forgotten'}"


def _disk(film: Film, state: State, done: Done) -> str:
    bdev, field = done.cell
    name = f"disk {bdev.id}"
    if done.verb == "paste":
        at, source, _, length = done.args
        what = "zeroes" if is_zeroes(source) else "data"
        return f"{size(length)} of {what} are written to {name}, from sector {at // 512:,}"
    if field == "queue" and done.verb == "take":
        return f"{name} comes to bio {done.result.id}" if done.result else f"{name} has nothing left to do"
    if field == "queue" and done.verb == "append":
        return f"bio {done.args[0].id} is handed to {name}, and nobody waits for it"
    if field in ("bios", "vecs", "zeroings"):
        return _count(f"{name}: its count of {field}", done)
    if done.verb == "new":
        return f"a new disk: {name}"
    return (
        f"{name} is asked for its {field}: {short(done.new)}"
        if done.verb == "read"
        else _anything(film, state, done)
    )


def _bio(film: Film, state: State, done: Done) -> str:
    name = f"bio {done.cell[0].id}"
    if done.verb == "new":
        return f"a new, empty write: {name}"
    if done.verb == "append":
        vec = done.args[0]
        if done.result:
            return f"{name} gets vector {len(done.new) - 1}: {size(vec.bv_len)} of {the(vec.bv_folio)}"
        return f"{name} is full: {len(done.new)} vectors"
    return _anything(film, state, done)


def _deposit(film: Film, state: State, done: Done) -> str:
    handle, index = done.cell
    where = f"{film.who(Mm(handle.id))}: for {addresses(int(index) * PTRS_PER_PTE, PTRS_PER_PTE)}"
    if done.new is not None:
        return f"{where} a page table is put aside, in frame {done.new.id[0]:#x}"
    gone = "none was put aside" if done.old is None else f"the one in frame {done.old.id[0]:#x}"
    return f"{where} the page table that was put aside is taken: {gone}"


def _huge_zero(film: Film, state: State, done: Done) -> str:
    field = done.cell[1]
    if field == "refcount":
        users = _count("the huge zero folio's count", done)
        return f"{users}: nobody is there" if done.verb == "inc_not_zero" and not done.result else users
    if field == "lock":
        return f"the huge zero folio's lock is {DECLARED[done.verb].words.lock}"
    if done.verb == "read":
        return f"which folio is the huge zero one? {the(done.result).capitalize() if done.result else 'None'}"
    if done.new is done.old:
        return f"the huge zero folio stays {the(done.new) if done.new else 'away'}: somebody was faster"
    if done.new is None:
        return f"there is no huge zero folio any more: it was {the(done.old)}"
    return f"{the(done.new)} is the huge zero folio from now on"


def _tlb(film: Film, state: State, done: Done) -> str:
    who = film.who(Mm(done.cell[0].id))
    if done.verb != "flush":
        return _anything(film, state, done)
    start, end = done.args
    where = addresses(start // PAGE_SIZE, (end - start) // PAGE_SIZE)
    return f"{who}: every CPU forgets what it remembers of {where}"


def _switch(film: Film, state: State, done: Done) -> str:
    return f"may a read be given the huge zero folio? {'Yes' if done.new else 'No'}"


def _shrinkers(film: Film, state: State, done: Done) -> str:
    if done.verb != "read":
        return f"from now on {done.args[0][1]} is asked when memory gets tight"
    asked = ", ".join(count for count, *_ in done.result)
    return f"who may have memory to give back? {asked or 'No shrinker is there'}"


def _vmstat(film: Film, state: State, done: Done) -> str:
    return _count(f"the machine's {done.cell[1]}", done)


def _nothing(film: Film, state: State, done: Done) -> str:
    return "an allocation finds no memory" if done.result is None else _anything(film, state, done)


def _anything(film: Film, state: State, done: Done) -> str:
    return code(done) + ("" if done.result is None else f" → {short(done.result)}")


_TELL: dict[type[Handle], Tell] = {
    PteTable: _entry, PmdTable: _pmd, Folio: _folio, Mm: _mm, Vma: _vma, AddressSpace: _cache,
    BlockDevice: _disk, Bio: _bio, Vmstat: _vmstat, Deposits: _deposit, HugeZero: _huge_zero, Tlb: _tlb, Shrinkers: _shrinkers,
    TransparentHugepage: _switch, type(KERNEL): _nothing,
}  # fmt: skip
