"""Pictures: each is a function from a moment of a log to a drawing, and a widget that only turns the page.

Nothing here is needed to run a machine, and what draws is imported when something is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bar import progress
    from .bounce import cycles_chart, lines_chart, throughput_chart
    from .figure import chart
    from .moving import travel
    from .widget import memory_map, schedule, timeline

__all__ = [
    "chart", "cycles_chart", "lines_chart", "memory_map", "progress", "schedule", "throughput_chart", "timeline", "travel",
]  # fmt: skip
_WHERE = {  # no module is called as a function is: one name, one thing
    "memory_map": "widget",
    "schedule": "widget",
    "timeline": "widget",
    "chart": "figure",
    "progress": "bar",
    "travel": "moving",
    "cycles_chart": "bounce",
    "lines_chart": "bounce",
    "throughput_chart": "bounce",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"hugezero.view has no {name!r}: it has {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
