"""The functions of lab 3 in a right version and in wrong ones, for tests of the search."""

import itertools

from hugezero.check.function_under_test import subject
from hugezero.explore.threads import calls, cpu
from hugezero.mm.huge_memory import HUGE_ZERO as HZ
from hugezero.mm.page_alloc import alloc_folio, free_folio
from hugezero.store import call

COUNT, FOLIO = (HZ, "refcount"), (HZ, "folio")


def get(hz):
    while not hz.refcount.inc_not_zero():
        folio = alloc_folio(9)
        if folio is None:
            return None
        if hz.folio.cmpxchg(None, folio) is not None:
            free_folio(folio)
            continue
        hz.refcount.set(2)
        return folio
    return hz.folio.read()


def put(hz):
    hz.refcount.dec_and_test()


def scan(hz):
    if hz.refcount.cmpxchg(1, 0) == 1:
        free_folio(hz.folio.xchg(None))
        return 512
    return 0


def scan_that_trusts_count(hz):
    if hz.refcount.read() == 1:
        hz.refcount.set(0)
        free_folio(hz.folio.xchg(None))
        return 512
    return 0


def get_with_plain_increment(hz):
    if hz.refcount.read() == 0:
        folio = alloc_folio(9)
        if hz.folio.cmpxchg(None, folio) is None:
            hz.refcount.add(2)
            return folio
        free_folio(folio)
    hz.refcount.inc()
    return hz.folio.read()


def get_that_counts_before_the_pointer(hz):
    while not hz.refcount.inc_not_zero():
        folio = alloc_folio(9)
        hz.refcount.set(2)
        if hz.folio.cmpxchg(None, folio) is not None:
            free_folio(folio)
            continue
        return folio
    return hz.folio.read()


def get_that_retries_four_times(hz):
    for _ in range(4):
        if hz.refcount.inc_not_zero():
            return hz.folio.read()
        folio = alloc_folio(9)
        if hz.folio.cmpxchg(None, folio) is None:
            hz.refcount.set(2)
            return folio
        free_folio(folio)
    return hz.folio.read()


def get_that_uses_a_freed_folio_after_four_rounds(hz):
    for n in itertools.count():
        if hz.refcount.inc_not_zero():
            return hz.folio.read()
        folio = alloc_folio(9)
        if hz.folio.cmpxchg(None, folio) is None:
            hz.refcount.set(2)
            return folio
        free_folio(folio)
        if n == 3:
            folio.refcount.inc()
    return None


def get_that_waits_for_ever(hz):
    while not hz.refcount.inc_not_zero():
        folio = alloc_folio(9)
        if hz.folio.cmpxchg(None, folio) is None:
            hz.refcount.set(2)
            return folio
        free_folio(folio)
        while hz.refcount.read() < 77:
            pass
    return hz.folio.read()


def get_that_waits_for_the_installer(hz):
    """Right: the wait ends when the installer has set the count."""
    while not hz.refcount.inc_not_zero():
        if hz.folio.read() is not None:
            continue
        folio = alloc_folio(9)
        if folio is None:
            return None
        if hz.folio.cmpxchg(None, folio) is None:
            hz.refcount.set(2)
            return folio
        free_folio(folio)
    return hz.folio.read()


def get_that_puts_too_often_after_three_rounds(hz):
    rounds = 0
    while not hz.refcount.inc_not_zero():
        folio = alloc_folio(9)
        if hz.folio.cmpxchg(None, folio) is None:
            hz.refcount.set(2)
            return folio
        free_folio(folio)
        rounds += 1
    if rounds == 3:
        hz.refcount.dec_and_test()
    return hz.folio.read()


asked = 0


def get_with_a_global_counter(hz):
    global asked
    asked += 1
    if asked % 7 == 0:
        hz.refcount.read()
    return get(hz)


def get_that_spins_without_looking(hz):
    if not hz.refcount.inc_not_zero():
        while True:
            pass
    return hz.folio.read()


def kernel(**changed):
    """Functions by name, as the search wants them: get, put, scan, with some changed."""
    functions = {"get": get, "put": put, "scan": scan, **changed}
    return {
        name: subject(name, function, {"get", "put", "scan"} - {name}) for name, function in functions.items()
    }


@cpu("user")
def user():
    folio = call("get", HZ)
    if folio is not None:
        folio.data.load(0, 1)
        call("put", HZ)


def shrinker():
    return calls("shrinker", ("scan", HZ))


def at_rest(peek):
    count, wanted = peek(COUNT), 0 if peek(FOLIO) is None else 1
    return None if count == wanted else f"at rest the count is {count}; it should be {wanted}"
