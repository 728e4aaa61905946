"""A matplotlib figure as a picture that stays: text and lines in the colours of the page, and what it says in words."""

from __future__ import annotations

import re
from html import escape
from io import BytesIO, StringIO
from typing import Any

ACCENT = "#1f77b4"  # matplotlib's first colour
INK = ("#000000", "#ff7f0e", "#2ca02c", "#d62728")  # its text and axes; lines behind the first are ink, too
STYLE = (
    ".hz-chart{max-width:760px;margin:4px;color:var(--jp-content-font-color0,#1f2328);--hz-sel:#0969da}"
    '[data-jp-theme-light="false"] .hz-chart{color:#e6edf3;--hz-sel:#58a6ff}'
    ".hz-chart svg{max-width:100%;height:auto}.hz-chart svg text{fill:currentColor}"
    ".hz-chart details{font-size:12px;margin:0 4px}.hz-chart pre{margin:4px 0;color:inherit;background:none}"
)


def chart(figure: Any, *, alt: str, text: str) -> Chart:
    """*figure*, drawn once, with *alt* (what there is to see) and *text* (its numbers, as lines).

    Black becomes the page's ink and matplotlib's first blue the accent; its other colours are ink as well. So
    leave colours at their defaults, tell lines and bars apart by dashes, markers and hatches, and write their
    names beside them. The frame's upper and right side are left out.
    """
    for name, words in (("alt", alt), ("text", text)):
        if not words.strip():
            raise ValueError(
                f"chart({name}=''): say in words what the picture shows, for those who do not see it"
            )
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
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
    for ink in INK:
        svg = svg.replace(ink, "currentColor")
    svg = svg.replace(ACCENT, "var(--hz-sel)")
    return re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", svg)


def _png(figure: Any) -> bytes:
    out = BytesIO()
    figure.savefig(
        out, format="png", dpi=96, facecolor="white", bbox_inches="tight", metadata={"Software": None}
    )
    return out.getvalue()
