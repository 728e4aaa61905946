"""The smallest program that still shows a difference: what can be left out is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hugezero.check.checks import Failed, Inconclusive
from hugezero.scenario import Action, Fork, Mmap, NotAScenario, Read, Thread, Write

RUNS = 100  # of smaller programs, at most
Step = tuple[Action, ...]
Try = Callable[[list[Action]], None]
FORGETS = "is there anything that your function keeps from one call to the next?"


def fail_with_the_smallest(look: Try, steps: Sequence[Step], together: bool) -> None:
    """Let *look* fail with the fewest of *steps*; actions of one step stay *together*, or may go one by one.

    *look* raises Failed for a program that shows a difference; *steps* is such a program.
    """
    shrinking = _Shrinking(look, [action for step in steps for action in step])
    steps = list(steps) if together else [(action,) for step in steps for action in step]
    for size in (len(steps) // 4, 1, 1):
        steps = shrinking.without_blocks(steps, max(1, size))
    shrinking.simpler(steps)
    last = shrinking.failed
    try:
        look(shrinking.smallest)
    except Failed as again:
        raise again from None
    raise Failed(
        "it acts differently when it is run again with the same arguments on the same machine", FORGETS
    ) from last


class _Shrinking:
    """What was tried, and the smallest program that failed."""

    def __init__(self, look: Try, program: list[Action]) -> None:
        self.look, self.left, self.smallest = look, RUNS, program
        self.failed: Failed | None = None

    def fails(self, steps: Sequence[Step]) -> bool:
        """Does this program show a difference?"""
        if not self.left:
            return False
        self.left -= 1
        actions = [action for step in steps for action in step]
        try:
            self.look(actions)
        except NotAScenario:
            return False
        except Inconclusive:
            raise
        except Failed as failed:
            self.smallest, self.failed = actions, failed
            return True
        return False

    def without_blocks(self, steps: list[Step], size: int) -> list[Step]:
        """Leave out *size* steps at a time, from the last to the first."""
        end = len(steps)
        while end > 0:
            smaller = without(steps, max(0, end - size), end)
            if smaller and self.fails(smaller):
                steps = smaller
            end = min(end - size, len(steps))
        return steps

    def simpler(self, steps: list[Step]) -> None:
        """Read and write once, where going through many pages is not needed."""
        for n, step in enumerate(steps):
            once = tuple(_once(action) for action in step)
            if once != step and self.fails([*steps[:n], once, *steps[n + 1 :]]):
                steps = [*steps[:n], once, *steps[n + 1 :]]


def _once(action: Action) -> Action:
    if isinstance(action, Read | Write):
        plain = type(action)._field_defaults
        return action._replace(length=plain["length"], step=plain["step"])
    return action


def without(steps: Sequence[Step], first: int, last: int) -> list[Step]:
    """*steps* without those from *first* to before *last*, and without whatever needs them."""
    gone: set[str] = set()
    for step in steps[first:last]:
        gone |= _makes(step)
    kept = list(steps[:first])
    for step in steps[last:]:
        if any(_needs(action) & gone for action in step):
            gone |= _makes(step)
        else:
            kept.append(step)
    return kept


def _makes(step: Step) -> set[str]:
    """The areas and processes that begin here: no area is called as a process is."""
    made = set()
    for action in step:
        if isinstance(action, Mmap):
            made.add(action.area)
        elif isinstance(action, Fork):
            made.add(action.child)
        elif isinstance(action, Thread):
            made.add(action.name)
    return made


def _needs(action: Action) -> set[str]:
    return {action.by, getattr(action, "area", action.by)} - _makes((action,))
