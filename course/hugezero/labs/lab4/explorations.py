"""For notebooks: some mm_get_huge_zero_folio, on two threads of one mm, under every schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...check.exploration import Shown, shown
from ...check.function_under_test import subject
from ...machine import Kernel
from ...mm.mmap import mm_alloc
from .. import open_checks
from ..actors import reclaim
from ..fixtures import idle_folio
from ..laws import alive
from .fixtures import MM_GET, all_hold_once, user


def two_threads_of_one_mm(function: Callable[..., Any]) -> Shown:
    """Let two threads of one mm call *function* beside the shrinker, in every order.

    Shows the shortest schedule that goes wrong, or says how much was looked at.
    """
    open_checks()
    with Kernel().booted(pages=64):
        mm = mm_alloc()
    kernel = {MM_GET: subject(MM_GET, function)}
    threads = [user(mm), user(mm), reclaim()]
    return shown(
        kernel,
        threads,
        idle_folio(),
        at_end=lambda peek: all_hold_once(peek, mm),
        always=alive,
        story="the mm holds the folio once",
        what=MM_GET,
    )
