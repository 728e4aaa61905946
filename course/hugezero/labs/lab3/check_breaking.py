"""The open checks of lab 3: two versions to break by hand, and the last guess."""

from __future__ import annotations

from ...check.checks import Failed, check, expect
from ...check.notebook import exercise
from ...explore.byhand import CannotGo
from ...machine import Kernel
from ..actors import GET, SCAN
from ..guesses import expect_letter
from .broken import to_break

BREAK_GET = "break_get_schedule"
BREAK_SCAN = "break_scan_schedule"
IDLE = "predict_idle"

exercise(BREAK_GET, "You now know what one operation too late can do.", in_kernel=False)
exercise(BREAK_SCAN, "You now know why to look and to act must be one operation.", in_kernel=False)
exercise(IDLE, "Your guess is written down. The next cell counts.", in_kernel=False)


def _breaks(name: str, answer: object) -> str:
    """The schedule in *answer* breaks the version that its seed stands for; whose it is, and what went wrong."""
    if not (isinstance(answer, (tuple, list)) and len(answer) == 2):
        raise Failed(
            f"it returned {answer!r}; it should return two things: your seed, and a list of CPU numbers"
        )
    seed, schedule = answer
    if not isinstance(seed, str) or not seed.strip():
        raise Failed(f"the seed is {seed!r}; it should be a text: the one that you gave to to_break")
    right = isinstance(schedule, (tuple, list)) and all(type(cpu) is int for cpu in schedule)
    expect(right, f"the schedule is {schedule!r}; it should be a list of CPU numbers, like [0, 0, 1]")
    expect(len(schedule) <= 100, f"your schedule has {len(schedule)} moves; 100 are more than enough")
    version = to_break(name, seed)
    hand = version.by_hand()
    for n, cpu in enumerate(schedule, 1):
        if hand.bug is not None:
            break
        try:
            hand.go(cpu)
        except CannotGo as wrong:
            raise Failed(f"move {n} of your schedule: {wrong}") from None
    if hand.bug is None:
        able = " and ".join(str(cpu) for cpu in dict.fromkeys(choice.cpu for choice in hand.enabled()))
        how = f"CPU {able} can still go" if able else "everybody has come to an end, and all is well"
        raise Failed(
            f"after the {len(schedule)} moves of your schedule nothing is broken yet: {how}. The seed {seed!r} "
            f"draws {version.function.__name__}",
            "was it that one that you were shown? Play it in the picture above, and ask after each move: what does this CPU believe that is no longer so?",
        )
    return f"the version of {seed.strip()!r} is broken: {hand.bug}"


@check(BREAK_GET, points=1)
def your_schedule_breaks_get(kernel: Kernel) -> str:
    """Your schedule breaks your version of get_huge_zero_folio."""
    return _breaks(GET, kernel.break_get_schedule())


@check(BREAK_SCAN, points=1)
def your_schedule_breaks_scan(kernel: Kernel) -> str:
    """Your schedule breaks your version of shrink_huge_zero_folio_scan."""
    return _breaks(SCAN, kernel.break_scan_schedule())


@check(IDLE, points=1)
def a_guess_about_an_idle_folio(kernel: Kernel) -> None:
    """You committed to a guess: the point is yours, right or wrong."""
    expect_letter(kernel, IDLE)
