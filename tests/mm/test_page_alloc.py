"""Frames: never twice at a time, aligned, exhaustible, and all of them come back."""

import pytest
from hugezero.machine import Kernel
from hugezero.mm.page_alloc import HPAGE_PMD_ORDER, alloc_folio, folio_put
from hypothesis import given
from hypothesis import strategies as st


@given(
    st.integers(1, 1600),
    st.lists(st.sampled_from([0, 0, 0, HPAGE_PMD_ORDER, "free"]), max_size=60),
    st.data(),
)
def test_no_frame_is_handed_out_twice(pages, steps, data):
    """Against a set of frame numbers."""
    taken: dict[object, set[int]] = {}
    with Kernel().booted(pages=pages, log=False) as machine:
        for step in steps:
            if step == "free":
                if taken:
                    folio = data.draw(st.sampled_from(list(taken)))
                    del taken[folio]
                    folio_put(folio)
                continue
            folio = alloc_folio(step)
            used = set().union(*taken.values()) if taken else set()
            if folio is None:
                if step == 0:
                    assert len(used) == pages, "a frame was free"
                continue
            frames = set(range(folio.pfn, folio.pfn + folio.nr_pages))
            assert folio.pfn % folio.nr_pages == 0 and not frames & used
            assert min(frames) >= 512 and max(frames) < 512 + pages
            taken[folio] = frames
        assert machine.vmstat()["nr_free_pages"] == pages - sum(map(len, taken.values()))


def test_frames_that_came_back_make_a_huge_folio_again():
    with Kernel().booted(pages=512, log=False):
        small = [alloc_folio() for _ in range(512)]
        assert alloc_folio() is None and alloc_folio(HPAGE_PMD_ORDER) is None
        for folio in small:
            folio_put(folio)
        huge = alloc_folio(HPAGE_PMD_ORDER)
        assert huge is not None and huge.nr_pages == 512


def test_an_allocation_fails_on_demand_and_the_next_one_does_not():
    with Kernel().booted(pages=8, fail=frozenset([1])):
        assert [alloc_folio() is None for _ in range(3)] == [False, True, False]


def test_an_order_that_this_machine_does_not_have_is_named():
    with Kernel().booted(pages=8), pytest.raises(ValueError, match=r"alloc_folio\(3\): .* order 0 and 9"):
        alloc_folio(3)


def test_a_machine_without_memory_says_so():
    with pytest.raises(ValueError, match="a machine with 0 pages of memory cannot start"):
        Kernel().booted(pages=0)
