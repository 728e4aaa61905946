"""The stage for the checks of lab 5: machines that were built with the option, or without it, or had no memory for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...block.bio import BIO_MAX_VECS, SECTOR_SIZE, BlockDevice
from ...check.checks import expect
from ...hw.ram import PAGE_SIZE
from ...machine import Kernel, Machine
from ...mm.huge_memory import HUGE_ZERO
from ...mm.page_alloc import ZERO_PAGE, Folio, alloc_folio
from ..fixtures import folio_in_use

BUILT, WITHOUT, NO_MEMORY = "with the option", "without the option", "that found no memory at boot"
KINDS = (BUILT, WITHOUT, NO_MEMORY)
PAGES = 4096
MARK = 24  # bytes of data that can be told from others, at their ends and in each page
BLOCKS = (4096, 16384, 65536)  # bytes: what file systems have


@contextmanager
def booted(kernel: Kernel, kind: str, **config: Any) -> Iterator[Machine]:
    """A machine of that *kind* that is up. Without the option, a process that has gone has left the folio behind.

    It does not boot by the kernel's own hugezero_init: what is looked at here is another function.
    """
    functions = {name: f for name, f in kernel.functions.items() if name != "hugezero_init"}
    config = {"pages": PAGES, "persistent_huge_zero_folio": kind != WITHOUT, **config}
    with Kernel(functions).booted(**config) as machine:
        if kind != NO_MEMORY:
            folio_in_use(users=kind == BUILT)
        if machine.log:
            machine.log.clear()
        machine.at_boot = dict(machine.cells)
        yield machine


def lasting(kind: str) -> Folio:
    """The largest folio of zeroes on such a machine that never goes."""
    folio: Folio = HUGE_ZERO.folio.read() if kind == BUILT else ZERO_PAGE
    return folio


def expect_untouched(machine: Machine, what: str) -> None:
    """Nobody has counted anything at the huge zero folio, brought it, or let it go, and no frame was taken."""
    for field, name in (("refcount", "its count"), ("folio", "HUGE_ZERO.folio")):
        old, new = machine.at_boot.get((HUGE_ZERO, field)), machine.cells.get((HUGE_ZERO, field))
        expect(
            old == new,
            f"{what}: {name} of the huge zero folio went from {old} to {new}; it should stay"
            if field == "refcount"
            else f"{what}: {name} was {old!r} and is {new!r}; it should stay",
            "what never goes needs no count",
        )
    before = [
        handle.nr_pages
        for (handle, field), state in machine.at_boot.items()
        if isinstance(handle, Folio) and field == "state" and state == "live"
    ]
    left = PAGES - machine.births.nr_free_pages - sum(before)
    expect(left == 0, f"{what}: {left} frames were taken", "no memory is needed for zeroes that are there")


def pieces(length: int, zeroes: Folio) -> int:
    """How many pieces of *zeroes* make *length* bytes."""
    return -(-length // (zeroes.nr_pages * PAGE_SIZE))


def in_bios(vecs: int) -> int:
    """How many bios hold so many pieces."""
    return -(-vecs // BIO_MAX_VECS)


# a block, and the data in it


def data_folio(offset: int, length: int) -> tuple[Folio, bytes]:
    """A folio of 2 MiB with *length* bytes of data at *offset*, and what was left in it around them; and the data.

    Between their marks the data are 0xCC as well: so much of them fits in one message to the judge.
    """
    folio = alloc_folio(9)
    assert folio is not None
    data = bytearray(b"\xcc") * length
    for at in (0, length - MARK, *range(-offset % PAGE_SIZE, length, PAGE_SIZE)):
        for n in range(max(0, at), min(at + MARK, length)):
            data[n] = 1 + n % 199
            folio.data.store(offset + n, bytes([data[n]]))
    return folio, bytes(data)


def expect_block(
    bdev: BlockDevice, sector: int, offset: int, data: bytes, block_size: int, what: str
) -> None:
    """The block on the disk is its data and zeroes around them, and what lies beside it is as it was."""
    at = sector * SECTOR_SIZE
    block = bdev.data.load(at, block_size)
    end = offset + len(data)
    head = next((n for n in range(offset) if block[n]), None)
    tail = next((n for n in range(end, block_size) if block[n]), None)
    expect(head is None, f"{what}: byte {head} of the block, before the data, is {_byte(block, head)}, not 0")
    expect(block[offset:end] == data, f"{what}: the data are not on the disk where they belong")
    expect(tail is None, f"{what}: byte {tail} of the block, behind the data, is {_byte(block, tail)}, not 0")
    beside = bdev.data.load(at - SECTOR_SIZE, SECTOR_SIZE) + bdev.data.load(at + block_size, SECTOR_SIZE)
    expect(beside == b"\xcc" * 2 * SECTOR_SIZE, f"{what}: what lies beside the block was overwritten")


def _byte(block: bytes, n: int | None) -> str:
    return "missing" if n is None else hex(block[n])
