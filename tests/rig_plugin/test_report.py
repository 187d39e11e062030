"""The page says all that was found, stands by itself, and takes nobody's place."""

import re
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from estimators.calibration import assess
from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.sets import Sets
from rig_plugin.report import page as page_module
from rig_plugin.report.calibration import calibration_page
from rig_plugin.report.coverage_plot import coverage_plot
from rig_plugin.report.frame import Frame
from rig_plugin.report.page import ReportError, write
from rig_plugin.report.rank_plots import difference, histogram
from rig_plugin.report.scatter import scatter
from simulators.parameter import Parameter

PARAMETERS = ("C", "g_leak", "tau_max")
VOID = {"meta", "line", "rect", "circle", "polyline", "br"}


class Reader(HTMLParser):
    """Reads a page, refuses one whose elements do not close, and keeps its texts, elements and attributes."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.elements = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def said(self, *tags):
        return " ".join(text for tag, text in self.texts if tag in tags or not tags)

    def count(self, tag):
        return sum(element == tag for element, _ in self.elements)


def calibration(width=1.0, cells=400, names=PARAMETERS):
    """What is found of the prior, or of one as wide as given, with some strata empty."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 5, cells)
    u = np.repeat(rng.normal(size=(cells, len(names))), sizes, axis=0).astype(np.float32)
    features = np.full((len(u), len(NAMES)), 0.0, dtype=np.float32)
    first = np.concatenate([[0], np.cumsum(sizes)])
    sets = Sets(u, features, np.zeros((len(u), len(CONTEXT)), dtype=np.float32), first)

    class Network:
        parameters_of_cell = tuple(Parameter(name, "1", -1.0, 1.0) for name in names)

        def __call__(self, features, context, there):
            return SimpleNamespace(from_noise=lambda noise: width * noise, log_prob=lambda u: torch.zeros(len(u)))

    told = {"network": "tiny", "seed": 7, "made": None}
    return told | assess(Network(), sets, rng, {"adaptive": sets})


@pytest.fixture(scope="module")
def found():
    return calibration()


@pytest.fixture(scope="module")
def sure():
    return calibration(width=0.5)


@pytest.fixture(scope="module")
def read(found):
    return Reader(calibration_page(found, "tiny.h5", "2026-11-21"))


def test_every_parameter_is_named_and_drawn_three_times(read):
    assert re.findall(r"\S+", read.said("h3")) == list(PARAMETERS)
    assert read.count("svg") == 3 * len(PARAMETERS) + 2
    for name in PARAMETERS:
        assert sum(title.startswith(f"{name}: ") for tag, title in read.texts if tag == "title") == 3


def test_the_head_says_what_was_checked(read):
    facts = read.said("dd")
    for told in ("tiny.h5", "7", "unknown", "2026-11-21", "400"):
        assert told in facts
    assert "tiny" in read.said("h1")


def test_the_page_asks_for_nothing_else(found):
    text = calibration_page(found, "tiny.h5", "2026-11-21")
    read = Reader(text)
    assert not {"script", "link", "img", "iframe", "object", "image"} & {tag for tag, _ in read.elements}
    assert not {"src", "href", "onload", "style"} & {name for _, attrs in read.elements for name in attrs}
    assert "url(" not in text
    assert set(re.findall(r"https?://[^\"' <]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text


def test_the_page_is_made_for_paper_and_for_dark_screens(found):
    text = calibration_page(found, "tiny.h5", "2026-11-21")
    assert "@media print" in text
    assert "prefers-color-scheme: dark" in text


def test_every_class_that_is_drawn_is_in_the_sheet(read):
    classes = {name for _, attrs in read.elements for name in (attrs.get("class") or "").split()}
    dressed = set(re.findall(r"\.([a-z]+)", read.said("style")))
    assert classes <= dressed


def test_a_miss_is_marked_by_words(found, sure):
    right = Reader(calibration_page(found, "tiny.h5", "2026-11-21"))
    missed = Reader(calibration_page(sure, "tiny.h5", "2026-11-21"))
    assert "surely missed" not in right.said("td")
    assert "surely missed" in missed.said("td")
    assert re.search(r"MISSED \d+, [1-9]\d* surely", missed.said("td"))
    assert "Not every interval holds" in missed.said("p")
    assert len(re.findall("surely missed|may hold", missed.said("td"))) == len(sure["missed"])


def test_a_stratum_without_cells_says_so(read):
    assert "no cells" in read.said("td")
    assert "not judged" in read.said("td")


@pytest.mark.parametrize(("learned", "said"), [({}, "from no cells"), ({"adaptive_cells": 45}, "from 45 cells")])
def test_the_page_says_whether_the_network_learned_from_steps_that_follow_the_answers(found, learned, said):
    read = Reader(calibration_page(found | learned, "tiny.h5", "2026-11-21"))
    assert "sweeps chosen for their expected gain" in read.said("td")
    assert said in " ".join(read.said("p").split())


def test_a_hostile_name_is_text():
    name = '<script>alert("x")</script>&'
    text = calibration_page(calibration(names=(name,)) | {"network": name}, name, name)
    read = Reader(text)
    assert read.count("script") == 0
    assert name in read.said("h3")
    assert name in read.said("h1")


@pytest.mark.parametrize("cells", [1, 2, 30])
def test_few_cells_make_a_page_too(cells):
    read = Reader(calibration_page(calibration(cells=cells), "tiny.h5", "2026-11-21"))
    assert read.count("svg") == 3 * len(PARAMETERS) + 2


@given(st.lists(st.integers(0, 60), min_size=100, max_size=100).filter(any))
def test_whatever_the_ranks_the_drawings_stay_in_their_frames(counts):
    for drawing in (histogram(counts, "C"), difference(counts, "C")):
        for tag, attrs in Reader(drawing).elements:
            if tag == "rect":
                assert 0 <= float(attrs["x"]) <= float(attrs["x"]) + float(attrs["width"]) <= 300.01
                assert 0 <= float(attrs["y"]) <= float(attrs["y"]) + float(attrs["height"]) <= 180.01
            if tag == "polyline":
                places = [tuple(map(float, place.split(","))) for place in attrs["points"].split()]
                assert all(0 <= x <= 300 and 0 <= y <= 180 for x, y in places)


def test_a_bar_is_as_high_as_its_share():
    counts = [10] * 95 + [20] * 5
    bars = [attrs for tag, attrs in Reader(histogram(counts, "C")).elements if attrs.get("class") == "bar"]
    heights = np.array([float(bar["height"]) for bar in bars])
    assert len(bars) == 20
    np.testing.assert_allclose(heights[:-1], heights[-1] / 2, atol=0.02)


def test_uniform_ranks_are_a_flat_line_in_the_middle():
    (line,) = [
        attrs["points"]
        for tag, attrs in Reader(difference([7] * 100, "C")).elements
        if tag == "polyline" and attrs["class"] == "curve"
    ]
    assert len({place.split(",")[1] for place in line.split()}) == 1
    assert len(line.split()) == 101


def test_ranks_that_are_too_low_raise_the_curve():
    (line,) = [
        attrs["points"]
        for tag, attrs in Reader(difference([20] * 50 + [10] * 50, "C")).elements
        if tag == "polyline" and attrs["class"] == "curve"
    ]
    heights = [float(place.split(",")[1]) for place in line.split()]
    assert min(heights) == heights[50] < heights[0] == heights[-1]


def test_the_farthest_stratum_is_named():
    pooled = {"50": 0.5, "80": 0.8, "90": 0.9, "95": 0.95}
    strata = {"near": pooled | {"90": 0.91}, "far": pooled | {"80": 0.72}, "empty": dict.fromkeys(pooled)}
    names = [text for tag, text in Reader(coverage_plot(pooled, strata, "C")).texts if tag == "text"]
    assert "far" in names
    assert "near" not in names


def test_a_scatter_names_every_parameter_and_no_two_names_touch():
    names = {f"parameter_{k}": 0.5 + 0.01 * k for k in range(15)}
    drawing = Reader(scatter(names, dict.fromkeys(names, 0.3), right=0.0, noise=0.1, name="mean z-score"))
    labels = [attrs for tag, attrs in drawing.elements if tag == "text" and attrs["class"] == "name"]
    assert len(labels) == 15
    places = [(float(attrs["x"]), float(attrs["y"])) for attrs in labels]
    for k, (x, y) in enumerate(places):
        assert all(abs(x - a) > 60 or abs(y - b) >= 12 for a, b in places[:k])


def test_a_frame_places_its_corners():
    frame = Frame((0.0, 2.0), (-1.0, 1.0), 100.0, 100.0)
    (left, bottom), (right, top) = frame.at(0.0, -1.0), frame.at(2.0, 1.0)
    assert 0 < left < right < 100
    assert 0 < top < bottom < 100


def test_a_page_is_written_once_and_nothing_is_left_beside_it(tmp_path):
    write(tmp_path / "page.html", "<p>ö</p>")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "<p>ö</p>"
    with pytest.raises(ReportError, match="never overwritten"):
        write(tmp_path / "page.html", "other")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "<p>ö</p>"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_page_that_cannot_be_finished_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page_module.os, "fsync", full)
    with pytest.raises(ReportError, match=r"page\.html can't be written \(No space left on device\)"):
        write(tmp_path / "page.html", "text")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_went_away_is_told(tmp_path):
    with pytest.raises(ReportError, match="choose another place"):
        write(tmp_path / "gone" / "page.html", "text")
