"""Which line of the student's an exception came from."""

from __future__ import annotations

import linecache
from collections.abc import Container

LETTERS = 120  # of a line that are shown
UNWRITTEN = "is not written yet"


def with_line(error: BaseException, files: Container[str]) -> str:
    """Return what *error* says, and the last line of code in *files* on its way: "… (line 7: vmf.pte.set(1))".

    Where no source is kept of that code, only what it says. Of a helper that is still a stub, its name.
    """
    line, functions, trace = "", [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename in files:
            functions.append(code.co_name)
            if text := linecache.getline(code.co_filename, trace.tb_lineno).strip():
                line = f"line {trace.tb_lineno}: {text[:LETTERS]}"
        trace = trace.tb_next
    if isinstance(error, NotImplementedError) and functions and functions[0] != functions[-1]:
        return f"the helper {functions[-1]}, which {functions[0]} calls, {UNWRITTEN}"
    said = str(error)
    return f"{said} ({line})" if said and line else said or line
