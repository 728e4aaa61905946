"""Bios and disks: what a bio holds, and what reaches the disk."""

import pytest
from hugezero.block.bio import (
    BIO_MAX_VECS,
    SECTOR_SIZE,
    assemble_block,
    bio_add_folio,
    bio_alloc,
    issue_write_zeroes,
    submit_bio_wait,
)
from hugezero.machine import Kernel
from hugezero.mm.mm_types import EIO
from hugezero.mm.page_alloc import ZERO_PAGE, alloc_folio
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def machine():
    with Kernel().booted(pages=64) as machine:
        yield machine


def test_a_bio_takes_256_pieces_and_not_one_more(machine):
    bio = bio_alloc(machine.disk(8192), 0)
    assert [bio_add_folio(bio, ZERO_PAGE, 512) for _ in range(BIO_MAX_VECS + 1)] == [True] * 256 + [False]
    assert submit_bio_wait(bio) == 0


@given(st.integers(0, 4095), st.integers(1, 4096), st.integers(0, 8))
def test_a_block_is_its_data_and_zeroes_around_them(offset, length, sector):
    length = min(length, 4096 - offset)
    with Kernel().booted(pages=4) as machine:
        disk, folio = machine.disk(64), alloc_folio()
        data = bytes(1 + n % 255 for n in range(length))
        folio.data.store(offset, data)
        assert assemble_block(disk, sector, folio, offset, length) == 0
        block = disk.data.load(sector * SECTOR_SIZE, 4096)
        assert block == bytes(offset) + data + bytes(4096 - offset - length)
        assert disk.data.load(sector * SECTOR_SIZE + 4096, 4) == b"\xcc" * 4
        assert disk.vecs.read() == 1 + (offset > 0) + (offset + length < 4096)


@pytest.mark.parametrize("sector", [-1, 57, 64, 1000])
def test_a_write_past_the_end_of_the_disk_is_an_error_and_writes_nothing(machine, sector):
    disk = machine.disk(64)
    before = disk.data.read()
    bio = bio_alloc(disk, sector)
    bio_add_folio(bio, ZERO_PAGE, 4096)
    assert submit_bio_wait(bio) == EIO
    assert disk.data.read() == before and disk.bios.read() == 0


def test_a_write_that_is_no_whole_sector_is_an_error(machine):
    bio = bio_alloc(machine.disk(64), 0)
    bio_add_folio(bio, ZERO_PAGE, 100)
    assert submit_bio_wait(bio) == EIO


@pytest.mark.parametrize(("length", "offset"), [(0, 0), (4097, 0), (1, 4096), (-1, 0), (1, -1)])
def test_a_piece_outside_of_its_folio_is_named(machine, length, offset):
    with pytest.raises(ValueError, match=f"bytes {offset} to {offset + length} of a folio that has 4096"):
        bio_add_folio(bio_alloc(machine.disk(64), 0), ZERO_PAGE, length, offset)


@pytest.mark.parametrize(("nr", "result"), [(0, EIO), (8, 0), (9, EIO)])
def test_a_disk_zeroes_by_itself_as_much_as_it_said(machine, nr, result):
    disk = machine.disk(64, max_write_zeroes_sectors=8)
    assert issue_write_zeroes(disk, 0, nr) == result
    assert disk.data.load(0, 512) == (bytes(512) if result == 0 else b"\xcc" * 512)
