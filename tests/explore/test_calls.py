"""Functions that call others by name, those of the course among them, under every schedule."""

from hugezero.check.function_under_test import subject
from hugezero.explore.byhand import ByHand
from hugezero.explore.replay import given, next_step
from hugezero.explore.search import explore
from hugezero.explore.threads import Thread, calls
from hugezero.machine import Kernel
from hugezero.mm.fault import user_read, user_write
from hugezero.mm.mmap import dup_mm, madvise_dontneed, mm_alloc, mmap, mmput
from hugezero.mm.page_alloc import alloc_folio, free_folio
from hugezero.mm.pgtable import Pte, PteTable
from hugezero.store import KernelBug, call, current

from .versions import COUNT, HZ, at_rest, get, put, scan, shrinker

PAGE = 4096


def functions(*more, **named):
    return {f.__name__: given(f) for f in more} | {name: given(f) for name, f in named.items()}


def both(hz):
    folio = call("get", hz)
    if folio is not None:
        folio.data.load(0, 1)
        call("put", hz)


def test_what_a_called_function_gives_is_what_the_caller_sees():
    def twice(hz):
        return (call("add", hz, 2), call("add", hz, 3))

    def add(hz, n):
        hz.refcount.add(n)
        return n + hz.refcount.read()

    def both():
        HZ.folio.set(call("twice", HZ))

    found = explore(functions(twice, add), [Thread("one", both)])
    assert found.bug is None and ("HugeZero(0).folio", "(4, 8)") in next(iter(found.ends))


def test_operations_of_a_called_function_can_be_told_apart_and_the_call_itself_cannot():
    plain = calls("plain", ("get", HZ), ("put", HZ))
    one = explore(functions(get, put, scan), [plain, shrinker()], at_end=at_rest)
    nested = functions(get, put, scan, user=lambda hz: (call("get", hz), call("put", hz))[1])
    other = explore(nested, [calls("thread", ("user", HZ)), shrinker()], at_end=at_rest)
    assert one.bug is None and one.ends == other.ends and one.states == other.states


def test_a_thread_is_plain_code_that_does_what_a_function_of_the_kernel_would():
    def user():
        both(HZ)

    inside = explore(functions(get, put, scan), [Thread("user", user), shrinker()], at_end=at_rest)
    called = explore(
        functions(get, put, scan, both), [calls("user", ("both", HZ)), shrinker()], at_end=at_rest
    )
    assert (inside.bug, inside.ends, inside.states) == (None, called.ends, called.states)


def test_a_thread_tells_what_must_not_be_by_raising_a_kernel_bug():
    def doubts():
        if HZ.refcount.read() == 1:
            raise KernelBug("one is too few")

    counts = Thread("counts", lambda: [HZ.refcount.inc() for _ in range(2)].clear())
    found = explore({}, [Thread("doubts", doubts), counts])
    assert found.bug == "one is too few" and [row.cpu for row in found.rows] == [1, 0]


def scan_that_trusts_count(hz):
    if hz.refcount.read() == 1:
        hz.refcount.set(0)
        free_folio(hz.folio.xchg(None))


def test_a_race_inside_called_functions_is_found_and_followed_by_hand():
    kernel = functions(get, put, both, scan=scan_that_trusts_count)
    args = kernel, [calls("thread", ("both", HZ))] * 2 + [shrinker()]
    found = explore(*args, at_end=at_rest)
    assert found.bug and not any(row.verb == "call" for row in found.rows)
    for shared in (found.shared, None):
        hand = ByHand(*args, at_end=at_rest, shared=shared)
        hand.follow(found.rows)
        assert (hand.rows, hand.bug) == (found.rows, found.bug)


def test_what_a_called_function_raises_is_told_by_its_own_name():
    def outer(hz):
        call("inner", hz)

    def inner(hz):
        return {}[hz]

    assert (
        explore(functions(outer, inner), [calls("thread", ("outer", HZ))]).bug
        == "inner raised KeyError: HugeZero(0)"
    )


def test_a_name_that_nobody_has_is_told():
    def outer(hz):
        call("inner", hz)

    for first in ("outer", "inner"):
        assert explore(functions(outer), [calls("thread", (first, HZ))]).bug == "there is no function inner"


def test_a_function_that_calls_itself_without_end_is_told():
    def outer(hz):
        call("outer", hz)

    assert "calls in calls, and no end" in explore(functions(outer), [calls("thread", ("outer", HZ))]).bug


def test_a_function_that_gives_what_can_change_is_told():
    def outer(hz):
        return [hz]

    assert "which can change" in explore(functions(outer), [calls("thread", ("outer", HZ))]).bug


def test_a_handle_is_stale_though_a_called_function_freed_it_and_made_another():
    def keeps(hz):
        old = alloc_folio()
        call("another", old)
        old.refcount.inc()

    def another(old):
        free_folio(old)
        return alloc_folio()

    assert (
        "was used after it was freed"
        in explore(functions(keeps, another), [calls("thread", ("keeps", HZ))]).bug
    )


def test_a_page_table_is_stale_when_its_frame_is_handed_out_again():
    def keeps(hz):
        folio = alloc_folio()
        table = PteTable(folio.id)
        table[0].set(Pte(folio))
        free_folio(folio)
        again = PteTable(alloc_folio().id)
        assert again[0].read() is None
        table[0].set(None)

    assert "was used after it was freed" in explore(functions(keeps), [calls("thread", ("keeps", HZ))]).bug


def test_a_folio_is_known_to_others_when_a_table_that_holds_it_is():
    def publishes(hz):
        folio, frame = alloc_folio(), alloc_folio()
        table = PteTable(frame.id)
        table[0].set(Pte(folio))
        hz.folio.set(table)
        hz.folio.set(None)
        free_folio(folio)
        free_folio(alloc_folio())
        hz.refcount.set(int(alloc_folio().pfn == folio.pfn))

    found = explore(
        functions(publishes),
        [calls("thread", ("publishes", HZ))],
        at_end=lambda peek: "same" if peek(COUNT) else None,
    )
    assert found.bug is None


def test_a_folio_of_4_kib_and_one_of_2_mib_are_never_in_the_same_place():
    def two(hz):
        small, big = alloc_folio(0), alloc_folio(9)
        assert not big.pfn <= small.pfn < big.pfn + 512
        assert small.pfn % 1 == big.pfn % 512 == 0

    assert explore(functions(two), [calls("thread", ("two", HZ))]).bug is None


# the course's own functions

SHARES_NOTHING = {name: given(f) for name, f in Kernel().functions.items()}
MM = {**SHARES_NOTHING, **functions(user_read, user_write, madvise_dontneed, dup_mm, mmput)}


def two_programs():
    """A machine with two programs of one page each: its cells, and (mm, address) of each."""
    with Kernel().booted() as machine:
        programs = [mm_alloc(), mm_alloc()]
        places = [mmap(mm, PAGE) for mm in programs]
    return machine.cells, list(zip(programs, places, strict=True))


def test_programs_that_share_nothing_do_not_meet():
    cells, programs = two_programs()

    def life(mm, address):
        user_write(mm, address, b"x")
        child = dup_mm(mm)
        assert user_read(child, address) == b"x"
        user_write(child, address, b"y")
        assert user_read(mm, address) == b"x"
        mmput(child)
        madvise_dontneed(mm, address, PAGE)

    found = explore(
        {**MM, **functions(life)}, [calls("thread", ("life", *one)) for one in programs], cells=cells
    )
    assert found.bug is None and found.states == 1 and found.ends


def test_a_bug_that_given_code_tells_of_is_found():
    cells, (one, _) = two_programs()
    named = functions(user_read, do_anonymous_page=lambda vmf: 0)
    found = explore({**MM, **named}, [calls("thread", ("user_read", *one))] * 2, cells=cells)
    assert "no progress: do_anonymous_page said that it was done" in found.bug and found.switches == 0


def test_a_bug_is_not_hidden_by_who_catches_everything():
    def hides(hz):
        try:
            raise current().bug("this must not be")
        except BaseException:
            return 0

    assert explore(functions(hides), [calls("thread", ("hides", HZ))]).bug == "this must not be"
    assert next_step(hides, (HZ,), ()) == ("bug", "this must not be")


def test_what_a_cpu_makes_has_its_number_from_who_made_it():
    cells, (one, other) = two_programs()
    fork = calls("fork", ("dup_mm", one[0]))
    alone = explore(MM, [fork], cells=cells)
    assert any("Mm(1000).mmap" in name and "Vma(1000)" in value for name, value in next(iter(alone.ends)))
    again = explore(MM, [fork, calls("thread", ("dup_mm", other[0]))], cells=cells)
    assert len(again.ends) == 1 and next(iter(alone.ends)) < next(iter(again.ends))


def test_two_children_are_two():
    cells, (one, _) = two_programs()

    def twice(mm):
        assert dup_mm(mm) is not dup_mm(mm)

    assert explore({**MM, **functions(twice)}, [calls("thread", ("twice", one[0]))], cells=cells).bug is None


def test_given_code_that_runs_long_is_believed():
    def long(hz):
        for _ in range(300_000):
            pass
        hz.refcount.inc()

    assert explore(functions(long), [calls("thread", ("long", HZ))]).bug is None
    assert "ran 200,000 lines" in subject("long", long).step((HZ,), ())[1]
