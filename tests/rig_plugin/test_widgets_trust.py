"""The trust panel names the feature that is off, says by how much, and shows the scores of the session."""

from dataclasses import replace

import pytest

from estimators.oddity import Check, Oddity
from rig_plugin.trial import Trust
from rig_plugin.widgets.oddities import Oddities
from rig_plugin.widgets.oddity_text import how_far, sentence
from rig_plugin.widgets.qt import QtCore, QtGui
from rig_plugin.widgets.theme import DARK, LIGHT
from rig_plugin.widgets.trust import TrustBadge

NAN = float("nan")
THRESHOLD = Oddity("threshold", "mV", -40.13, -52.1, -48.32, 1e-7, "above", "sweeps before", 5.33)
WIDTH = Oddity("half_width", "ms", 0.412, 0.61, 0.92, 4e-4, "below", "step")
COUNT = Oddity("spike_count", "1", 2.0, 5.0, 9.0, 6e-4, "below", "step")
LATENCY = Oddity("latency", "ms", NAN, 12.1, 33.0, 2e-4, "missing", "step")
CALM = Oddity("sag", "mV", 3.2, 2.1, 3.3, 0.08, "above", "sweeps before", 1.75, is_off=False)
OFF = (THRESHOLD, WIDTH, COUNT, LATENCY, replace(WIDTH, feature="later_half_width"))


def trusting(scripted, index=0, score=0.6, checks=(), off=(), reason=None, usable=True):
    trial = scripted.trial(index, withheld=not usable)
    return replace(trial, trust=Trust(usable, score, reason, tuple(Check(*each) for each in checks), off))


@pytest.fixture
def panel(qtbot):
    made = TrustBadge()
    qtbot.addWidget(made)
    made.resize(620, 150)
    made.show()
    return made


def colours(widget):
    image = widget.grab().toImage()
    return {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}


def test_the_features_that_are_off_are_told_with_value_unit_range_and_distance(panel, scripted):
    checks = (("this sweep", 0.021), ("sweeps before", 0.003), ("session", 0.2))
    panel.take(trusting(scripted, 4, 0.003, checks, OFF, "The sweeps before did not predict this one."))
    assert panel.oddities.words[:4] == (
        ("▲ threshold", "−40.1 mV", "−52.1…−48.3", "5.3 SD above"),
        ("▼ half width", "0.41 ms", "0.61…0.92", "below 99.98 %"),
        ("▼ spike count", "2", "5…9", "below 99.97 %"),
        ("○ latency", "missing", "12…33", "0.02 % lack it"),
    )
    assert panel.oddities.heading == "off, worst first"
    assert (panel.word, panel.reason) == ("caution", "The sweeps before did not predict this one.")
    assert panel.checks == "▲ this sweep 0.021 · ▲ sweeps before 0.003 · session 0.20"
    assert "5 to 95 %: −52.1…−48.3 mV" in panel.oddities.toolTip()
    assert QtGui.QColor(DARK.caution).rgb() in colours(panel.oddities)


def test_the_farthest_of_a_typical_sweep_is_not_called_off(panel, scripted):
    panel.take(trusting(scripted, checks=(("this sweep", 0.6), ("session", 0.9)), off=(CALM,)))
    assert panel.oddities.words == (("· sag", "3.2 mV", "2.1…3.3", "1.8 SD above"),)
    assert panel.oddities.heading == "none is off; the farthest"
    assert QtGui.QColor(DARK.caution).rgb() not in colours(panel.oddities)
    assert "▲" not in panel.checks


@pytest.mark.parametrize(
    ("checks", "score", "heading"),
    [
        ((("this sweep", 0.6),), 0.6, "no feature is off"),
        ((("this sweep", 0.01),), 0.01, "no feature alone is off: together they are"),
        ((), 0.0, "features of this sweep were not checked"),
        ((), NAN, "features of this sweep were not checked"),
    ],
)
def test_where_no_feature_is_told_it_says_why(panel, scripted, checks, score, heading):
    panel.take(trusting(scripted, score=score, checks=checks))
    assert panel.oddities.heading == heading
    assert panel.oddities.words == ()


def test_a_feature_that_is_off_in_a_sweep_that_is_not_is_said_to_be_so(panel, scripted):
    panel.take(trusting(scripted, score=0.22, checks=(("sweeps before", 0.22),), off=(THRESHOLD,)))
    assert panel.oddities.heading == "off; as a whole typical"
    assert panel.word == "typical"


def test_a_panel_that_was_not_yet_shown_changes_its_colours_wholly(qtbot, scripted):
    made = TrustBadge()
    qtbot.addWidget(made)
    made.resize(620, 150)
    made.wear(LIGHT)
    made.take(trusting(scripted, checks=(("this sweep", 0.6),), off=(CALM,)))
    seen = colours(made)
    assert QtGui.QColor(LIGHT.text).rgb() in seen
    assert not {QtGui.QColor(DARK.panel).rgb(), QtGui.QColor(DARK.text).rgb()} & seen


def test_the_alarm_of_a_session_is_told_as_evidence_and_one_cell_in_twenty_ever_has_it(panel, scripted):
    panel.take(trusting(scripted, checks=(("this sweep", 0.6), ("session", 0.021))))
    assert panel.checks == "this sweep 0.60 · ■ session alarm 48:1"
    assert "one sound cell in 20 at most ever comes to 0.05" in panel._checks.toolTip()


def test_each_trial_is_a_point_whose_shape_is_its_verdict_and_a_new_session_begins_anew(panel, scripted):
    panel.take(trusting(scripted, 0, 0.6), trusting(scripted, 1, 0.02))
    # One has no posterior, the other keeps that of the sweeps before.
    refused = replace(scripted.trial(3), trust=Trust(False, 0.0, "The junction is broken: this sweep is not used."))
    panel.take(trusting(scripted, 2, 0.0, usable=False), refused)
    assert panel.strip.scores == (0.6, 0.02, 0.0, 0.0)
    assert panel.strip.words == ("typical", "caution", "withheld", "withheld")
    with_points = colours(panel.strip)
    panel.clear()
    assert panel.strip.scores == ()
    assert QtGui.QColor(DARK.now).rgb() in with_points - colours(panel.strip)
    assert panel.notice == "Judged after the first sweep."


def test_pointing_at_a_score_reads_its_trial(panel, scripted):
    panel.take(trusting(scripted, 7, 0.0213, (("session", 0.5),)))
    at = QtCore.QPointF(panel.strip._x(panel.strip._place(), 0), 10.0)
    move = QtGui.QMouseEvent(
        QtCore.QEvent.Type.MouseMove, at, at, QtCore.Qt.MouseButton.NoButton, QtCore.Qt.MouseButton.NoButton,
        QtCore.Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    panel.strip.mouseMoveEvent(move)
    assert panel.strip.toolTip().startswith("trial 7: 0.021 caution, session p 0.50\n")


def test_a_low_panel_shows_the_worst_and_says_how_many_more_there_are(panel, scripted):
    long = "The junction potential is unknown and taken as 0 mV. " * 8
    panel.take(trusting(scripted, 0, 0.003, (("this sweep", 0.003),), OFF, long))
    panel.repaint()
    low = panel.oddities.height()
    assert low >= panel.oddities.minimumHeight() >= 2 * 17
    assert panel._area.height() >= 30 and panel._checks.height() >= 12
    assert panel._checks.mapTo(panel, panel._checks.rect().bottomLeft()).y() < panel.height()
    panel.resize(620, 420)
    panel.layout().activate()
    assert panel.oddities.height() == panel.oddities.sizeHint().height() > low
    assert panel._area.verticalScrollBar().maximum() == 0
    panel.take(trusting(scripted, 1, 0.9))
    panel.layout().activate()
    short = panel._area.maximumHeight()
    panel.take(trusting(scripted, 2, 0.003, (), (), long))
    assert panel._area.maximumHeight() > short


@pytest.mark.parametrize("odd", OFF)
@pytest.mark.parametrize("theme", [DARK, LIGHT, replace(DARK, scale=1.5)])
def test_a_row_is_drawn_in_each_theme_and_however_narrow(qtbot, odd, theme):
    widget = Oddities()
    qtbot.addWidget(widget)
    widget.wear(theme)
    widget.show_rows("off", (odd, replace(odd, low=NAN, high=NAN)))
    widget.resize(90, 60)
    assert len(colours(widget)) > 2
    assert widget._columns()[-1] <= max(90.0, theme.pixels(250))
    widget.resize(theme.pixels(430), 60)
    assert widget._columns()[-1] <= widget.width() + 7
    widget.resize(theme.pixels(700), 60)
    assert widget._columns()[2] - widget._columns()[1] > theme.pixels(48)
    assert QtGui.QColor(theme.caution).rgb() in colours(widget)


def test_a_distance_beyond_what_can_be_told_is_a_bound():
    assert how_far(replace(THRESHOLD, widths=8.0)) == "≥8 SD above"
    assert how_far(replace(WIDTH, p=1e-9)) == "below >99.99 %"
    assert how_far(replace(LATENCY, p=1e-9)) == "<0.01 % lack it"
    assert sentence(replace(LATENCY, side="there", value=12.0)).startswith("latency is 12 ms; 0.02 % of simulated")
    assert sentence(LATENCY).startswith("latency is missing, as in 0.02 % of simulated sweeps of such a step")
