"""Prints how long a step of the timeline takes in a real JupyterLab: `python -m tests.browser.benchmark [CHROMIUM]`.

Nothing fails by being slow. A step should show in under 25 ms.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from .conftest import Lab, Tab
from .test_pictures import SETUP

MEASURE = """async () => {
    const root = document.querySelector('.hz'), slider = root.querySelector('input'), times = [];
    const painted = () => new Promise(done => requestAnimationFrame(() => {
        const channel = new MessageChannel(); channel.port1.onmessage = done; channel.port2.postMessage(0); }));
    for (const key of ['Home', ...Array(80).fill('ArrowRight'), ...Array(80).fill('ArrowLeft')]) {
        await painted();
        const start = performance.now();
        slider.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
        root.getBoundingClientRect();
        const laid = performance.now() - start;
        await painted();
        times.push([laid, performance.now() - start]);
    }
    return times.slice(1);
}"""


def main(chromium: str) -> None:
    project = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder), project)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        try:
            lab.write("steps.ipynb", SETUP, "timeline(run)")
            tab = Tab(lab, browser.new_page())
            tab.open("steps.ipynb")
            tab.run_all()
            tab.picture().wait_for()
            for name, times in zip(
                ("script and layout", "until it is painted"),
                zip(*tab.page.evaluate(MEASURE), strict=True),
                strict=True,
            ):
                print(
                    f"a step, {name}: {statistics.median(times):.1f} ms median, {max(times):.1f} ms at most"
                )
        finally:
            browser.close()
            lab.stop()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "chromium")
