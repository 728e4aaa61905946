"""One allocation fails, at each point in turn: whatever a kernel makes of it, nothing is lost and no byte is wrong.

Which allocations there are, and in which order, is left to whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hugezero.check.checks import CodeRaised, Failed, expect
from hugezero.machine import Kernel
from hugezero.scenario import Action, Read, Simulated, Write
from hugezero.scenario.compare import bytes_in_words
from hugezero.store import KernelBug

from .at_rest import what_is_wrong
from .programs import Suite, story

NO_MEMORY = ("out of memory", "no such process")


def survives(kernel: Kernel, suite: Suite, program: Iterable[Action], pages: int) -> None:
    """Let each allocation of *program*, and those at boot, find no memory once; what must always hold then holds.

    An action may be given up in which the allocation was; what all the others give is what it would
    be if the one that was given up had not been asked for.
    """
    actions = list(_one_page_at_a_time(program))
    n = tries = 0
    while n <= tries:
        run = Simulated(kernel, pages=pages, log=False, fail=frozenset([n]))
        _run(run, suite, actions, n, pages)
        n, tries = n + 1, run.machine.births.tries


def _run(run: Simulated, suite: Suite, actions: list[Action], n: int, pages: int) -> None:
    right = Simulated(suite.reference, pages=pages, log=False)
    births = run.machine.births
    for done, action in enumerate(actions, start=1):
        where, tell = f"allocation {n} found no memory. ", story(actions[:done])
        before = births.tries
        try:
            seen = run.do(action)
        except KernelBug as bug:
            raise Failed(f"{where}Kernel bug: {bug}", tell) from None
        except CodeRaised as raised:
            raise Failed(f"{where}{raised}", tell) from None
        given_up = seen.seen in NO_MEMORY and (seen.seen != "out of memory" or before <= n < births.tries)
        if not given_up:
            wanted = right.do(action)
            expect(
                seen.seen == wanted.seen,
                f"{where}After {seen.action}: it gave {bytes_in_words(seen.seen)}; it should give "
                f"{bytes_in_words(wanted.seen)}",
                tell,
            )
        if before <= n < births.tries or done == len(actions):  # what has gone wrong stays wrong
            wrong = what_is_wrong(run.machine, suite.counted)
            expect(not wrong, f"{where}After {seen.action}: {(wrong or [''])[0]}", tell)


def _one_page_at_a_time(program: Iterable[Action]) -> Iterator[Action]:
    """The same program; what goes through many pages is one action for each: so each is done, or not at all."""
    for action in program:
        if isinstance(action, Read | Write) and action.length > action.step:
            for offset in range(0, action.length, action.step):
                once = {name: type(action)._field_defaults[name] for name in ("length", "step")}
                yield action._replace(offset=action.offset + offset, **once)
        else:
            yield action
