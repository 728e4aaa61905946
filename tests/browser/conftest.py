"""A JupyterLab that runs, and a notebook open in a real browser."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

PATIENCE = 30_000  # ms until something that must appear is given up; no test depends on how long it took
expect.set_options(timeout=PATIENCE)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of one lab together."""
    places = [n for n, item in enumerate(items) if item.path.name == "test_labs.py"]
    mine = sorted((items[n] for n in places), key=lambda item: item.callspec.params["tab"])
    for n, item in zip(places, mine, strict=True):
        items[n] = item


class Lab:
    """JupyterLab on a folder of its own, with a student's settings."""

    def __init__(self, folder: Path, project: Path) -> None:
        self.folder = folder
        self.token = secrets.token_hex(16)
        course = project / "course"
        env = {
            **os.environ,
            "PYTHONPATH": str(course),
            "JUPYTER_CONFIG_DIR": str(folder / ".config"),
            "JUPYTER_CONFIG_PATH": str(course / "hugezero" / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(folder / ".runtime"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / ".workspaces"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / ".settings"),
        }
        self.said = folder / ".log"
        with self.said.open("w") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                    *(f"--ServerApp.root_dir={folder}", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"),
                    *(f"--IdentityProvider.token={self.token}", "--LabApp.expose_app_in_browser=True"),
                    *(
                        "--LabApp.news_url=None",
                        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                    ),
                ],
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.address = self._address()

    def _address(self) -> str:
        for _ in range(600):
            found = re.search(r"http://127\.0\.0\.1:\d+", self.said.read_text())
            if found:
                return found[0]
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        pytest.fail(f"JupyterLab did not start:\n{self.said.read_text()}")

    def write(self, name: str, *cells: str) -> None:
        """A new notebook with these code cells."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        self.write_notebook(name, notebook)

    def write_notebook(self, name: str, notebook: Any) -> None:
        nbformat.write(notebook, self.folder / name)

    def saved(self, name: str) -> Any:
        """The notebook as it is on the disk now."""
        return nbformat.read(self.folder / name, 4)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Tab:
    """One notebook in one tab of the browser."""

    def __init__(self, lab: Lab, page: Page) -> None:
        self.lab, self.page, self.name = lab, page, ""

    def open(self, name: str, kernel: bool = True) -> None:
        """Open the notebook *name* and wait until its kernel is idle, if it is to have one."""
        self.name = name
        self.page.goto(
            f"{self.lab.address}/lab/workspaces/{secrets.token_hex(4)}/tree/{name}?token={self.lab.token}"
        )
        self.page.locator(".jp-Notebook").wait_for()
        if kernel:
            self.idle()

    def idle(self) -> None:
        """Wait until the kernel says that it is idle: before that, Run All is lost."""
        self.page.get_by_text("| Idle").first.wait_for()
        self.page.wait_for_function(
            """async () => { const kernel = window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel;
                if (kernel?.connectionStatus !== 'connected') return false;
                await kernel.info; return kernel.status === 'idle' }"""
        )

    def command(self, name: str, **arguments: Any) -> None:
        """What a menu entry does."""
        self.page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments]
        )

    def run_all(self) -> None:
        """Run every cell, and wait for the last one; an exception in one of them fails the test."""
        self.command("notebook:run-all-cells")
        self.page.wait_for_function(
            """() => { const cells = window.jupyterapp.shell.currentWidget.content.widgets
                .filter(c => c.model.type === 'code' && c.model.sharedModel.source.trim());
               return cells.every(c => c.model.executionCount)
                   || cells.some(c => JSON.stringify(c.model.toJSON().outputs).includes('"traceback"')) }"""
        )
        self.idle()
        wrong = self.page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]')
        assert wrong.all_inner_texts() == []

    def save(self) -> None:
        self.command("docmanager:save")
        self.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")

    def kill_kernel(self) -> None:
        """End the notebook's kernel; nothing follows it."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")

    def theme(self, name: str) -> None:
        self.command("apputils:change-theme", theme=f"JupyterLab {name}")
        light = "true" if name == "Light" else "false"
        self.page.locator(f'body[data-jp-theme-light="{light}"]').wait_for(state="attached")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")  # it lies over everything

    def active_cell(self) -> int:
        return int(self.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"))

    def picture(self, number: int = 0) -> Locator:
        return self.page.locator(".jp-OutputArea-output .hz").nth(number)


def axe(page: Page, inside: str) -> list[str]:
    """What axe finds wrong inside a part of the page, a line each; text in an SVG is not judged for contrast."""
    # JupyterLab's body has no height, and axe takes all that is in it for invisible.
    page.add_style_tag(content="html, body { height: 100vh; width: 100vw; }")
    found = Axe().run(page, context={"include": [[inside]]})
    judged = {rule["id"] for kind in ("violations", "passes") for rule in found.response[kind]}
    assert "color-contrast" in judged, "axe saw no text here"
    return [
        f"{violation['id']}: {node['html'][:160]} {node.get('failureSummary', '')}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[Lab]:
    """One JupyterLab for all browser tests."""
    running = Lab(tmp_path_factory.mktemp("lab"), project)
    yield running
    running.stop()
    shutil.rmtree(running.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def opened(lab: Lab, browser: Browser) -> Iterator[Callable[..., Tab]]:
    """A function that opens a notebook in a tab of its own."""
    contexts = []

    def open_(name: str, width: int = 1280, height: int = 1000, kernel: bool = True) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        tab = Tab(lab, context.new_page())
        tab.open(name, kernel)
        return tab

    yield open_
    for context in contexts:
        context.close()
