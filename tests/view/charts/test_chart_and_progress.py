"""Charts that follow the page's theme and speak, and bars that leave a line of text."""

import base64
import re

import pytest
from hugezero.view import chart, progress
from hugezero.view.charts.figure import COLOURS
from matplotlib import pyplot as plt

from tests.view.test_readable import contrast


def figure():
    made, axes = plt.subplots(figsize=(4, 2))
    axes.plot([0, 1, 2], [0, 1, 2], marker="o")
    axes.plot([0, 1, 2], [0, 0, 0], "--", color="black")
    axes.plot([0, 1], [1, 1], ":")
    axes.bar([1], [2], hatch="//", color="none", edgecolor="black")
    axes.set_xlabel("MiB read")
    return made


def test_a_chart_says_in_words_what_it_shows():
    data, metadata = chart(figure(), alt="RSS grows", text="1 MiB: 1")._repr_mimebundle_()
    assert set(data) == {"text/html", "image/png", "text/plain"}
    assert data["text/plain"] == "RSS grows\n\n1 MiB: 1"
    assert 'role="img" aria-label="RSS grows"' in data["text/html"]
    assert "1 MiB: 1</pre>" in data["text/html"]
    assert metadata["image/png"]["alt"] == "RSS grows"
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")


@pytest.mark.parametrize("words", [{"alt": " ", "text": "x"}, {"alt": "x", "text": ""}])
def test_a_chart_without_words_is_refused(words):
    with pytest.raises(ValueError, match="say in words"):
        chart(figure(), **words)


def test_a_chart_takes_its_ink_from_the_page():
    svg = chart(figure(), alt="a", text="b").svg
    assert "currentColor" in svg
    assert "var(--hz-c0)" in svg and "var(--hz-c1)" in svg, "each line has a colour of its own"
    for colour in ("#000000", "#ffffff", "#1f77b4", "#ff7f0e", "#b0b0b0"):
        assert colour not in svg
    assert ">MiB read</text>" in svg, "text stays text"


@pytest.mark.parametrize(("page", "theme"), [("#ffffff", 0), ("#111111", 1)])
def test_every_colour_can_be_seen_on_its_page(page, theme):
    for both in COLOURS.values():
        assert contrast(both[theme], page) >= 4.5


def test_bars_are_pale_have_an_edge_and_all_look_alike():
    made, axes = plt.subplots()
    axes.barh(["a", "b"], [1, 2], color="none", edgecolor="black")
    axes.barh(["c"], [3], color="C1")
    svg = chart(made, alt="a", text="b").svg
    bars = re.findall(r"fill: (\S+); fill-opacity: (\S+); stroke: ([^;]+);", svg)
    assert bars == [("var(--hz-c0)", "0.25", "var(--hz-c0)")] * 2 + [("var(--hz-c1)", "0.25", "var(--hz-c1)")]


def test_the_number_of_the_lab_is_on_a_chart_where_a_notebook_says_it():
    assert ">lab " not in chart(figure(), alt="a", text="b").svg
    notebook = {"LAB": 3, "chart": chart, "figure": figure}
    exec("made = chart(figure(), alt='a', text='b')", notebook)
    assert ">lab 3</text>" in notebook["made"].svg


def test_the_same_figure_gives_the_same_bytes():
    one, two = (chart(figure(), alt="a", text="b") for _ in range(2))
    assert (one.svg, one.png) == (two.svg, two.png)


def test_a_chart_is_not_shown_twice():
    made = figure()
    chart(made, alt="a", text="b")
    assert not plt.fignum_exists(made.number)


def test_outside_a_notebook_progress_is_a_line_for_each_tenth(capsys):
    told = progress("pages read")
    for done in range(0, 5001, 50):
        told(done, 5000)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11
    assert lines[0] == "0 of 5,000 pages read"
    assert lines[-1] == "5,000 of 5,000 pages read"
