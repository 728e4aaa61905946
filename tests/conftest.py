"""What a test may need from the machine, and what happens where it is not there.

Ask for the fixture `chromium` or `bwrap`, or mark the test `browser` or `sandboxed`. Where the program is
missing, the test is skipped by its name, with a way to get it; with CI=true it fails.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

FIXTURE_OF = {"browser": "chromium", "sandboxed": "bwrap"}

# The same input gives the same examples, and no clock decides.
settings.register_profile("quick", derandomize=True, deadline=None, database=None)
settings.register_profile("full", settings.get_profile("quick"), max_examples=2000)
settings.load_profile("quick")


def pytest_configure() -> None:
    """The notebooks in course/ import the kernels of earlier labs, which no fresh clone has in build/given/."""
    if (Path(__file__).resolve().parent.parent / "autograder").is_dir():
        from autograder.course import given
        from autograder.course.layout import Course

        given.write(Course())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker, fixture in FIXTURE_OF.items():
            if item.get_closest_marker(marker) and fixture not in item.fixturenames:
                item.fixturenames.insert(0, fixture)
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.long)
            if not item.get_closest_marker("xdist_group"):
                item.add_marker(pytest.mark.xdist_group("browser"))  # one browser at a time


def missing(what: str, way_out: str) -> NoReturn:
    """End a test whose program is not on this machine."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and with CI=true that is a failure. {way_out}", pytrace=False)
    pytest.skip(f"{what}. {way_out}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    named = os.environ.get("CHROMIUM")
    candidates = [named] if named else ["chromium", "chromium-browser", "google-chrome"]
    for candidate in candidates:
        if path := shutil.which(candidate):
            return path
    missing(
        f"CHROMIUM={named} is not a program" if named else "There is no Chromium here",
        "Install it (Debian: apt install chromium) or name yours: CHROMIUM=/path/to/chromium",
    )


@pytest.fixture(scope="session")
def bwrap() -> str:
    """The path of a bubblewrap that may make a sandbox."""
    path = shutil.which("bwrap")
    if path is None:
        missing("There is no bubblewrap here", "Install it (Debian: apt install bubblewrap)")
    trial = subprocess.run(
        [path, "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, text=True, check=False
    )
    if trial.returncode:
        missing(
            f"bubblewrap may not make a sandbox here ({trial.stderr.strip()})",
            "Allow user namespaces, or run the tests as root",
        )
    return path


# No wider than a module: while Playwright is on, its thread has a running event loop, and code that
# starts one of its own cannot.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless Chromium, driven by Playwright."""
    flags = (
        "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run"
        " --disable-background-networking --disable-component-update --disable-sync"
    )
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=flags.split())
        yield running
        running.close()


@pytest.fixture(scope="session")
def project() -> Path:
    """The folder of the project."""
    return Path(__file__).resolve().parent.parent
