"""Law 6: store ← hw ← mm ← block; explore, scenario, view and check look at those, and at nothing behind them."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

COURSE = Path(__file__).resolve().parent.parent / "course"
LAYERS = ["store", "hw", "mm", "block", "machine"]
UPPER = {"explore": {"store", "hw", "mm"}, "scenario": set(LAYERS), "view": {*LAYERS, "scenario"}}
UPPER["check"] = {*LAYERS, "explore", "scenario", "view"}  # its messages are in the words of the pictures
ALLOWED = {name: set(LAYERS[:n]) for n, name in enumerate(LAYERS)} | UPPER


def imports(path):
    """What a module of hugezero imports: top-level packages, those of hugezero as hugezero.NAME."""
    package = ["hugezero", *path.relative_to(COURSE / "hugezero").parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            whole = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            yield from ([f"{whole}.{alias.name}" for alias in node.names] if whole == "hugezero" else [whole])


@pytest.mark.parametrize("layer", ALLOWED)
def test_a_layer_imports_only_what_is_below_it(layer):
    path = COURSE / "hugezero" / layer
    for module in [path.with_suffix(".py")] if layer == "machine" else path.rglob("*.py"):
        used = {name.split(".")[1] for name in imports(module) if name.startswith("hugezero.")}
        assert used <= ALLOWED[layer] | {layer}, f"{module} imports {used - ALLOWED[layer] - {layer}}"


def test_hugezero_imports_neither_solutions_nor_autograder():
    for module in (COURSE / "hugezero").rglob("*.py"):
        top = {name.split(".")[0] for name in imports(module)}
        assert not top & {"solutions", "autograder"}, module


def test_the_machine_needs_nothing_but_the_standard_library():
    """So that it also runs where numpy and widgets are not, such as in a browser's Python."""
    code = "import hugezero.scenario, hugezero.check.experiment, sys; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(COURSE)}
    loaded = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    heavy = {"numpy", "matplotlib", "ipywidgets", "anywidget", "msgspec", "IPython", "resource"}
    assert not heavy & set(loaded.stdout.split())
