"""Figures: light, whole, clipped, named, and the panel on the screen never changes."""

import re
from datetime import datetime
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig_plugin.widgets.caption import Caption, program
from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.curves import FiringCurve, VoltageCurve
from rig_plugin.widgets.evolution import Evolution
from rig_plugin.widgets.features import FeatureTable
from rig_plugin.widgets.figure import Figure, figure
from rig_plugin.widgets.log import Log
from rig_plugin.widgets.membrane import MembranePanel
from rig_plugin.widgets.pairs import Pairs
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.posterior import PosteriorPanel
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets, pg
from rig_plugin.widgets.scope import Scope
from rig_plugin.widgets.theme import DARK, LIGHT
from rig_plugin.widgets.trust import TrustBadge
from simulators.sweep import Sweep

CAPTION = "Scope · simulated cell · trial 3 · network cortical-steps"
SVG = "{http://www.w3.org/2000/svg}"
NOW = QtGui.QColor(LIGHT.now).name()


def panels(s):
    """Every panel that is a figure, with what stands on it somewhere once there are trials."""
    return {
        "time (ms)": Scope(),
        "step (pA)": FiringCurve(),
        "V–I": VoltageCurve(),
        "C (pF)": Evolution(s.parameters),
        "mS/cm2": Pairs(s.parameters),
        "tau_max": PosteriorPanel(s.parameters),
        "MOhm": FeatureTable(s.features),
        "Trust": TrustBadge(),
        "Membrane": MembranePanel(),
        "all": Log(),
    }


def words(svg):
    """Read all text of a figure."""
    return " ".join("".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text"))


def coloured(image, colour):
    """Find pixels of about a colour, shape (height, width)."""
    rgb = pg.functions.ndarray_from_qimage(image).astype(int)[:, :, 2::-1]
    wanted = np.array(QtGui.QColor(colour).getRgb()[:3])
    return np.abs(rgb - wanted).max(axis=2) < 40


def curves(svg, chart=0):
    """Give the points of a chart's curves in the accent colour, as they stand in the file."""
    inside = [group for group in ElementTree.fromstring(svg).iter(f"{SVG}g") if group.get("clip-path")][chart]
    found = []
    for group in inside.iter(f"{SVG}g"):
        if group.get("stroke") == NOW:
            for path in (*group.findall(f"{SVG}path"), *group.findall(f"{SVG}polyline")):
                numbers = re.findall(r"-?[\d.]+(?:e[+-]?\d+)?", path.get("d") or path.get("points"))
                found.append(np.array(numbers, float).reshape(-1, 2))
    return found


def test_every_panel_is_a_light_figure_with_its_words_and_stays_as_it_was(qtbot, scripted):
    trials = [scripted.trial(index) for index in range(4)]
    for word, panel in panels(scripted).items():
        qtbot.addWidget(panel)
        panel.resize(480, 400)
        panel.show()
        panel.take(*trials)
        QtWidgets.QApplication.processEvents()
        before, size = panel.grab().toImage(), panel.size()
        made = figure(panel, CAPTION)
        svg, image = made.svg(), made.image(2.0)
        QtWidgets.QApplication.processEvents()
        assert panel.theme == DARK and panel.size() == size
        assert panel.grab().toImage() == before, panel.heading
        root = ElementTree.fromstring(svg)
        assert root.findtext(f"{SVG}title") == root.findtext(f"{SVG}desc") == image.text("Description") == CAPTION
        said = words(svg)
        assert "Scope · simulated cell" in said and (word in said or word == "all")
        assert all(tone.encode() not in svg for tone in (DARK.panel, DARK.ground, DARK.now)), panel.heading
        # What is pressed belongs to the screen.
        assert "scroll back" not in said
        families = set(re.findall(rb'font-family="([^"]*)"', svg))
        assert all(re.fullmatch(rb"'[^']+', (monospace|sans-serif)", family) for family in families)
        assert image.width() == 2 * made.width and image.height() == 2 * made.height
        assert image.pixelColor(image.width() // 2, image.height() - 2) == QtGui.QColor(LIGHT.panel)
        assert coloured(image, LIGHT.panel).mean() > 0.5, panel.heading


def test_what_scrolls_is_whole_on_paper(qtbot, scripted):
    panel = FeatureTable(scripted.features)
    qtbot.addWidget(panel)
    panel.resize(420, 130)
    panel.show()
    said = words(figure(panel, CAPTION, QtCore.QSize(500, 130)).svg())
    assert all(feature.name.replace("_", " ") in said for feature in scripted.features)


def test_a_spike_of_one_sample_is_in_the_figure_at_its_height(qtbot, scripted):
    quiet = scripted.sweep(0)
    response = np.full(quiet.response.size, -70.0)
    response[9001] = 31.0
    panel = Scope()
    qtbot.addWidget(panel)
    panel.resize(500, 360)
    panel.show()
    panel.take(scripted.trial(0, sweep=Sweep(response, quiet.rate, quiet.stimulus, quiet.command)))
    made = figure(panel, CAPTION, QtCore.QSize(400, 300))
    low, high = panel.sweep.charts["response"].plot.vb.viewRange()[1]
    frame = made.inks[0].frame
    wanted = frame.top() + (high - 31.0) / (high - low) * frame.height()
    drawn = min(curves(made.svg()), key=lambda points: points[:, 1].min())
    assert drawn[:, 1].min() + made.inks[0].origin.y() == pytest.approx(wanted, abs=0.5)
    rows = np.flatnonzero(coloured(made.image(3.0), LIGHT.now)[: round(3 * frame.bottom())].any(axis=1))
    assert rows[0] / 3.0 == pytest.approx(wanted, abs=1.5)


def test_what_a_zoom_hides_is_hidden_in_the_figure(qtbot, scripted):
    panel = Scope()
    qtbot.addWidget(panel)
    panel.resize(500, 360)
    panel.show()
    panel.take(scripted.trial(5))
    chart = panel.sweep.charts["response"]
    chart.plot.vb.setYRange(-66.0, -60.0, padding=0)
    chart.is_zoomed = True
    made = figure(panel, CAPTION)
    seen = coloured(made.image(1.0), LIGHT.now)
    for ink in made.inks:
        frame = ink.frame.toAlignedRect()
        seen[frame.top() : frame.bottom() + 1, frame.left() : frame.right() + 1] = False
    assert not seen.any()
    svg = ElementTree.fromstring(made.svg())
    clipped = [group for group in svg.iter(f"{SVG}g") if group.get("clip-path")]
    assert len(clipped) == len(made.inks) == len(list(svg.iter(f"{SVG}clipPath"))) >= 2
    rect = next(svg.iter(f"{SVG}clipPath")).find(f"{SVG}rect")
    assert float(rect.get("height")) == pytest.approx(made.inks[0].frame.height(), abs=1e-3)
    # The spikes are in the file, and reach out of the axes: it is the clipping that keeps them in.
    assert min(points[:, 1].min() for points in curves(made.svg())) < -100.0


def test_a_millisecond_after_an_hour_is_as_sharp_as_the_first(qtbot):
    panel = Panel("Late", "")
    chart = Chart(("time", "ms"), ("", "mV"))
    panel._body.addWidget(chart)
    qtbot.addWidget(panel)
    panel.resize(400, 300)
    panel.show()
    times = 3_600_000.0 + np.linspace(0.0, 1.0, 101)
    chart.plot.plot(times, np.sin(times), pen=pg.mkPen(LIGHT.now))
    chart.span(x=(times[0], times[-1]), y=(-1.0, 1.0))
    made = figure(panel, CAPTION)
    steps = np.diff(curves(made.svg())[0][:, 0])
    assert steps == pytest.approx(made.inks[0].frame.width() / 100, abs=0.02)


def test_a_withheld_posterior_is_withheld_in_the_figure(qtbot, scripted):
    panel = PosteriorPanel(scripted.parameters)
    qtbot.addWidget(panel)
    panel.resize(500, 330)
    panel.show()
    panel.take(scripted.trial(3))
    median = panel.rows["C"].numbers[0]
    assert median in words(figure(panel, CAPTION).svg())
    panel.take(scripted.trial(4, withheld=True, reason="The seal broke."))
    made = figure(panel, CAPTION)
    said = words(made.svg())
    assert "Posterior withheld" in said and "broke" in said and "C" in said
    assert median not in said and " nS" not in said
    assert not coloured(made.image(1.0), LIGHT.now).any()


def test_the_caption_says_what_it_was_of():
    moment = datetime(2026, 3, 1, 14, 5, 9)
    text = Caption("Scope", "rig\n.toml", "steps v3", moment, 17, "cell2.h5").text
    assert text.split(" · ") == [
        "Scope", "rig .toml", "trial 17", "2026-03-01 14:05:09", "network steps v3", "kept in cell2.h5", program(),
    ]  # fmt: skip
    assert re.fullmatch(r"rig-plugin( \d.*)?", program())
    assert "before the first trial" in Caption("Scope", "a", "b", moment).text


@given(st.text(max_size=40))
def test_whatever_a_file_is_called_the_figure_can_be_read(qapp, caption):
    empty = QtGui.QPicture()
    root = ElementTree.fromstring(Figure(10, 10, caption, empty, (), empty).svg())
    allowed = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "", caption)
    # XML has one kind of line break.
    assert (root.findtext(f"{SVG}title") or "") == re.sub("\r\n?", "\n", allowed)
