"""Law 6: who may know whom. Layers of the machine, the framework and the labs, the rooms of the grader."""

import ast
import os
import re
import subprocess
import sys
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
COURSE = PROJECT / "course"
LAYERS = ["store", "hw", "mm", "block", "machine"]
ABOVE = {
    "scenario": set(LAYERS),
    "explore": {"store", "hw", "mm"},
    "cost": {*LAYERS, "scenario"},
    "view": {*LAYERS, "scenario", "cost"},
    "check": {*LAYERS, "explore", "view"},  # its messages are in the words of the pictures
    "remote": {"store", "check"},
}
ALLOWED = {name: set(LAYERS[:n]) for n, name in enumerate(LAYERS)} | ABOVE
ROOMS = ["course", "sandbox", "judge", "grading", "prove"]


def modules(folder):
    """Each module in a folder of the project, by its dotted name."""
    for path in sorted((PROJECT / folder).rglob("*.py")):
        parts = path.relative_to(COURSE if COURSE in path.parents else PROJECT).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


def imports(path):
    """What a module imports, as dotted names: `from .checks import Failed` is hugezero.check.checks.Failed."""
    here = list(path.relative_to(COURSE if COURSE in path.parents else PROJECT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            yield from (".".join([*base, *filter(None, [node.module]), alias.name]) for alias in node.names)


def used(path, package):
    """The parts of *package* that a module imports: the first name behind it."""
    return {name.split(".")[1] for name in imports(path) if name.startswith(f"{package}.")}


def lab_of(name):
    """The number in the first part of a dotted name that is a lab's; None for what is no lab's."""
    found = re.search(r"(?:^|\.)lab(\d+)(?=[._]|$)", name)
    return int(found[1]) if found else None


@pytest.mark.parametrize("layer", ALLOWED)
def test_a_layer_imports_only_what_is_below_it(layer):
    path = COURSE / "hugezero" / layer
    for module in [path.with_suffix(".py")] if layer == "machine" else path.rglob("*.py"):
        more = used(module, "hugezero") - ALLOWED[layer] - {layer}
        assert not more, f"{module} imports {more}"


@pytest.mark.parametrize(
    ("room", "others"), [("memory", set()), ("schedules", {"memory"}), ("charts", set()), ("", set())]
)
def test_pictures_share_what_is_in_view_itself(room, others):
    """Memory, schedules and charts import that; a schedule has a small memory map; what is shared knows none."""
    view = COURSE / "hugezero" / "view"
    for module in view.glob(f"{room}/*.py" if room else "[!_]*.py"):
        inside = {
            name.removeprefix("hugezero.view.").split(".")[0] for name in imports(module) if ".view." in name
        }
        assert not inside & {"memory", "schedules", "charts"} - others - {room}, f"{module} imports {inside}"


def test_every_part_of_hugezero_has_its_place_in_the_layers():
    parts = {path.stem for path in (COURSE / "hugezero").iterdir() if not path.name.startswith("__")}
    assert parts == {*ALLOWED, "labs", "notebook", "jupyter"}


def test_the_framework_knows_no_lab():
    """Only notebook.py, which a lab starts with, does: not even by a name that is imported at run time."""
    framework = [
        name
        for name, _ in modules("course/hugezero")
        if name.split(".")[1:2] not in (["labs"], ["notebook"], ["__main__"])
    ]
    code = f"import {', '.join(framework)}, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(COURSE)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "hugezero.check.notebook" in loaded
    assert not [name for name in loaded if name.startswith("hugezero.labs")]


@pytest.mark.parametrize("folder", ["course/hugezero/labs", "autograder/labs", "solutions"])
def test_a_lab_imports_only_labs_before_it_and_what_all_share_imports_none(folder):
    for module, path in modules(folder):
        own = lab_of(module)
        for name in imports(path):
            other = lab_of(name)
            if other is not None and re.match(r"hugezero\.labs|autograder\.labs|solutions", name):
                assert own is not None and other <= own, f"{module} imports {name}"


def test_hugezero_imports_neither_solutions_nor_autograder():
    for module in (COURSE / "hugezero").rglob("*.py"):
        assert not {name.split(".")[0] for name in imports(module)} & {"solutions", "autograder"}, module


def test_the_rooms_of_the_grader_have_no_circle_and_know_no_lab():
    edges = defaultdict(set)
    for module, path in modules("autograder"):
        room = module.split(".")[1] if module.count(".") else ""
        edges[room] |= used(path, "autograder") - {room}
    list(TopologicalSorter(edges).static_order())  # CycleError names the circle
    assert not any("labs" in edges[room] for room in ROOMS), dict(edges)
    assert {*edges} == {"", "__main__", "cli", "labs", *ROOMS}
    assert edges["course"] == edges["sandbox"] == set(), dict(edges)


def test_the_machine_needs_nothing_but_the_standard_library():
    """So that it also runs where numpy and widgets are not, such as in a browser's Python."""
    code = "import hugezero.scenario, hugezero.labs.experiment, sys; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(COURSE)}
    loaded = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    heavy = {"numpy", "matplotlib", "ipywidgets", "anywidget", "msgspec", "IPython", "resource"}
    assert not heavy & set(loaded.stdout.split())
