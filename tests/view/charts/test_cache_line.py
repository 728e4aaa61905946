"""A line on its way between CPUs, page by page; and charts of what it costs."""

import re

import pytest
from hugezero.cost.cacheline import Costs, Phase, replay
from hugezero.cost.contention import Local, Recorded, bouncing, phases, sweep
from hugezero.view import cycles_chart, lines_chart, throughput_chart, travel
from hugezero.view.charts.cache_line import spent_by, travelling

GET = (("refcount", "r"), ("refcount", "w"), ("folio", "r"))
COUNTED = Recorded(GET, GET, (("refcount", "w"),), ())
FLAG = Recorded((("own", "r"), *GET, ("own", "w")), (("own", "r"), ("folio", "r")), (), (("refcount", "w"),))


@pytest.fixture(scope="module")
def kept():
    return replay(phases(COUNTED, Local(fault=300), 20), 4, keep=True)


def test_each_page_has_one_holder_and_says_who_waits(kept):
    made = travelling(kept, "refcount", 30)
    assert len(made.moments) == len(made.pages) == 30
    for page in made.pages:
        drawn = "".join(made.parts[n] for n in page)
        assert drawn.count(">has the line, modified</text>") == 1
        told = drawn.partition('aria-label="')[2].partition('"')[0]
        assert [f"CPU {cpu}" in told for cpu in range(4)] == [True] * 4


def test_the_time_of_each_cpu_goes_somewhere(kept):
    visits = {cpu: [] for cpu in range(4)}
    for (begin, end, cpu, _), came in zip(kept.served_at, kept.came_at, strict=True):
        visits[cpu].append((came, begin, end))
    for until in (1.0, 500.0, 2500.0, 5000.0):
        for cpu in visits:
            assert sum(spent_by(visits[cpu], until)) == pytest.approx(until)
    whole = [spent_by(visits[cpu], float("inf")) for cpu in visits]
    assert sum(one.waiting for one in whole) == pytest.approx(sum(kept.waiting.values()))


def test_bars_grow_and_never_shrink(kept):
    made = travelling(kept, "refcount", 30)
    before = 0.0
    for page in made.pages:
        drawn = "".join(made.parts[n] for n in page)
        now = sum(float(width) for width in re.findall(r'width="([0-9.]+)" height="8" class="time', drawn))
        assert now > before
        before = now


def test_a_line_that_is_only_read_stays_where_it_is_and_one_that_is_written_to_has_one_cpu(kept):
    made = travelling(kept, "refcount", 60)
    last = "".join(made.parts[n] for n in made.pages[-1])
    assert re.findall(r">([MES]) · ", last) == ["M", *"SSSS"]
    fetched = dict(re.findall(r"(\w+): \d CPUs? · \w+ · fetched (\d+) ×", last))
    assert fetched["folio"] == "4" and int(fetched["refcount"]) > 40
    assert "folio: 4 CPUs · shared · fetched 4 ×" in made.text


def test_whoever_waits_is_served_in_the_order_of_the_queue(kept):
    made = travelling(kept, "refcount", 30)
    for (page, _), (_, after) in zip(enumerate(made.moments), enumerate(made.moments[1:]), strict=False):
        drawn = "".join(made.parts[n] for n in made.pages[page])
        if ">waits, next</text>" in drawn:
            first = drawn.partition(">waits, next<")[0].rpartition('data-k="cpu')[2].partition('"')[0]
            assert after["changed"] == [f"cpu{first}"]


def test_its_text_names_every_cpu_and_its_widget_turns_pages(kept):
    widget = travel(kept)
    data, _ = widget._repr_mimebundle_()
    assert data["text/plain"].count("CPU") >= 4 and "gets it from memory" in data["text/plain"]
    assert "<svg" in data["text/html"] and "<script" not in data["text/html"]
    assert len(widget.moments) == 4 * (20 + 20 // Local().batch)


def test_a_line_that_nobody_wants_is_an_error_that_says_so(kept):
    with pytest.raises(ValueError, match="nobody was seen at the line 'mmap'"):
        travel(kept, "mmap")
    with pytest.raises(ValueError, match="keep=True"):
        travel(replay([Phase("get", 3, 10.0, GET)], 2))


def test_charts_tell_what_they_show():
    cpus = (1, 24, 72)
    told = throughput_chart({"counted": sweep(COUNTED, cpus, 512), "flag": sweep(FLAG, cpus, 512)})
    assert "counted: the knee is at 2" in told.text
    assert "flag: the knee" not in told.text
    whole = bouncing(COUNTED, part=512)
    assert "get 5" in cycles_chart({"72 CPUs": whole}).text
    assert "HUGE_ZERO.refcount: 5" in lines_chart(whole).text


def test_two_sockets_cost_what_they_cost():
    titles = [m["title"] for m in travelling(replay([Phase("get", 9, 50.0, GET)], 2, Costs(), keep=True), "refcount", 9).moments]  # fmt: skip
    assert any("of the other socket" in title for title in titles)
    assert not any("of its own socket" in title for title in titles)
