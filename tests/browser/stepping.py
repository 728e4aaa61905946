"""How long a step of each picture takes in Chromium: the key, the drawing, and where everything goes on the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

from hugezero.explore.byhand import ByHand
from hugezero.explore.search import explore
from hugezero.machine import Kernel
from hugezero.scenario import Fork, Mmap, Read, Simulated, Write
from hugezero.view import memory_map, schedule, timeline
from playwright.sync_api import sync_playwright

from ..explore import versions

STEP = """
async ([script, style, state, keys]) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const el = document.body.appendChild(document.createElement("div"));
  module.default.render({ el, model: { get: (name) => state[name], set() {}, save_changes() {}, on() {}, off() {} } });
  await new Promise(requestAnimationFrame);
  const press = (key) => el.firstChild.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  keys.forEach(press);
  const times = [];
  for (let k = 0; k < 400; k++) {
    const start = performance.now();
    press(Math.floor(k / 40) % 2 ? "ArrowRight" : "ArrowLeft");
    el.getBoundingClientRect();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}
"""


def pictures() -> Iterator[tuple[str, Any, list[str]]]:
    """Each picture with what is pressed first."""
    simulated = Simulated(Kernel(), pages=4096)
    simulated.run(
        [
            Mmap("a", 64 << 12),
            Read("a", 0, 32 << 12),
            Fork("child"),
            Write("a", 0, b"x", 16 << 12, by="child"),
        ]
    )
    threads = [versions.user(), versions.user(), versions.shrinker()]
    wrong = versions.kernel(get=versions.get_that_puts_too_often_after_three_rounds)
    found = explore(wrong, threads, at_end=versions.at_rest)
    yield "memory map", memory_map(simulated), []
    yield "timeline", timeline(simulated), ["End"]
    hand = ByHand(wrong, threads, at_end=versions.at_rest)
    yield f"schedule of {len(found.rows)} rows", schedule(found, threads, by_hand=hand), []
    yield "the same with its memory map", schedule(found, threads, by_hand=hand), ["m"]


def steps() -> list[str]:
    """A line for each picture."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        return ["a step of a picture: no Chromium here to measure it in"]
    lines = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name, picture, keys in pictures():
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            state = {
                key: getattr(picture, key)
                for key in ("parts", "pages", "moments", "rows", "note", "words", "at", "source")
            }
            times = page.evaluate(STEP, [picture._esm, picture._css, state, keys])
            lines.append(
                f"a step, {name}".ljust(48) + f"{times[200]:5.1f} ms median, {times[-1]:5.1f} ms at most"
            )
            page.close()
        browser.close()
    return lines


if __name__ == "__main__":
    print(*steps(), sep="\n")
