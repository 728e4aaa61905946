"""Pictures: each is a function from a moment of a log to a drawing, and a widget that only turns the page.

Nothing here is needed to run a machine, and what draws is imported when something is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .charts.cache_line import travel
    from .charts.contention import cycles_chart, lines_chart, throughput_chart
    from .charts.figure import chart
    from .memory.picture import memory_map, timeline
    from .progress_bar import progress
    from .schedules.picture import schedule

__all__ = [
    "chart", "cycles_chart", "lines_chart", "memory_map", "progress", "schedule", "throughput_chart", "timeline", "travel",
]  # fmt: skip
_WHERE = {  # no module is called as a function is: one name, one thing
    "memory_map": "memory.picture",
    "schedule": "schedules.picture",
    "timeline": "memory.picture",
    "chart": "charts.figure",
    "progress": "progress_bar",
    "travel": "charts.cache_line",
    "cycles_chart": "charts.contention",
    "lines_chart": "charts.contention",
    "throughput_chart": "charts.contention",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"hugezero.view has no {name!r}: it has {', '.join(__all__)}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
