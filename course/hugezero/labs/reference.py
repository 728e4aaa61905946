"""A sheet of the names that a notebook has from the course, by topic, made from their docstrings."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

TOPICS = {  # the modules of each, as they are called below hugezero
    "Folios": ("mm.page_alloc", "hw.ram"),
    "Small entries and their tables": ("mm.pgtable",),
    "Huge entries, and the huge zero folio": ("mm.huge_memory",),
    "An mm, its areas, and a fault": ("mm.mm_types", "mm.mmap", "mm.fault"),
    "Disks": ("block.bio", "block.zeroing"),
    "Locks, counters, the shrinker, the log": ("hw.cpu", "mm.vmstat", "mm.shrinker", "mm.printk", "store.operations"),
    "What a program does": ("scenario.actions", "scenario.storage"),
    "A machine, and experiments with it": ("machine", "scenario.simulated", "labs.experiment"),
}  # fmt: skip
NUMBERS = "Numbers, and what functions return"
OTHERS = "For the notebook"
WIDTH = 100


def _topic(value: object) -> str | None:
    """The topic of something that the course has brought; None for anything else."""
    if isinstance(value, int):
        return NUMBERS
    module = getattr(value, "__module__", None) or ""
    if not module.startswith("hugezero."):
        return None
    short = module.removeprefix("hugezero.")
    return next((topic for topic, modules in TOPICS.items() if short in modules), OTHERS)


def _first_line(value: object) -> str:
    return next(iter((inspect.getdoc(value) or "").splitlines()), "")


def _called(name: str, value: Any) -> str:
    """*name*, with its parameters where it is a function."""
    if not inspect.isfunction(value):
        return name
    return f"{name}({', '.join(inspect.signature(value).parameters)})"


def by_topic(names: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the course has brought into the notebook whose globals are *names*."""
    found: dict[str, dict[str, Any]] = {topic: {} for topic in (*TOPICS, OTHERS, NUMBERS)}
    brought = getattr(sys.modules.get("hugezero.notebook"), "__all__", ())
    for name in filter(names.__contains__, brought):
        if topic := _topic(names[name]):
            found[topic][name] = names[name]
    return {topic: values for topic, values in found.items() if values}


def reference(word: str = "") -> None:
    """Print the names that this notebook has from the course; reference("folio"): those about a folio, each in a line.

    For more about one of them: its name and a question mark, as in alloc_folio?
    """
    topics = by_topic(sys._getframe(1).f_globals)
    if not word:
        for topic, values in topics.items():
            print(textwrap.fill(f"{topic}: {', '.join(values)}", WIDTH, subsequent_indent="    "))
        print('reference("folio") says what each name with that word does; alloc_folio? says all about one.')
        return
    found = {
        name: value
        for topic, values in topics.items()
        if topic != NUMBERS
        for name, value in values.items()
        if word.lower() in f"{name} {_first_line(value)}".lower()
    }
    for name, value in found.items():
        print(textwrap.fill(f"{_called(name, value)}: {_first_line(value)}", WIDTH, subsequent_indent="    "))
    if not found:
        print(f"Nothing here is about {word!r}. reference() prints all names.")
