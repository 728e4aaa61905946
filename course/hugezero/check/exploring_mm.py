"""For notebooks: some mm_get_huge_zero_folio, on two threads of one mm, under every schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..explore.byhand import ByHand
from ..explore.search import explore
from ..machine import Kernel
from ..mm.mmap import mm_alloc
from .checks import CodeRaised, Failed, NotStarted
from .exploring import Shown
from .mm_stage import MM_GET, all_hold_once, user
from .notebook import open_checks
from .scenes import alive
from .schedules import Explored, expect_every_schedule
from .staged import idle_folio, reclaim
from .subject import subject


def two_threads_of_one_mm(function: Callable[..., Any]) -> Shown:
    """Let two threads of one mm call *function* beside the shrinker, in every order.

    Shows the shortest schedule that goes wrong, or says how much was looked at.
    """
    open_checks()
    with Kernel().booted(pages=64):
        mm = mm_alloc()
    kernel = {MM_GET: subject(MM_GET, function, ("mm",))}
    threads = [user(mm), user(mm), reclaim()]
    law: dict[str, Any] = {"at_end": all_hold_once(mm), "always": alive}
    try:
        found = explore(kernel, threads, idle_folio(), **law)
        expect_every_schedule(
            found, threads, by_hand=lambda: ByHand(kernel, threads, idle_folio(), shared=found.shared, **law)
        )
    except NotStarted:
        return Shown(f"{MM_GET} is not written yet. Come back to this cell when it is.")
    except CodeRaised as raised:
        return Shown(str(raised))
    except Failed as failed:
        why = failed.why if "_" in failed.why.partition(" ")[0] else failed.why[:1].upper() + failed.why[1:]
        return Shown(f"{why}.", failed.picture, failed.schedule)
    return Shown(f"{Explored(**vars(found), cpus=len(threads), story='the mm holds the folio once')}.")
