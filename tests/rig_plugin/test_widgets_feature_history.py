"""A feature's history shows what was measured over what was predicted, trial by trial, with its unit."""

from dataclasses import replace

import numpy as np
import pytest

from rig_plugin.widgets.features import FeatureTable
from rig_plugin.widgets.qt import QtCore, QtGui
from rig_plugin.widgets.theme import DARK, LIGHT

NAN = float("nan")


@pytest.fixture
def table(qtbot, scripted):
    made = FeatureTable(scripted.features)
    qtbot.addWidget(made)
    made.resize(410, 260)
    made.show()
    return made


def measuring(scripted, index, value, predicted=None):
    trial = scripted.trial(0)
    told = {} if predicted is None else {"threshold": predicted}
    return replace(trial, index=index, features=trial.features | {"threshold": value}, predictive=told)


def click(qtbot, table, name):
    row = [feature.name for feature in table._features].index(name)
    item = table._table.item(row, 0)
    table._table.scrollToItem(item)
    place = table._table.visualItemRect(item).center()
    qtbot.mouseClick(table._table.viewport(), QtCore.Qt.MouseButton.LeftButton, pos=place)


def drawn(curve):
    xs, ys = curve.getData()
    return [] if xs is None else list(zip(np.asarray(xs).tolist(), np.asarray(ys).tolist(), strict=True))


def test_a_click_on_a_row_shows_its_history_another_changes_it_and_the_same_closes_it(qtbot, table, scripted):
    assert table.history.isHidden()
    table.take(measuring(scripted, 0, -50.0))
    told = []
    table.chosen.connect(told.append)
    click(qtbot, table, "threshold")
    assert not table.history.isHidden() and table.history.title == "threshold (mV) by trial"
    assert table.history._chart.plot.getAxis("left").labelText == "mV"
    assert "rises by 20 mV/ms" in table.history._chart.toolTip()
    click(qtbot, table, "spike_count")
    assert table.history.title == "spike count by trial"
    click(qtbot, table, "spike_count")
    assert table.history.isHidden()
    assert told == ["threshold", "spike_count", ""]


def test_points_lie_at_what_was_measured_and_bars_at_what_was_predicted_with_a_gap_where_it_is_missing(table, scripted):
    table.choose("threshold")
    table.take(
        measuring(scripted, 0, -50.0),
        measuring(scripted, 1, NAN, (-52.0, -50.0, -48.0)),
        measuring(scripted, 2, -45.0, (-52.0, -50.0, -48.0)),
        measuring(scripted, 3, -60.0, (-52.0, -50.0, -47.0)),
    )
    history = table.history
    np.testing.assert_array_equal(history.values, (-50.0, NAN, -45.0, -60.0))
    np.testing.assert_array_equal(history.ranges, ((NAN, NAN), (-52.0, -48.0), (-52.0, -48.0), (-52.0, -47.0)))
    # A line is broken where a sweep does not have the feature, and a cross at the foot says so.
    np.testing.assert_array_equal(drawn(history._line), [(0.0, -50.0), (1.0, NAN), (2.0, -45.0), (3.0, -60.0)])
    assert history._line.opts["connect"] == "finite"
    assert [x for x, _ in drawn(history._gaps)] == [1.0]
    assert drawn(history._high) == [(2.0, -45.0)] and drawn(history._low) == [(3.0, -60.0)]
    bars = history._bars.opts
    assert bars["x"].tolist() == [1.0, 2.0, 3.0] and (bars["y"] + bars["top"]).tolist() == [-48.0, -48.0, -47.0]
    assert history._read(2.2, 0.0) == "trial 2  −45 mV  −52…−48"
    assert history._read(1.0, 0.0) == "trial 1  –  −52…−48"


def test_a_new_session_begins_a_new_history_of_the_same_feature(table, scripted):
    table.take(measuring(scripted, 0, -50.0))
    table.choose("threshold")
    table.clear()
    assert table.history.values == () and table.history.followed == "threshold"
    table.take(measuring(scripted, 0, -40.0))
    assert table.history.values == (-40.0,)


def test_a_history_wears_both_themes_and_stands_beside_the_table_where_there_is_room(table, scripted):
    table.take(measuring(scripted, 0, -50.0, (-52.0, -50.0, -48.0)))
    table.choose("threshold")
    assert table._split.orientation() == QtCore.Qt.Orientation.Vertical
    for theme in (DARK, LIGHT):
        table.wear(theme)
        image = table.history.grab().toImage()
        seen = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
        assert QtGui.QColor(theme.panel).rgb() in seen and QtGui.QColor(theme.past).rgb() in seen
    table.resize(900, 260)
    assert table._split.orientation() == QtCore.Qt.Orientation.Horizontal
    assert table.history.width() > 300


def test_an_unknown_feature_closes_the_history(table):
    table.choose("threshold")
    table.choose("no such thing")
    assert table.history.isHidden() and table.history.followed == ""
