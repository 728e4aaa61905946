"""How far something has got."""

from __future__ import annotations

from collections.abc import Callable


def progress(what: str) -> Callable[[int, int], None]:
    """A function to be told (done, all): shows a bar in a notebook, and a line for each tenth elsewhere.

    *what* is counted: progress("pages read"). In the end one line of text stays, which a saved notebook keeps.
    """
    return _bar(what) if _in_notebook() else _lines(what)


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None


def _words(done: int, total: int, what: str) -> str:
    return f"{done:,} of {total:,} {what}"


def _lines(what: str) -> Callable[[int, int], None]:
    tenth = -1

    def told(done: int, total: int) -> None:
        nonlocal tenth
        now = done * 10 // total if total else 10
        if now != tenth:
            tenth = now
            print(_words(done, total, what), flush=True)

    return told


def _bar(what: str) -> Callable[[int, int], None]:
    try:
        from ipywidgets import HBox, IntProgress, Label
    except ImportError:
        return _lines(what)
    from IPython.display import display

    bar = label = handle = None

    def told(done: int, total: int) -> None:
        nonlocal bar, label, handle
        words = _words(done, total, what)
        if bar is None:
            bar, label = IntProgress(max=total), Label()
            handle = display(HBox([bar, label]), display_id=True)
        bar.value, bar.max, label.value = done, total, words
        if done >= total and handle is not None:  # a saved notebook has no widget, but it has the last line
            handle.update({"text/plain": words}, raw=True)
            bar = None

    return told
