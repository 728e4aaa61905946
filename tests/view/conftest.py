"""Small programs on the reference's kernel, for pictures."""

from collections.abc import Callable, Generator
from typing import Any

import pytest
from hugezero.hw.ram import PAGE_SIZE
from hugezero.machine import Kernel
from hugezero.scenario import Action, Fork, Mmap, Read, Simulated, Write

from solutions import lab1_zero_page
from tests.net import drawn
from tests.net.frozen import same

KERNEL = Kernel(vars(lab1_zero_page))
STORY = (
    Mmap("data", 4 * PAGE_SIZE),
    Read("data", 0, 3 * PAGE_SIZE),
    Write("data", 0, b"hi"),
    Fork("child"),
    Write("data", 0, b"x", by="child"),
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Every picture that a test draws is the frozen one; generated programs are left out."""
    with drawn.noted() as made:
        done = yield
    if made and not hasattr(item.obj, "hypothesis"):  # type: ignore[attr-defined]
        same(f"drawn/{item.path.stem}", {item.name: "\n".join(dict.fromkeys(map(drawn.line, made)))})
    return done


@pytest.fixture(scope="session")
def run() -> Callable[..., Simulated]:
    """A function that runs actions on a fresh machine; the reference's lab 1 is its kernel."""

    def run(*actions: Action, **config: object) -> Simulated:
        simulated = Simulated(KERNEL, **{"pages": 4096, **config})
        simulated.run(actions)
        return simulated

    return run


@pytest.fixture
def story(run: Callable[..., Simulated]) -> Simulated:
    """Three pages read, one written, a fork, and a write by the child."""
    return run(*STORY)
