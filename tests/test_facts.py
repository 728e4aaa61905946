"""What the course says of Linux can be looked up: every commit that it names is known, and is a link in a notebook."""

import ast
import re

import nbformat
import pytest

from autograder.course.layout import Course

COURSE = Course()
PROJECT = COURSE.root
ID = re.compile(r"(?<![0-9a-z])(?=[0-9a-f]*[a-f])[0-9a-f]{12}(?![0-9a-z])")
KERNEL_ORG = "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/commit/?id="
LINK = re.compile(rf"\[([0-9a-f]{{12}})\]\({re.escape(KERNEL_ORG)}([0-9a-f]{{12}})\)")
KNOWN = {
    line.split()[0]
    for line in (PROJECT / "tests/commits.txt").read_text("utf-8").splitlines()
    if line[0] != "#"
}


def bare(text):
    """The commits that *text* names without a link to what it says."""
    linked = LINK.sub(lambda link: "" if link[1] == link[2] else link[0], text)
    return ID.findall(linked)


def named(path):
    """The commits in the strings of a module; a string that is nothing else is a fingerprint."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not ID.fullmatch(node.value):
            yield from ID.findall(node.value)


def modules():
    folders = ("course/hugezero", "solutions", "autograder/labs")
    return [path for folder in folders for path in sorted((PROJECT / folder).rglob("*.py"))]


@pytest.mark.parametrize("stem", COURSE.stems())
def test_a_commit_in_a_notebook_is_a_link_to_a_known_one(stem):
    for cell in nbformat.read(COURSE.notebook(stem), 4).cells:
        if cell.cell_type == "markdown":
            assert not bare(cell.source), cell.id
        assert set(ID.findall(cell.source)) <= KNOWN, cell.id


def test_a_commit_in_a_docstring_or_a_story_is_a_known_one():
    found = {path: set(named(path)) for path in modules()}
    assert set().union(*found.values())
    assert not {path.name: ids - KNOWN for path, ids in found.items() if ids - KNOWN}


def test_every_known_commit_is_named_somewhere():
    notebooks = {id for stem in COURSE.stems() for id in ID.findall(COURSE.notebook(stem).read_text("utf-8"))}
    assert {id for path in modules() for id in named(path)} | notebooks >= KNOWN


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("since a13ea5b75964.", ["a13ea5b75964"]),
        (f"since [a13ea5b75964]({KERNEL_ORG}a13ea5b75964).", []),
        (f"since [a13ea5b75964]({KERNEL_ORG}557ed1fa2620).", ["a13ea5b75964", "557ed1fa2620"]),
        ("since [a13ea5b75964](https://example.org).", ["a13ea5b75964"]),
        ("1234567890123 bytes, 123456789012 in all", []),
    ],
)
def test_what_is_no_link_is_found(text, found):
    assert bare(text) == found
