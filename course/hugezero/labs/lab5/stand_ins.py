"""What an exercise of lab 5 finds in a notebook in place of the other ones of this lab."""

from __future__ import annotations

from ...check.notebook import INSTEAD
from ...mm.huge_memory import HUGE_ZERO
from ...mm.page_alloc import ZERO_PAGE, Folio
from ...mm.printk import CONFIG


def largest_zero_folio() -> Folio:
    """The folio in HUGE_ZERO if it was there before any user, else the zero page."""
    built = CONFIG.PERSISTENT_HUGE_ZERO_FOLIO.test() and HUGE_ZERO.folio.read()
    return built or ZERO_PAGE


INSTEAD["lab5"] = {largest_zero_folio.__name__: largest_zero_folio}
