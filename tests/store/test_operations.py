"""An operation declares itself: what it says of itself is so, and there are words for it wherever it is shown."""

import inspect
from typing import get_type_hints

import hugezero.machine
import pytest
from hugezero.hw.ram import ZEROES, Contents
from hugezero.mm.page_alloc import Folio
from hugezero.mm.vmstat import VMSTAT
from hugezero.scenario import Simulated
from hugezero.store import (
    DECLARED,
    NOTHING,
    OPERATIONS,
    Asked,
    Counter,
    Done,
    Entry,
    Flag,
    KernelBug,
    Lock,
    Stop,
    View,
    Words,
    default_of,
    in_code,
    operation,
)
from hugezero.view.memory.sentence import sentence
from hugezero.view.moments import Film, State
from hugezero.view.words import code

CELL = VMSTAT, "pgfault"  # any cell will do where no machine is asked
EVERY = pytest.mark.parametrize("declared", DECLARED.values(), ids=DECLARED)


def kinds_of(view=View):
    """*view* and all views that are made of it, as far as they can be used."""
    return [view, *(each for one in view.__subclasses__() for each in kinds_of(one))]


VIEWS = pytest.mark.parametrize(
    "view", [view for view in kinds_of() if view.__module__.startswith("hugezero.") and view is not Entry]
)  # of Entry itself there are none: it does not know what to refuse


def arguments(function, value=None):
    """Arguments that fit the annotations of *function*, but for its first parameter; *value* for those that take any."""
    hints = get_type_hints(function)
    fits = {int: 1, bytes: b"x", Contents: ZEROES}
    return tuple(fits.get(hints[name], value) for name in list(inspect.signature(function).parameters)[1:])


def fitting(view):
    """A value that cells of this kind may hold."""
    return True if issubclass(view, Flag) else 1 if issubclass(view, Counter) else None


def holds(declared):
    """Values of a cell on which the operation can be tried."""
    hint = next(iter(get_type_hints(declared.apply).values()))
    fits = {int: (1, 2), bool: (False, True), str: ("live",), Contents: (ZEROES, Contents(fill=1))}
    return fits.get(hint, ((),) if "tuple" in str(hint) else (None, 1))


def done_by(view, method, args):
    """The operations that a method asks for: one, as nobody answers."""
    asked = []

    def ask(*what):
        asked.append(what)
        raise Stop

    with Asked(ask), pytest.raises(Stop):
        getattr(view(CELL), method)(*args)
    return asked


@EVERY
def test_what_is_called_is_what_is_declared(declared):
    assert OPERATIONS.keys() == DECLARED.keys()
    assert OPERATIONS[declared.name] is declared.apply
    assert declared.arity == len(arguments(declared.apply))


@EVERY
def test_an_operation_is_silent_if_its_function_gives_nothing(declared):
    _, gives = get_type_hints(declared.apply)["return"].__args__
    assert declared.silent == (gives is None)


@EVERY
def test_what_does_not_write_leaves_the_cell_as_it_was(declared):
    args = arguments(declared.apply)
    for old in holds(declared):
        if not declared.writes:
            assert declared.apply(old, *args)[0] is old


@EVERY
def test_those_that_commute_do(declared):
    if declared.commutes:
        for old in holds(declared):
            one, other = (declared.apply(declared.apply(old, a)[0], b)[0] for a, b in ((3, 5), (5, 3)))
            assert one == other


@EVERY
def test_who_need_not_wait_can_go_on(declared):
    if declared.waits:
        for old in holds(declared):
            try:
                declared.apply(old, *arguments(declared.apply))
            except KernelBug:
                assert declared.waits(old)
            else:
                assert not declared.waits(old)


@EVERY
def test_a_row_of_a_schedule_has_words_for_whatever_it_gave(declared):
    said = {
        result: declared.words.gave(arguments(declared.apply), result, f"→ {result}")
        for result in (None, False, True)
    }
    assert all(isinstance(words, str) for words in said.values())
    if declared.reads != "nothing" and not declared.words.program:  # what a program reads are bytes
        assert said[True].startswith("→ True") and said[False].startswith("→ False")
    assert declared.words.does


@VIEWS
def test_each_verb_of_a_view_is_an_operation_and_is_told_as_the_method_that_does_it(view):
    for verb in view.verbs:
        declared = DECLARED[verb]
        ways = {(1,), (-1,), (3,)} if verb == "add" else {arguments(declared.apply, fitting(view))}
        for args in {*ways, *({(True,), (False,)} if verb == "set" and issubclass(view, Flag) else ())}:
            method, given = view.called(verb, args)
            assert len(args) == declared.arity
            assert hasattr(view, method), f"{view.__name__} has no {method}(), as which {verb} would be told"
            assert done_by(view, method, given) == [(CELL, verb, args)]


@VIEWS
def test_each_method_of_a_view_does_an_operation_that_the_view_names(view):
    for name, method in inspect.getmembers(view, inspect.isfunction):
        if name.startswith("_") or name in ("called", "refuses"):
            continue
        ((_, verb, args),) = done_by(view, name, arguments(method, fitting(view)))
        assert verb in view.verbs and len(args) == DECLARED[verb].arity, f"{view.__name__}.{name}"


@pytest.mark.parametrize("verb", Lock.verbs)
def test_each_verb_of_a_lock_says_what_becomes_of_the_lock(verb):
    assert DECLARED[verb].words.lock


@pytest.mark.parametrize("verb", [*Folio.fields["data"].view.verbs, "free"])
def test_the_memory_map_has_a_sentence_for_all_that_is_done_to_a_folio(verb):
    film = Film(Simulated(hugezero.machine.Kernel()))
    declared, cell = DECLARED[verb], (Folio((0x80, 0, 0)), "state" if verb == "free" else "data")
    args = arguments(declared.apply)
    old = "live" if verb == "free" else default_of(cell)
    done = Done(0, cell, verb, args, old, *declared.apply(old, *args))
    said = sentence(film, State(film.machine.cells), done)
    assert said and code(done) not in said


def test_an_operation_without_words_cannot_be_declared():
    def twice(old: int) -> tuple[int, None]:
        return 2 * old, None

    with pytest.raises(TypeError, match="words"):
        operation(reads="nothing", writes=True)(twice)
    with pytest.raises(TypeError, match="gave"):
        operation(words=Words(), reads="nothing", writes=True)(twice)
    assert "twice" not in DECLARED


def test_a_new_operation_is_one_place():
    @operation(words=NOTHING, reads="nothing", writes=True)
    def twice(old: int, times: int) -> tuple[int, None]:
        return old * 2**times, None

    try:
        assert DECLARED["twice"].arity == 1 and DECLARED["twice"].accesses == "w"
        assert OPERATIONS["twice"](3, 2) == (12, None)
        assert str(Done(0, CELL, "twice", (2,), 3, 12, None)) == in_code(CELL, "twice", (2,))
    finally:
        del DECLARED["twice"], OPERATIONS["twice"]
