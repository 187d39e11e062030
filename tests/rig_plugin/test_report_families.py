"""The page on real cells shows what was recorded beside what was predicted, and says which is which."""

import re
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from types import SimpleNamespace

import numpy as np
import pytest

from estimators.context import Context
from estimators.features import NAMES
from estimators.spec import spec_from
from rig_plugin.report.families import families_page
from rig_plugin.report.firing_plot import firing_plot
from rig_plugin.report.trace_plot import trace_plot
from rig_plugin.tasks.cell import Cell
from rig_plugin.tasks.half import Half
from rig_plugin.tasks.in_sample import Single

SPEC = spec_from((files("estimators.pretrained") / "cortical-steps.toml").read_text(encoding="utf-8"), "the spec")
CURRENTS = np.linspace(-20.0, 140.0, 9)
COUNTS = np.array([0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 5.0, 7.0, 8.0])
COUNT, REST = NAMES.index("spike_count"), NAMES.index("rest")
RATE = 20.0


def step(current):
    return Context(float(current), 0.0, 1.0, 300.0, 100.0, 100.0, RATE)


def trace(spikes, rest=-70.0):
    """A flat sweep with spikes of one sample."""
    voltage = np.full(round(500.0 * RATE), rest)
    voltage[np.linspace(2100, 7900, int(spikes)).astype(int)] = 30.0
    return voltage


def rows(counts):
    table = np.full((len(counts), len(NAMES)), np.nan)
    table[:, COUNT], table[:, REST] = counts, -70.0
    return table


class Forecast:
    """A forecast that a half rests on, with draws that never fire."""

    def __init__(self, share=0.1, parameters=SPEC.parameters):
        rng = np.random.default_rng(0)
        u = rng.standard_normal((200, len(parameters)))
        self.sure = np.stack([p.constrain(u[:, k]) for k, p in enumerate(parameters)], axis=1)
        self.share = share

    def traces(self, k, draws=3, sure=False):
        return [trace(0, -68.0 - one) for one in range(draws)]


def half(begin, count_off=0.0, **options):
    seen, asked = np.arange(begin, 9, 2), np.arange(1 - begin, 9, 2)
    drawn = [np.tile(row, (50, 1)) for row in rows(COUNTS[asked] + count_off)]
    unaided = [np.tile(row, (50, 1)) for row in rows(COUNTS[asked] + 3.0)]
    tempered = tuple(unaided)
    return Half(seen, asked, Forecast(**options), tuple(drawn), tuple(unaided), tempered, np.linspace(35.0, 39.0, 50))


def family(name="cell.abf"):
    return Cell(name, rows(COUNTS), tuple(step(pA) for pA in CURRENTS), tuple(trace(n) for n in COUNTS))


def single(name="alone.nwb"):
    cell = Cell(name, rows(np.array([6.0])), (step(90.0),), (trace(6),))
    return Single(cell, Forecast(), np.tile(rows(np.array([6.0])), (50, 1)), np.full(50, 80.0), 83.0)


def made(both=None, parameters=SPEC.parameters, **names):
    spec = SimpleNamespace(name="tiny", parameters=parameters, names=tuple(p.name for p in parameters))
    checkpoint = SimpleNamespace(spec=spec, record={})
    both = both or (half(0), half(1))
    return families_page(
        [(family(**names), both)], [single(**names)] if names else [single()], checkpoint, "2026-11-22"
    )


def said(text):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<style>.*?</style>", "", text))))


def lines(drawing, kind):
    """The polylines of a kind, as arrays of places."""
    found = re.findall(rf'<polyline class="{kind}" points="([^"]*)"', drawing)
    return [np.array([tuple(map(float, place.split(","))) for place in points.split()]) for points in found]


def test_four_held_out_sweeps_are_drawn_each_beside_three_draws():
    text = made()
    assert len(lines(text, "recorded")) == 4 + 1
    assert len(lines(text, "simulated")) == 3 * (4 + 1)
    told = said(text)
    assert "Solid, dark: recorded. Dashed, coloured: simulated" in told
    for title in (
        "20 pA, below rheobase, 0 spikes recorded", "40 pA, the lowest that fires, 1 spike recorded",
        "100 pA, in the middle, 5 spikes recorded", "140 pA, the largest, 8 spikes recorded",
    ):  # fmt: skip
        assert title in told


def test_no_spike_is_lost_where_a_trace_is_thinned_out():
    voltage = np.full(40_000, -70.0)
    voltage[12_345] = 30.0
    context = Context(50.0, 0.0, 1.0, 1500.0, 250.0, 250.0, RATE)
    (line,) = lines(trace_plot(voltage, [], context, "one"), "recorded")
    assert 700 <= len(line) <= 900
    heights = np.sort(line[:, 1])
    assert heights[0] < heights[1] - 50.0
    assert line[np.argmin(line[:, 1]), 0] == pytest.approx(40.0 + 432.0 * 12_345 / 40_000, abs=1.5)


def test_sweeps_with_spikes_stand_in_rows_on_one_scale_and_others_over_each_other():
    spiking = trace_plot(trace(5), [trace(3), trace(4)], step(50.0), "one")
    recorded, *simulated = lines(spiking, "recorded") + lines(spiking, "simulated")
    assert recorded[:, 1].max() < simulated[0][:, 1].min() < simulated[0][:, 1].max() < simulated[1][:, 1].min()
    assert np.ptp(recorded[:, 1]) == pytest.approx(np.ptp(simulated[1][:, 1]), abs=0.1)
    assert [spiking.count(f">{word}<") for word in ("recorded", "simulated")] == [1, 2]
    silent = trace_plot(trace(0, -70.0), [trace(0, -69.0)], step(50.0), "one")
    (below,), (above,) = lines(silent, "recorded"), lines(silent, "simulated")
    assert 10.0 < below[0, 1] - above[0, 1] < 100.0


@pytest.mark.parametrize(
    ("rest", "top"), [(-79.0, 2.0), (-100.0, -60.0), (-70.0, 30.0), (-121.0, 39.0), (-149.0, 149.0)]
)
def test_no_voltage_stands_upon_that_of_the_row_below(rest, top):
    voltage = trace(0, rest)
    voltage[3000] = top
    drawn = trace_plot(voltage, [trace(0, rest)] * 3, step(50.0), "one")
    heights = sorted(float(y) for y in re.findall(r'<text class="label" x="35" y="([\d.]+)"', drawn))
    assert len(heights) >= 8
    assert np.diff(heights).min() >= 12.0


def test_a_trace_of_no_height_is_drawn_too():
    (line,) = lines(trace_plot(trace(0), [], step(0.0), "flat"), "recorded")
    assert np.isfinite(line).all()


def test_a_sweep_outside_its_interval_is_marked():
    seen, asked = (np.array([0.0, 20.0]), np.array([0.0, 2.0])), (np.array([10.0, 30.0]), np.array([1.0, 9.0]))
    drawing = firing_plot(seen, asked, [(0.0, 2.0), (2.0, 4.0)], [(0.0, 0.0), (1.0, 1.0)], "f-I")
    assert [drawing.count(f'<circle class="{kind}"') for kind in ("seen", "asked", "astray")] == [2, 1, 1]
    assert drawing.count('<rect class="told"') == len(lines(drawing, "untold")) == 2
    assert "−0" not in drawing


def test_what_the_posterior_alone_believes_does_not_flatten_the_curve():
    seen, asked = (np.array([0.0, 20.0]), np.array([0.0, 8.0])), (np.array([10.0, 30.0]), np.array([4.0, 9.0]))
    drawing = firing_plot(seen, asked, [(3.0, 5.0), (8.0, 10.0)], [(0.0, 150.0), (1.0, 2.0)], "f-I")
    far, near = lines(drawing, "untold")
    assert far[:, 1].min() == pytest.approx(18.0, abs=0.1)
    # From 1 to 2 spikes of twice the ten that matter, on 200 px.
    assert 8.0 < np.ptp(near[:, 1]) < 20.0


def test_the_table_tells_shares_and_widths_with_the_error_and_without():
    told = said(made((half(0, count_off=0.0), half(1, count_off=9.0))))
    # Of nine sweeps four are predicted right by the first half, and by the posterior alone none.
    assert "spike count 9 44 % ±0 0 % ±0" in told
    assert "rest mV 9 100 %" in told
    assert "peak mV 0 none has it" in told


def test_the_rheobase_is_told_beside_what_was_recorded():
    assert "recorded: fires at 40 pA, silent up to 20 pA; estimated from 5 sweeps: 37 pA (35 to 39);" in said(made())


@pytest.mark.parametrize(
    ("share", "words"), [(0.95, "predicted by the model ("), (0.5, "about equally"), (0.05, "rather than the model")]
)
def test_the_share_of_the_model_in_the_count_is_told_in_words(share, words):
    assert words in said(made((half(0, share=share), half(1, share=share))))


def test_the_model_s_error_is_told_where_the_network_infers_it_and_else_that_it_does_not():
    without = tuple(parameter for parameter in SPEC.parameters if parameter.name != "discrepancy")
    both = (half(0, parameters=without), half(1, parameters=without))
    assert "this network does not infer it" in said(made(both, parameters=without))
    told = said(made())
    assert re.search(r"typical error 0\.\d+ of a feature's spread; its part in the variance of \w+ \d+ %", told)


def test_single_sweeps_are_labelled_in_sample():
    told = said(made())
    assert "Single sweeps, in-sample" in told
    assert "alone.nwb (in-sample)" in told
    assert "83 (eLife 2020)" in told


def test_the_page_stands_by_itself_and_closes_what_it_opens():
    text = made(name='<script>alert("x")</script>&')
    opened = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert tag not in {"script", "link", "img", "iframe", "object", "image"}
            assert not {"src", "href", "onload", "style"} & {name for name, _ in attrs}
            if tag not in {"meta", "line", "rect", "circle", "polyline"}:
                opened.append(tag)

        def handle_startendtag(self, tag, attrs):
            assert tag in {"line", "rect", "circle", "polyline"}

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    Reader(convert_charrefs=True).feed(text)
    assert opened == []
    assert set(re.findall(r"https?://[^\"' <]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text


def test_every_class_that_is_drawn_is_in_the_sheet():
    text = made()
    classes = {name for found in re.findall(r'class="([^"]*)"', text) for name in found.split()}
    assert {"recorded", "simulated", "told", "untold", "seen", "asked"} <= classes
    assert classes <= set(re.findall(r"\.([a-z]+)", text[: text.index("</style>")]))
