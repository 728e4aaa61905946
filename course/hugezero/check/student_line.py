"""Which line of the student's an exception came from."""

from __future__ import annotations

import linecache
from collections.abc import Container

LETTERS = 120  # of a line that are shown


def with_line(error: BaseException, files: Container[str]) -> str:
    """Return what *error* says, and the last line of code in *files* on its way: "… (line 7: vmf.pte.set(1))".

    Where no source is kept of that code, only what it says.
    """
    line, trace = "", error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        text = linecache.getline(name, trace.tb_lineno).strip() if name in files else ""
        if text:
            line = f"line {trace.tb_lineno}: {text[:LETTERS]}"
        trace = trace.tb_next
    said = str(error)
    return f"{said} ({line})" if said and line else said or line
