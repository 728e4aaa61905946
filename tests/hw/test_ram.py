"""Sparse contents against a plain bytearray."""

import pytest
from hugezero.hw.ram import LEFT_BEHIND, Contents
from hypothesis import given
from hypothesis import strategies as st

SIZE = 3 * 4096
AT = st.sampled_from([0, 1, 511, 4095, 4096, 4100, 8190, 8192]) | st.integers(0, SIZE - 1)
BYTES = st.binary(max_size=6) | st.sampled_from([bytes(4096), bytes(5000), b"\xcc" * 4097, b"a\0\0b"])


@st.composite
def edits(draw):
    """Stores and pastes into one of two pieces of memory."""
    return draw(st.lists(st.tuples(st.integers(0, 1), AT, BYTES | st.tuples(AT, st.integers(0, 9000)))))


@given(edits())
def test_sparse_contents_hold_what_a_bytearray_holds(edits):
    sparse = [Contents(), Contents(fill=LEFT_BEHIND)]
    plain = [bytearray(SIZE), bytearray([LEFT_BEHIND]) * SIZE]
    for which, at, what in edits:
        if isinstance(what, bytes):
            data = what[: SIZE - at]
            sparse[which] = sparse[which].store(at, data)
            plain[which][at : at + len(data)] = data
        else:
            source, length = what[0], min(what[1], SIZE - what[0], SIZE - at)
            other = plain[1 - which][source : source + length]
            sparse[which] = sparse[which].paste(at, sparse[1 - which], source, length)
            plain[which][at : at + length] = other
        assert [each.load(0, SIZE) for each in sparse] == plain


@given(st.lists(st.tuples(AT, BYTES)), st.lists(st.tuples(AT, BYTES)))
def test_equal_bytes_are_equal_values(one, two):
    made = []
    for writes in (one, two):
        contents = Contents()
        for at, data in writes:
            contents = contents.store(at, data[: SIZE - at])
        made.append(contents)
    same = made[0].load(0, SIZE) == made[1].load(0, SIZE)
    assert (made[0] == made[1]) == same


def test_zeroes_cost_nothing():
    assert Contents().store(0, bytes(2 << 20)).runs == ()
    assert Contents().store(5, b"x").store(5, b"\0").runs == ()


def test_one_byte_costs_one_byte():
    assert Contents().store(4000, b"x").runs == ((4000, b"x"),)


@pytest.mark.parametrize("offset", [0, 4095, 4096])
def test_a_run_never_crosses_a_page(offset):
    runs = Contents().store(offset, b"ab" * 4096).runs
    assert all(start // 4096 == (start + len(data) - 1) // 4096 for start, data in runs)
