"""What one would have merged: written into cells of earlier notebooks, and brought back in a later one."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

MARK = re.compile(r"\*\*Your decision, (\d{4})\.\*\*[^\S\n]*")  # how the cell to write in begins
EMPTY = "*Double-click here, and write.*"
SECTION = "What would you have merged?"


def written_in(path: Path) -> list[tuple[str, str]]:
    """The decisions in the notebook *path*: the year, and the text; nothing for one that was not written."""
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    found = [(mark[1], source[mark.end() :]) for source in sources if (mark := MARK.match(source))]
    return [(year, text.replace(EMPTY, "").strip()) for year, text in found]


def your_decisions() -> None:
    """Print what you would have merged in earlier labs, as far as their notebooks are beside this one."""
    lab = sys._getframe(1).f_globals.get("LAB")
    for number in range(1, lab if isinstance(lab, int) else 6):
        paths = [*Path().glob(f"lab{number}_*.ipynb"), *Path("..").glob(f"lab{number}_*/lab{number}_*.ipynb")]
        if not paths:
            print(
                f'Lab {number}: its notebook is not here. Copy yours beside this one, or open it at "{SECTION}"'
            )
            continue
        for year, text in written_in(paths[0]) or [("", "")]:
            if text:
                print(f"{year}, in lab {number}: {text}")
            else:
                print(f'Lab {number}: nothing is written in {paths[0].name}, under "{SECTION}"')
