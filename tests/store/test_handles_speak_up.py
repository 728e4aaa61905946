"""Where plain Python would be quietly wrong, a handle says so, and says what to write instead."""

import contextlib

import pytest
from hugezero.machine import Kernel
from hugezero.mm.mm_types import Mm, Vma
from hugezero.mm.page_alloc import ZERO_PAGE, Folio, alloc_folio, folio_put
from hugezero.store import Handle, KernelBug, Mutable, NoMachine, NotThere


@pytest.fixture
def mm():
    with Kernel().booted(pages=8):
        yield Mm(1)


@pytest.mark.parametrize(
    "use",
    [
        lambda cell: bool(cell),
        lambda cell: not cell,
        lambda cell: cell == 0,
        lambda cell: cell != 0,
        lambda cell: cell + 1,
        lambda cell: 1 - cell,
        lambda cell: cell < 2,
        lambda cell: cell & 1,
        lambda cell: int(cell),
        lambda cell: list(cell),
        lambda cell: range(cell),
        lambda cell: 1 in cell,
    ],
)
def test_a_cell_that_is_used_for_what_it_holds_says_read(mm, use):
    with pytest.raises(TypeError, match=r"write Mm\(1\)\.rss\.read\(\)"):
        use(mm.rss)


def test_a_misspelt_field_is_named_with_the_one_that_was_meant(mm):
    with pytest.raises(NotThere, match=r"no field 'rrs': did you mean rss\?"):
        mm.rrs.inc()
    with pytest.raises(NotThere, match="did you mean mmap"):
        mm.mmpa = ()


def test_assigning_to_a_cell_with_operations_says_which_there_are(mm):
    with pytest.raises(
        TypeError, match=r"Mm\(1\)\.rss = … .* \.inc\(\), \.dec\(\), \.add\(\), \.set\(\) change it"
    ):
        mm.rss = 3


@pytest.mark.parametrize("value", [[1], {1: 2}, {1}, bytearray(b"x"), object(), (1, [2])])
def test_a_value_that_could_change_is_refused_when_it_is_set(mm, value):
    with pytest.raises(Mutable, match="can change without the machine seeing it"):
        mm.mmap = value
    with pytest.raises(Mutable):
        mm.rss.set(value)
    with pytest.raises(Mutable):
        mm.rss.cmpxchg(0, value)
    assert mm.mmap == () and mm.rss.read() == 0


def test_a_number_with_a_point_says_how_to_divide(mm):
    with pytest.raises(Mutable, match=r"0\.5 is a float, and a kernel has none: .* divide with //"):
        mm.rss.set(1 / 2)


def test_except_exception_does_not_hide_a_kernel_bug():
    with Kernel().booted(pages=8) as machine:
        folio = alloc_folio()
        folio_put(folio)
        with pytest.raises(
            KernelBug, match=r"Folio\(0x200\) was used after it was freed \(CPU 0: .*refcount"
        ):
            try:
                folio.refcount.inc()
            except Exception:
                pytest.fail("a kernel bug was swallowed")
        with contextlib.suppress(BaseException):
            folio_put(folio)
    assert [bug.what for bug in machine.bugs] == [
        "Folio(0x200) was used after it was freed",
        "Folio(0x200) was used after it was freed",
    ]


@pytest.mark.parametrize(
    ("do", "what"),
    [
        (lambda folio: (folio_put(folio), folio_put(folio)), "used after it was freed"),
        (lambda folio: folio_put(ZERO_PAGE), "must live for ever"),
        (lambda folio: ZERO_PAGE.data.store(0, b"x"), "must stay zero"),
        (lambda folio: ZERO_PAGE.data.clear(), "must stay zero"),
        (
            lambda folio: (folio.refcount.set(0), folio.refcount.dec_and_test()),
            "a count of 0 was decremented",
        ),
    ],
)
def test_what_a_kernel_must_never_do_is_a_kernel_bug(do, what):
    with Kernel().booted(pages=8), pytest.raises(KernelBug, match=what):
        do(alloc_folio())


def test_a_frame_that_is_handed_out_again_is_another_folio():
    with Kernel().booted(pages=1):
        old = alloc_folio()
        folio_put(old)
        new = alloc_folio()
        assert new.pfn == old.pfn and new is not old and new != old
        new.refcount.inc()
        with pytest.raises(KernelBug, match="after it was freed"):
            old.refcount.inc()


def test_two_handles_of_one_thing_are_one_object():
    assert Folio((7, 0, 1)) is Folio((7, 0, 1))
    assert Folio((7, 0, 1)) is not Folio((7, 0, 2))
    assert Mm(1) is not Vma(1)


def test_looking_at_a_handle_from_outside_is_no_operation():
    """Not even what a notebook does for Tab and for `?`."""
    from IPython.core.completer import provisionalcompleter
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    with Kernel().booted(pages=8) as machine:
        shell.user_ns["vma"] = Vma(1)
        assert repr(Vma(1)) == "Vma(1)" and "vm_flags" in dir(Vma(1))
        with provisionalcompleter():
            assert "vm_flags" in {
                found.text.lstrip(".") for found in shell.Completer.completions("vma.vm_f", 8)
            }
        assert "VM_READ" in shell.object_inspect("vma.vm_flags")["docstring"]
        assert machine.log == []


def test_a_field_keeps_its_docstring_for_the_inspector():
    assert Mm.rss.__doc__ == "resident set: pages of real memory mapped here"


def test_without_a_machine_kernel_code_is_told_to_boot_one():
    with pytest.raises(NoMachine, match="Boot one first"):
        Mm(1).rss.inc()


def test_indexing_something_without_entries_names_its_fields(mm):
    with pytest.raises(TypeError, match="has no entries: its fields are"):
        mm[3]


def test_every_field_has_words_that_explain_it():
    from hugezero.store import KINDS

    undocumented = [
        f"{kind.__name__}.{name}"
        for kind in KINDS.values()
        if kind.__module__.startswith("hugezero.")
        for name, field in kind.fields.items()
        if not field.__doc__
    ]
    assert undocumented == [] and issubclass(Mm, Handle)
