"""A matplotlib figure as a picture that stays: text and lines in the colours of the page, and what it says in words."""

from __future__ import annotations

import re
import sys
from html import escape
from io import BytesIO, StringIO
from typing import Any

INK, GRID = "#000000", "#b0b0b0"  # matplotlib's text and axes, and its grid
# Its colours, and what stands for each on a light page and on a dark one.
COLOURS = {
    "#1f77b4": ("#0969da", "#58a6ff"),
    "#ff7f0e": ("#bc4c00", "#f0883e"),
    "#2ca02c": ("#1a7f37", "#56d364"),
    "#d62728": ("#8250df", "#bc8cff"),
    "#9467bd": ("#bf3989", "#f778ba"),
    "#8c564b": ("#57606a", "#a9b1ba"),
}
LIGHT, DARK = (
    "".join(f"--hz-c{n}:{both[theme]};" for n, both in enumerate(COLOURS.values())) for theme in (0, 1)
)
STYLE = (
    f".hz-chart{{max-width:760px;margin:4px;color:var(--jp-content-font-color0,#1f2328);--hz-line:#d0d7de;{LIGHT}}}"
    f'[data-jp-theme-light="false"] .hz-chart{{color:#e6edf3;--hz-line:#3d444d;{DARK}}}'
    ".hz-chart svg{max-width:100%;height:auto}.hz-chart svg text{fill:currentColor}"
    ".hz-chart details{font-size:12px;margin:0 4px}.hz-chart pre{margin:4px 0;color:inherit;background:none}"
)


def chart(figure: Any, *, alt: str, text: str) -> Chart:
    """*figure*, drawn once, with *alt* (what there is to see) and *text* (its numbers, as lines).

    All charts look alike, and follow the page's theme: black becomes its ink, and each of matplotlib's first six
    colours one of its own. So leave colours at their defaults, and tell lines and bars apart by dashes, markers and
    names as well. Bars are pale and have an edge; the frame's upper and right side are left out. The number of the
    lab stands in a corner, where a notebook says which one it is.
    """
    for name, words in (("alt", alt), ("text", text)):
        if not words.strip():
            raise ValueError(
                f"chart({name}=''): say in words what the picture shows, for those who do not see it"
            )
    for axes in figure.axes:
        _style(axes)
    if (lab := _lab()) is not None:
        figure.text(1, 0, f"lab {lab}", ha="right", va="bottom", fontsize=8, alpha=0.75)
    svg = _svg(figure).replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)
    made = Chart(svg, _png(figure), alt, text)
    import matplotlib.pyplot as plt

    plt.close(figure)  # or the notebook shows it a second time
    return made


class Chart:
    """A figure that was drawn."""

    def __init__(self, svg: str, png: bytes, alt: str, text: str) -> None:
        self.svg, self.png, self.alt, self.text = svg, png, alt, text

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        from base64 import b64encode

        html = (
            f'<div class="hz-chart"><style>{STYLE}</style>{self.svg}'
            f"<details><summary>The same in numbers</summary><pre>{escape(self.text)}</pre></details></div>"
        )
        png = b64encode(self.png).decode("ascii")
        return {"text/html": html, "image/png": png, "text/plain": f"{self.alt}\n\n{self.text}"}, {
            "image/png": {"alt": self.alt}
        }

    def __repr__(self) -> str:
        return f"{self.alt}\n\n{self.text}"


def _style(axes: Any) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.container import BarContainer

    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    axes.tick_params(length=3)
    bars = [each for each in axes.containers if isinstance(each, BarContainer)]
    axes.grid(axis="x" if any(each.orientation == "horizontal" for each in bars) else "y", linewidth=0.6)
    for line in axes.lines:
        line.set_linewidth(max(line.get_linewidth(), 1.8))
    for bar in (bar for each in bars for bar in each):
        colour = bar.get_facecolor() if bar.get_facecolor()[3] else "C0"
        bar.set(facecolor=to_rgba(colour, 0.25), edgecolor=to_rgba(colour, 1), linewidth=1.2)


def _lab() -> int | None:
    """Return which lab the notebook that draws says it is; None if it does not say."""
    frame = sys._getframe()
    while frame.f_back is not None and "LAB" not in frame.f_globals:
        frame = frame.f_back
    lab = frame.f_globals.get("LAB")
    return lab if isinstance(lab, int) else None


def _svg(figure: Any) -> str:
    import matplotlib

    out = StringIO()
    # Text stays text; names inside are the same each time.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "hugezero"}):
        figure.savefig(
            out, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None, "Creator": None}
        )
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = svg.replace(INK, "currentColor").replace(GRID, "var(--hz-line)")
    for n, colour in enumerate(COLOURS):
        svg = svg.replace(colour, f"var(--hz-c{n})")
    return re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", svg)


def _png(figure: Any) -> bytes:
    out = BytesIO()
    figure.savefig(
        out, format="png", dpi=96, facecolor="white", bbox_inches="tight", metadata={"Software": None}
    )
    return out.getvalue()
