"""Who holds memory: processes, page caches, the newest bio; and the disks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from ...block.bio import SECTOR_SIZE, Bio, BlockDevice
from ...hw.ram import PAGE_SIZE
from ...mm.mm_types import AddressSpace, Mm
from ..moments import Film, State
from ..words import rights, size, some
from .mappings import Piece, Row, mapped


@dataclass
class Area:
    """A part of an owner, with one set of rights."""

    key: str
    label: str
    pieces: list[Piece]
    rows: list[Row] = field(default_factory=list)
    unit: str = ""  # what its rows count; addresses if nothing else


@dataclass
class Owner:
    """A card in the first column."""

    key: str
    name: str
    lines: list[str]
    areas: list[Area] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)  # that point at no frame
    flag: str = ""  # that is set in it
    sectors: list[tuple[int, str]] = field(default_factory=list)  # of a disk: how many look how, in order


def _count(n: int, word: str) -> str:
    return f"{n:,} {word}{'s' * (n != 1)}"


def processes(film: Film, state: State) -> Iterator[Owner]:
    """Every address space that somebody uses."""
    for mm in state.all(Mm):
        areas = state.peek((mm, "mmap"))
        users = state.peek((mm, "users"))
        if users <= 0 and not areas:
            continue
        lines = [
            f"RSS {state.peek((mm, 'rss')) * PAGE_SIZE // 1024:,} kB",
            _count(state.peek((mm, "min_flt")), "fault"),
            _count(state.peek((mm, "nr_ptes")), "page table"),
        ]
        if waiting := sum(deposits.id == mm.id for deposits, _ in state.put_aside):
            lines.append(f"{waiting:,} put aside")
        if users > 1:
            lines.append(_count(users, "thread"))
        drawn = []
        for start, end, vma in areas:
            label = [rights(state.peek((vma, "vm_flags")))]
            if start in film.areas:
                label.insert(0, film.areas[start])
            file = state.peek((vma, "vm_file"))
            if file is not None:
                label.append(cache_name(state, file))
            pieces = list(mapped(state, mm, start // PAGE_SIZE, end // PAGE_SIZE))
            drawn.append(Area(f"a{vma!r}", " · ".join(label), pieces))
        flag = "huge_zero" if state.peek((mm, "huge_zero")) else ""
        yield Owner(f"o{mm!r}", film.who(mm), lines, drawn, flag=flag)


def cache_name(state: State, cache: AddressSpace) -> str:
    kind = "shared memory" if state.peek((cache, "data")) is None else "file"
    return f"{kind} {cache.id}"


def caches(state: State) -> Iterator[Owner]:
    """Page caches that hold something."""
    for cache in state.all(AddressSpace):
        folios = sorted(
            (c[1], v) for c, v in state.cells.items() if c[0] is cache and isinstance(c[1], int) and v
        )
        if folios:
            pieces = [Piece(index, 1, "cached", folio) for index, folio in folios]
            area = Area(f"a{cache!r}", "page cache", pieces, unit="page")
            yield Owner(f"o{cache!r}", cache_name(state, cache), [_count(len(folios), "page")], [area])


def bios(state: State) -> Iterator[Owner]:
    """The newest bio: what it tells the disk to write."""
    for bio in state.all(Bio)[-1:]:
        vecs = state.peek((bio, "bi_io_vec"))
        pieces, n = [], 0
        for vec, same in groupby(vecs):
            pages = len(list(same))
            pieces.append(Piece(n, pages, size(vec.bv_len), vec.bv_folio))
            n += pages
        bdev = state.peek((bio, "bi_bdev"))
        lines = [
            f"to disk {bdev.id}" if bdev else "no disk yet",
            f"sector {state.peek((bio, 'bi_sector')):,}",
        ]
        area = Area(f"a{bio!r}", _count(n, "vector"), pieces, unit="vector")
        yield Owner(f"o{bio!r}", f"bio {bio.id}", lines, [area] if pieces else [])


def disks(state: State) -> Iterator[Owner]:
    """Every disk, with what its sectors hold."""
    for bdev in state.all(BlockDevice):
        sectors = state.peek((bdev, "bd_nr_sectors"))
        bio, vecs, zeroings = (state.peek((bdev, name)) for name in ("bios", "vecs", "zeroings"))
        lines = [size(sectors * SECTOR_SIZE), _count(bio, "bio"), _count(vecs, "vector")]
        if zeroings or state.peek((bdev, "max_write_zeroes_sectors")):
            lines.append(_count(zeroings, "write-zeroes").removesuffix("s") + "es" * (zeroings != 1))
        rows = _sectors(state, bdev, sectors)
        strip = [(row.pages, row.look) for row in rows]
        yield Owner(f"o{bdev!r}", f"disk {bdev.id}", lines, rows=rows, sectors=strip)


def _sectors(state: State, bdev: BlockDevice, sectors: int) -> list[Row]:
    """Ranges of sectors: old data, zeroes, data."""
    contents = state.peek((bdev, "data"))
    cuts: list[tuple[int, int, str]] = []  # first byte, the one after the last, words
    at, end = 0, sectors * SECTOR_SIZE
    for offset, data in contents.runs:
        if offset > at:
            cuts.append((at, offset, _fill(contents.fill)))
        cuts.append((offset, offset + len(data), f"data: {some(data)} …" if data.strip(b"\0") else "zeroes"))
        at = offset + len(data)
    if at < end:
        cuts.append((at, end, _fill(contents.fill)))
    rows = []
    for words, same in groupby(cuts, key=lambda cut: cut[2]):
        parts = list(same)
        low, high = parts[0][0], parts[-1][1]
        look = "zero" if words == "zeroes" else "old" if words.startswith("old") else "data"
        first, after = low // SECTOR_SIZE, -(-high // SECTOR_SIZE)
        where = f"sectors {first:,}–{after - 1:,}"
        rows.append(Row(f"o{bdev!r}:{low}", first, after - first, where, size(high - low), words, look=look))
    return rows


def _fill(byte: int) -> str:
    return "zeroes" if byte == 0 else f"old: {byte:02x} {byte:02x} …"
