"""Generated programs: what every kernel gives a program, against a model that is a dictionary of bytes."""

import pytest
from hugezero.machine import Kernel
from hugezero.scenario import Exec, Exit, Fork, Madvise, Mmap, Mprotect, Munmap, Read, Thread, Write, simulate
from hypothesis import given, settings

from autograder.checks.programs import programs
from solutions import lab1_zero_page

KERNELS = {
    "shares nothing": Kernel(),
    "lab 1": Kernel({name: f for name, f in vars(lab1_zero_page).items() if callable(f)}),
}
BASE = 0x200000


class Naive:
    """Memory as a program sees it: for each process a page's bytes and rights; shared pages are one list."""

    def __init__(self):
        self.spaces = {"main": {}}  # page number: [bytearray, writable, shared, what DONTNEED brings back]
        self.areas = {}

    def do(self, action):
        space = self.spaces[action.by]
        match action:
            case Mmap():
                top = max((page for page in space), default=None)
                start = BASE // 4096 if top is None else -(-(top + 1) // 512) * 512
                self.areas[action.area] = start * 4096, action.length
                for n in range(-(-action.length // 4096)):
                    data = (action.data or b"")[n * 4096 : (n + 1) * 4096].ljust(4096, b"\0")
                    space[start + n] = [bytearray(data), True, action.shared, data]
            case Munmap() | Mprotect() | Madvise():
                start, length = self.span(action)
                for page in range(start // 4096, start // 4096 + -(-length // 4096)):
                    if page not in space:
                        continue
                    if isinstance(action, Munmap):
                        del space[page]
                    elif isinstance(action, Mprotect):
                        space[page] = [space[page][0], action.write, *space[page][2:]]
                    elif action.advice == "dontneed" and not space[page][2]:
                        space[page] = [bytearray(space[page][3]), *space[page][1:]]
            case Read():
                start, length = self.span(action)
                return self.read(space, range(start, start + length, action.step))
            case Write():
                start, _ = self.span(action)
                for at in range(start, start + (action.length or 1), action.step):
                    for n, byte in enumerate(action.data):
                        page = space.get((at + n) // 4096)
                        if page is None or not page[1]:
                            return "SIGSEGV"
                        page[0][(at + n) % 4096] = byte
            case Fork():
                self.spaces[action.child] = {
                    page: what if what[2] else [bytearray(what[0]), *what[1:]] for page, what in space.items()
                }
            case Thread():
                self.spaces[action.name] = space
            case Exec():
                self.spaces[action.by] = {}
            case Exit():
                del self.spaces[action.by]
        return None

    def span(self, action):
        address, size = self.areas[action.area]
        return address + action.offset, action.length or size - action.offset

    def read(self, space, addresses):
        runs = []
        for at in addresses:
            if at // 4096 not in space:
                return "SIGSEGV"
            byte = space[at // 4096][0][at % 4096]
            if runs and runs[-1][0] == byte:
                runs[-1] = byte, runs[-1][1] + 1
            else:
                runs.append((byte, 1))
        return runs


@pytest.mark.parametrize("name", KERNELS)
@given(program=programs(size=16))
def test_every_program_reads_what_it_wrote(name, program):
    model = Naive()
    expected = [model.do(action) for action in program]
    assert [each.seen for each in simulate(program, KERNELS[name], pages=1024, log=False)] == expected


@pytest.mark.parametrize("name", KERNELS)
@settings(max_examples=60)
@given(program=programs(size=12, huge=True))
def test_huge_pages_change_nothing_that_a_program_reads(name, program):
    model = Naive()
    expected = [model.do(action) for action in program]
    assert [each.seen for each in simulate(program, KERNELS[name], pages=1 << 15, log=False)] == expected


def test_huge_pages_are_used_where_they_were_asked_for():
    size = 2 << 20
    program = [Mmap("a", 2 * size), Madvise("a", "hugepage"), Read("a", 0, 2 * size), Munmap("a", 4096, 4096)]
    *_, read, cut = simulate(program, Kernel(), log=False)
    assert (read.faults["main"], read.rss["main"], read.vmstat["thp_fault_alloc"]) == (2, 1024, 2)
    assert (cut.rss["main"], cut.vmstat["thp_split_pmd"]) == (1023, 1)
