"""Operations as kernel code writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .cells import View
from .handles import KINDS, Field
from .operations import DECLARED
from .running import Cell, cell_name


def in_code(
    cell: Cell,
    verb: str,
    args: tuple[Any, ...],
    name: Callable[[Cell], str] = cell_name,
    value: Callable[[Any], str] = repr,
) -> str:
    """Return one operation as the code that did it reads; *name* and *value* say what cells and values are called."""
    handle, field = cell
    if verb == "new":
        kind, *size = args if args[0] in KINDS else ("Folio", *args)
        return f"alloc_folio({size[0] or ''})" if kind == "Folio" else f"new {kind}"
    if verb == "free":
        return f"free_folio({value(handle)})"
    declared = None if isinstance(field, int) else handle.fields.get(field)
    if isinstance(declared, Field):
        return name(cell) if verb == "read" else f"{name(cell)} = {value(args[0])}"
    view = (handle.slots if isinstance(field, int) else declared and declared.view) or View
    method, given = view.called(verb, args)
    return f"{name(cell)}.{method}({', '.join(map(value, given))})"


def with_result(cell: Cell, verb: str, args: tuple[Any, ...], result: Any) -> str:
    """Return the operation, and what it returned."""
    call = in_code(cell, verb, args)
    return call if verb in DECLARED and DECLARED[verb].silent else f"{call} → {result!r}"
