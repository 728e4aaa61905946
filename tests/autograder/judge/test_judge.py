"""Law 4: the verdict is made outside the student's process. What the judge believes, and what it does not."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from hugezero.check.checks import CodeRaised, Failed
from hugezero.check.function_under_test import FunctionUnderTest
from hugezero.machine import Kernel
from hugezero.mm.mm_types import Mm
from hugezero.mm.pgtable import PmdTable
from hugezero.remote import messages
from hugezero.remote.answering import serve
from hugezero.store import KERNEL, Atomic, Counter, Flag, Handle, KernelBug, Slot, record

from autograder.judge.channel import Channel, ProtocolBroken, Unanswered
from autograder.judge.remote_function import RemoteFunction, StudentProcess
from autograder.judge.validation import Given


class Jar(Handle):
    """Something to put numbers into."""

    __slots__ = ()
    slots = Slot
    count = Atomic(0, "how many", Counter)
    shut = Atomic(False, "is it shut?", Flag)
    lid = Atomic(None, "what is on it")


def fill(jar: Any, n: Any) -> Any:
    jar.count.add(n)
    return jar.count.read()


Ask = Callable[[Callable[..., Any]], Callable[..., Any]]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Makes a function one that answers from a process of its own."""
    opened: list[tuple[StudentProcess, socket.socket, int]] = []

    def start(function: Callable[..., Any]) -> Callable[..., Any]:
        path = f"\0hugezero-test-{os.getpid()}-{len(opened)}"
        door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        door.bind(path)
        door.listen()
        pid = os.fork()
        if pid == 0:
            door.close()
            try:
                serve({"fill": function}, path)
            finally:
                os._exit(0)
        process = StudentProcess(lambda: Channel(door.accept()[0]))
        process.__enter__()
        opened.append((process, door, pid))
        return FunctionUnderTest("fill", RemoteFunction(process, "fill", ()))

    yield start
    for process, door, pid in opened:
        door.close()
        process.__exit__()
        os.waitpid(pid, 0)


def test_a_call_is_carried_out_on_the_judges_machine(ask: Ask) -> None:
    remote = ask(fill)
    with Kernel().booted() as machine:
        assert remote(Jar(1), 3) == 3
        assert remote(Jar(1), 4) == 7
        assert machine.peek((Jar(1), "count")) == 7
    assert [str(done) for done in machine.log][:1] == ["Jar(1).count.add(3)"]


def test_what_it_raises_comes_back_by_name(ask: Ask) -> None:
    remote = ask(lambda jar, n: 1 // 0)
    with Kernel().booted(), pytest.raises(CodeRaised, match="fill raised ZeroDivisionError"):
        remote(Jar(1), 3)


def test_a_bug_in_the_kernel_ends_the_call_and_the_next_one_is_answered(ask: Ask) -> None:
    def take(jar: Any, n: Any) -> Any:
        try:
            return jar.count.dec_and_test() if n else "fine"
        except BaseException:  # the stop goes on all the same
            return "hidden"

    remote = ask(take)
    with Kernel().booted(), pytest.raises(KernelBug, match="decremented"):
        remote(Jar(2), 1)
    with Kernel().booted():
        assert remote(Jar(2), 0) == "fine"


def test_code_that_cannot_be_stopped_is_told_so(ask: Ask) -> None:
    def never(jar: Any, n: Any) -> Any:
        while True:
            with contextlib.suppress(BaseException):
                jar.count.dec_and_test()

    remote = ask(never)
    with Kernel().booted(), pytest.raises(KernelBug):
        remote(Jar(2), 1)
    with Kernel().booted(), pytest.raises(Failed, match="catches every exception"):
        remote(Jar(2), 0)


def test_a_replay_gives_the_next_operation_and_then_the_end(ask: Ask) -> None:
    remote: Any = ask(fill)
    first = (Jar(1), "count"), "add", (3,)
    assert remote.step((Jar(1), 3), ()) == ("op", *first)
    assert remote.step((Jar(1), 3), ((*first, None),)) == ("op", (Jar(1), "count"), "read", ())
    log = ((*first, None), ((Jar(1), "count"), "read", (), 9))
    assert remote.step((Jar(1), 3), log) == ("return", 9)


def test_a_replay_that_goes_another_way_is_told_so(ask: Ask) -> None:
    remote: Any = ask(fill)
    kind, told = remote.step((Jar(1), 3), (((Jar(1), "count"), "read", (), 0),))
    assert kind == "bug" and "acts differently when it is run again" in told


def test_calls_that_end_differently_the_second_time_are_told_so(ask: Ask) -> None:
    seen: list[int] = []

    def forgetful(jar: Any, n: Any) -> Any:
        seen.append(n)
        return len(seen)

    remote: Any = ask(forgetful)
    with Kernel().booted():
        remote(Jar(1), 3)
    with pytest.raises(Failed, match="acts differently when it is run again"):
        remote.asked_again()


def test_a_right_answer_is_the_same_when_asked_again(ask: Ask) -> None:
    remote: Any = ask(fill)
    with Kernel().booted():
        remote(Jar(1), 3)
    remote.asked_again()


WRONG: dict[str, tuple[Callable[..., Any], str]] = {
    "a handle from nowhere": (lambda jar, n: Jar(77).count.read(), "it was never given Jar(77)"),
    "nothing new of that kind": (
        lambda jar, n: _op((KERNEL, "objects"), "new", ("Jar",)),
        "cannot make a new Jar",
    ),
    "a value that is none": (lambda jar, n: _op((jar, "lid"), "set", (1.5,)), "a cell cannot hold that"),
    "no number for a counter": (lambda jar, n: jar.count.set("x"), "only a whole number"),
    "no bit for a flag": (lambda jar, n: _op((jar, "shut"), "set", (2,)), "only True or False"),
    "an operation that it has not": (
        lambda jar, n: _op((jar, "shut"), "add", (2,)),
        "there is no Jar(1).shut.add",
    ),
    "an operation with too much": (lambda jar, n: _op((jar, "count"), "read", (2,)), "with 1 values"),
    "a field that it has not": (lambda jar, n: _op((jar, "colour"), "read", ()), "has no field 'colour'"),
    "freeing what is no page": (
        lambda jar, n: _op((jar, "count"), "free", ()),
        "there is no Jar(1).count.free",
    ),
}


def _op(cell: Any, verb: str, args: tuple[Any, ...]) -> Any:
    from hugezero.store import current

    return current().op(cell, verb, args)


@pytest.mark.parametrize("what", WRONG)
def test_an_operation_that_makes_no_sense_is_told_to_the_student(ask: Ask, what: str) -> None:
    function, why = WRONG[what]
    remote = ask(function)
    with Kernel().booted(), pytest.raises(Failed) as failed:
        remote(Jar(1), 3)
    assert why in str(failed.value)


def test_what_was_found_in_a_cell_may_be_used(ask: Ask) -> None:
    remote = ask(lambda jar, n: jar.lid.read().count.read())
    with Kernel().booted():
        Jar(1).lid.set(Jar(2))
        Jar(2).count.set(6)
        assert remote(Jar(1), 3) == 6


def test_entries_and_views_can_be_passed_and_given_back(ask: Ask) -> None:
    remote = ask(lambda slot, n: (slot.xchg(n), slot))
    with Kernel().booted():
        Jar(1)[5].set(1)
        assert remote(Jar(1)[5], 8) == (1, Jar(1)[5])
        assert Jar(1)[5].read() == 8


def test_a_value_that_the_machine_has_no_word_for_equals_nothing(ask: Ask) -> None:
    class Yes(int):
        __eq__ = lambda self, other: True  # type: ignore[assignment] # noqa: E731
        __hash__ = int.__hash__

    remote = ask(lambda jar, n: Yes() if n else 1.5)
    with Kernel().booted():
        for n in (0, 1):
            found = remote(Jar(1), n)
            assert found != 5
            assert found != 1.5
    assert repr(found) == "<Yes>"
    assert found != messages.Other("Yes")


def _talk(answer: bytes) -> Any:
    """What the judge makes of *answer*."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    port = Channel(ours)
    port.process = None  # it is this one
    theirs.send(answer)
    try:
        return port.ask(messages.Look(0, "fill", 0))
    finally:
        ours.close()
        theirs.close()


LIES = {
    "noise": b"\x00\xff",
    "a verdict": msgspec.msgpack.encode({"type": "verdict", "n": 1, "points": 4}),
    "an answer with points": msgspec.msgpack.encode({"type": "return", "n": 1, "value": 5, "points": 4}),
    "another question's": messages.encode(messages.Return(2, 5)),
    "very deep": msgspec.msgpack.encode({"type": "return", "n": 1, "value": 0}).replace(b"\x00", b"\x91" * 60000 + b"\x00"),
    "a number beyond all bounds": b"\x83\xa4type\xa6return\xa1n\x01\xa5value\xcf" + b"\xff" * 7,
}  # fmt: skip


@pytest.mark.parametrize("what", LIES)
def test_what_is_no_answer_is_a_foul(what: str) -> None:
    with pytest.raises(ProtocolBroken):
        _talk(LIES[what])


def test_the_protocol_has_no_word_for_a_verdict() -> None:
    words = {
        name for kind in messages.Answer.__args__ for name in (kind.__name__.lower(), *kind.__struct_fields__)
    }
    assert words == {
        "args", "cell", "complaint", "habits", "hint", "kind", "looks", "n", "op", "raise", "return", "stopped", "text",
        "value", "verb",
    }  # fmt: skip


def test_a_process_that_ends_is_unanswered(ask: Ask) -> None:
    remote = ask(lambda jar, n: signal.raise_signal(signal.SIGKILL))
    with Kernel().booted(), pytest.raises(Unanswered, match="ended the whole process"):
        remote(Jar(1), 3)


@record
class Pair(tuple[Any, ...]):
    """A record of two, for the wire."""

    def __new__(cls, *parts: Any) -> Pair:
        if len(parts) != 2:
            raise TypeError("two")
        return super().__new__(cls, parts)


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, -(2**63), 2**63 - 1, "", "élan", b"\x00\xff", Jar(1), Jar((1, 2)), Jar(1).count, Jar(1)[3],
     (), (1, (2, ("x",))), [1, Jar(2)], Pair(1, Jar(1))],
)  # fmt: skip
def test_every_value_of_the_machine_comes_through_as_it_was(value: Any) -> None:
    back = messages.unpack(
        messages.answer.decode(messages.encode(messages.Return(1, messages.pack(value)))).value
    )
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("value", [1.5, {}, {1}, 2**63, object(), "\ud800", len, Jar, (1, 1.5)])
def test_any_other_value_comes_through_as_something_else(value: Any) -> None:
    packed = messages.pack(value)
    back = messages.unpack(messages.answer.decode(messages.encode(messages.Return(1, packed))).value)
    assert back != value


@pytest.mark.parametrize(
    "packed", [messages.Ref("Nobody", 1), messages.Parts("Pair", (1,)), messages.Parts("Nobody", ())]
)
def test_what_does_not_exist_is_unknown(packed: Any) -> None:
    with pytest.raises(messages.Unknown):
        messages.unpack(packed)


def test_who_has_an_address_space_has_its_entries_its_deposits_and_what_cpus_remember_of_it() -> None:
    given = Given(frozenset([Mm(7)]))
    for kind in ("PmdTable", "Deposits", "Tlb"):
        assert given.find(messages.Ref(kind, 7)).id == 7
        with pytest.raises(messages.Unknown):
            given.find(messages.Ref(kind, 8))
    place = Given(frozenset())
    place.learn(PmdTable(7)[0])  # the place of an entry
    assert place.find(messages.Ref("Deposits", 7)).id == 7
