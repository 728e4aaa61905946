"""What a notebook shows: pages that turn where there is a widget, one page and its text where there is none."""

from __future__ import annotations

from functools import cache
from typing import Any

from .pages import HERE, Pages, still, styles

SCRIPTS = ("page.js", "hand.js", "schedule.js", "picture.js")  # one module to the browser


def shown(made: Pages) -> Any:
    """*made* as a widget, or one page of it where there is none."""
    try:
        widget = _widget_class()
    except ImportError:
        return Still(made)
    return widget(made)


class Still:
    """One page, where widgets are not installed."""

    def __init__(self, made: Pages) -> None:
        self.made = made

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": self.made.text, "text/html": still(self.made)}


@cache
def _widget_class() -> Any:
    """The widget, made when the first picture is: nothing here is needed to run a machine."""
    import anywidget
    import traitlets

    class Picture(anywidget.AnyWidget):
        """Pages of a picture, and which one is open: its `at` counts from the first moment shown."""

        _esm = "".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
        _css = styles()
        parts: Any = traitlets.List().tag(sync=True)
        pages: Any = traitlets.List().tag(sync=True)
        moments: Any = traitlets.List().tag(sync=True)
        rows: Any = traitlets.List().tag(sync=True)
        note = traitlets.Unicode().tag(sync=True)
        source = traitlets.Unicode().tag(sync=True)
        words: Any = traitlets.Dict().tag(sync=True)
        at = traitlets.Int().tag(sync=True)

        def __init__(self, made: Pages) -> None:
            self._made = made
            words = {
                "keys": made.keys,
                "legend": made.legend,
                "name": made.name,
                "hand": made.asked is not None,
                "acts": made.acts,
            }
            super().__init__(
                parts=made.parts, pages=made.pages, moments=made.moments, rows=made.rows,
                note=made.note, source=made.source, words=words, at=made.at,
            )  # fmt: skip

            if made.asked is not None:
                self.on_msg(self._answer)

        def _answer(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
            """The page has asked something."""
            assert self._made.asked is not None
            self.send({"asked": message.get("asked"), **self._made.asked(message)})

        def _repr_mimebundle_(self, **_: Any) -> Any:
            bundle = super()._repr_mimebundle_()
            data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
            return {**data, "text/html": still(self._made), "text/plain": self._made.text}, metadata

    return Picture
