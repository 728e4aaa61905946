"""Lab 0, the machine: two warm-ups."""

from hugezero.mm.page_alloc import alloc_folio, clear_folio


def alloc_zeroed_folio():
    """A folio of 4 KiB that holds nothing but zeroes, or None if there is no memory."""
    folio = alloc_folio()
    if folio is not None:
        clear_folio(folio)
    return folio


def spin_trylock(lock):
    """Take the lock if it is free.

    Returns True to the CPU that got it, False to any other.
    """
    return not lock.locked.test_and_set()
