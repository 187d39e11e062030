"""What came is found again in its place in the session, and what is read off it are its samples."""

from dataclasses import replace

import numpy as np
import pytest

from rig_plugin.feed import Live
from rig_plugin.proposal import Proposed
from rig_plugin.stretch import Hold
from rig_plugin.widgets.chronicle import Chronicle
from rig_plugin.widgets.qt import QtCore
from rig_plugin.widgets.scope import Scope
from rig_plugin.widgets.theme import DARK, LIGHT
from simulators.stimulus import Epoch, Stimulus

RATE = 20.0
HALF = Stimulus("current", (Epoch(0.0, 250.0), Epoch(40.0, 250.0)))
CLAMPED = Stimulus("voltage", (Epoch(-70.0, 250.0), Epoch(-60.0, 250.0)))


def sweep(begun, stimulus=HALF, units=None, start=0.0, file_sweep=None, rate=RATE):
    """A sweep of half a second whose samples count from a start, as do those of further channels, from 100 more."""
    live = Live(stimulus, rate, file_sweep, units or {}, begun)
    response = start + np.arange(live.expected)
    live.append(response, None, {name: response + 100.0 * (k + 1) for k, name in enumerate(units or {})})
    return live


def came(chronicle, *lives):
    for live in lives:
        chronicle.begin(live)
    chronicle.follow()
    return chronicle


def test_sweeps_lie_where_they_began_with_nothing_between_them():
    chronicle = came(Chronicle(), sweep(50.0), sweep(52.0, start=9.0))
    assert chronicle.newest == pytest.approx(2.5)
    assert chronicle.at("response", 0.25) == 5000.0
    assert np.isnan(chronicle.at("response", 1.0))
    assert chronicle.at("response", 2.0) == 9.0
    times, values = chronicle.envelope("response", 0.0, 3.0, 300)
    assert np.isnan(values[(times > 0.52) & (times < 1.98)]).all()
    assert (np.nanmin(values), np.nanmax(values)) == (0.0, 10_008.0)
    assert chronicle.mean("response", 0.0, 2.5 - 1e-4) == pytest.approx((4999.5 + 5008.5) / 2, abs=0.3)
    # What was not measured of the command is what was put out, and nothing where nothing was.
    assert [chronicle.at("command", time) for time in (0.1, 0.4)] == [0.0, 40.0]
    assert np.isnan(chronicle.at("command", 1.0))


def test_what_comes_faster_than_the_clock_goes_lies_one_after_the_other():
    chronicle = came(Chronicle(), sweep(0.0), sweep(0.01), sweep(0.02))
    assert chronicle.newest == pytest.approx(1.5)


def test_pages_of_a_held_command_have_no_gap_however_late_they_are_told():
    page = Hold(0.0, 500.0).page
    chronicle = came(Chronicle(), sweep(0.0, page), sweep(0.8, page))
    assert chronicle.newest == pytest.approx(1.0)
    # A new session after a pause is no next page.
    assert came(chronicle, sweep(9.0, page)).newest == pytest.approx(9.5)


def test_at_another_rate_or_with_other_channels_it_begins_anew():
    chronicle = came(Chronicle(), sweep(0.0))
    chronicle.mark("before")
    assert came(chronicle, sweep(3.0, rate=10.0)).newest == pytest.approx(0.5)
    assert came(chronicle, sweep(5.0, units={"bath": "degC"}, rate=10.0)).channels == ("response", "command", "bath")
    assert [flag.name for _, flag in chronicle.flags(0.0, 9.0)] == ["sweep 1"]


def test_marks_and_sweeps_stand_where_they_were_and_a_held_moment_where_it_was_held():
    chronicle = came(Chronicle(), sweep(0.0))
    chronicle.note()
    chronicle.name("trial 0")
    came(chronicle, sweep(2.0, file_sweep=7))
    chronicle.mark()
    chronicle.mark("drug on")
    told = [(round(time, 3), flag.name, flag.is_mark) for time, flag in chronicle.flags(0.0, 9.0)]
    assert told == [(0.0, "trial 0", False), (0.5, "drug on", True), (2.0, "file sweep 7", False), (2.5, "mark", True)]
    assert [flag.name for _, flag in chronicle.flags(1.0, 2.1)] == ["file sweep 7"]


def cells(line):
    """What stands in the columns of a line."""
    return [part.strip() for part in line.split("  ") if part.strip()]


@pytest.fixture
def scope(qtbot):
    widget = Scope()
    qtbot.addWidget(widget)
    widget.resize(900, 480)
    return widget


def fed(scope, *lives):
    for live in lives:
        scope.begin(live)
        scope.grow(live)
    return scope


def test_scrolled_back_the_session_is_there_with_gaps_and_names_and_follows_until_it_is_moved(qtbot, scope):
    fed(scope, *(sweep(2.0 * k) for k in range(4)))
    with qtbot.waitExposed(scope):
        scope.show()
    scope.mark("drug on")
    scope.scroll_back()
    view = scope.session
    assert scope.is_scrolled_back
    assert view.visible == pytest.approx((0.0, 30.0))
    view.look(0.0, 8.0)
    _, values = view._curves["response"].getData()
    assert np.isnan(values).any()
    assert np.nanmax(values) == 9999.0
    assert view.names == ("sweep 1", "sweep 2", "sweep 3", "▾ drug on")
    assert not view.is_following
    view.look(1.0, 2.0)
    fed(scope, sweep(60.0))
    assert view.visible == pytest.approx((1.0, 2.0))
    scope.follow.click()
    assert view.visible == pytest.approx((59.5, 60.5))
    fed(scope, sweep(62.0))
    assert view.visible == pytest.approx((61.5, 62.5))
    scope.clear()
    assert view.names == ()
    assert scope.notice
    assert scope.chronicle.is_empty


def test_what_a_sweep_brought_after_the_last_look_is_in_the_session_too(scope, scripted):
    live = sweep(0.0)
    scope.begin(live)
    scope.take(scripted.trial(3))
    scope.begin(Live(HALF, RATE, None, begun=2.0))
    assert scope.chronicle.at("response", 0.4) == 8000.0
    assert [flag.name for _, flag in scope.chronicle.flags(0.0, 3.0)] == ["trial 3", "sweep 2"]


def test_further_channels_have_lanes_in_both_views_and_go_with_them(scope):
    fed(scope, sweep(0.0, units={"bath": "degC", "light": ""}))
    for view in (scope.sweep, scope.session):
        assert view.further == ("bath", "light")
        assert [label.text() for label in view._names.values()] == ["bath (degC)", "light"]
        assert view.at("bath", 0.0) == 100.0
        assert view.at("light", 0.0) == 200.0
    fed(scope, sweep(2.0))
    assert scope.sweep.further == scope.session.further == ()


@pytest.mark.parametrize(("stimulus", "units"), [(HALF, ("mV", "pA")), (CLAMPED, ("pA", "mV"))])
def test_cursors_read_samples_in_the_units_of_the_clamp_in_both_views(scope, stimulus, units):
    fed(scope, sweep(0.0, stimulus, {"bath": "degC"}))
    assert scope.readings == ""
    scope.measure()
    scope.sweep.cursors.put(100.0, 150.0)
    head, response, command, bath = (cells(line) for line in scope.readings.splitlines())
    assert head == ["A 100.00 ms", "B 150.00 ms", "B − A 50.00 ms", "mean A to B", "slope", "1/Δt 20 Hz"]
    one, other = units
    assert response == ["response", f"2000 {one}", f"3000 {one}", f"1000 {one}", f"2500 {one}", f"20 {one}/ms"]
    level = stimulus.epochs[0].level
    assert command[1:4] == [f"{said} {other}".replace("-", "−") for said in (f"{level:.0f}", f"{level:.0f}", "0")]
    assert bath[:2] == ["bath", "2100 degC"]
    scope.scroll_back()
    scope.session.cursors.put(0.15, 0.1)
    head, response, *_ = (cells(line) for line in scope.readings.splitlines())
    assert head[0] == "A 0.15000 s"
    assert response[1:] == [f"3000 {one}", f"2000 {one}", f"−1000 {one}", f"2500 {one}", f"20000 {one}/s"]
    assert scope.sweep.mean("response", 100.0, 150.0) == scope.session.mean("response", 0.1, 0.15) == 2500.0
    # Where there is nothing, nothing is made up.
    scope.session.cursors.put(0.1, 3.0)
    assert scope.readings.splitlines()[1].count("–") == 4
    scope.measure(False)
    assert scope.readings == ""


def test_the_mouse_and_the_arrow_keys_move_the_cursor_that_is_chosen(qtbot, scope):
    fed(scope, sweep(0.0))
    with qtbot.waitActive(scope):
        scope.show()
        scope.activateWindow()
    scope.measure()
    a, b = scope.sweep.cursors.places
    pixel = 500.0 / scope.sweep.charts["response"].pixels
    qtbot.keyClick(scope, QtCore.Qt.Key.Key_Right)
    qtbot.keyClick(scope, QtCore.Qt.Key.Key_Down)
    qtbot.keyClick(scope, QtCore.Qt.Key.Key_Left, QtCore.Qt.KeyboardModifier.ShiftModifier)
    assert scope.sweep.cursors.places == pytest.approx((a + pixel, b - 20 * pixel))
    assert scope.sweep.cursors.chosen == "B"
    line = scope.sweep.cursors._lines[0][1]
    line.setValue(33.0)
    line.sigDragged.emit(line)
    assert scope.sweep.cursors.places[0] == 33.0
    assert scope.sweep.cursors.chosen == "A"
    assert {float(each.value()) for each in scope.sweep.cursors._lines[0]} == {33.0}
    scope.measure()
    scope.scroll_back()
    qtbot.keyClick(scope, QtCore.Qt.Key.Key_Up)
    assert scope.session.visible == pytest.approx((0.0, 20.0))
    qtbot.keyClick(scope, QtCore.Qt.Key.Key_Right)
    assert scope.session.visible == pytest.approx((2.0, 22.0))
    assert not scope.session.is_following
    qtbot.keyClick(scope, QtCore.Qt.Key.Key_End)
    assert scope.session.is_following


def test_the_wheel_zooms_in_time_only_and_lets_go_of_the_newest(scope):
    fed(scope, sweep(0.0))
    scope.scroll_back()
    view = scope.session.charts["response"].plot.vb
    before = view.viewRange()
    view.scaleBy((0.5, 1.0))
    view.sigRangeChangedManually.emit([True, False])
    assert not scope.session.is_following
    assert view.viewRange()[1] == before[1]
    assert scope.follow.isEnabled()


def test_the_readings_fit_into_a_narrow_panel_and_into_large_letters(scope):
    fed(scope, sweep(0.0))
    scope.measure()
    for width, theme in ((900, DARK), (560, DARK), (900, replace(LIGHT, scale=1.6))):
        scope.resize(width, 480)
        scope.wear(theme)
        scope.grab()
        metrics = scope._readings.fontMetrics()
        widest = max(metrics.horizontalAdvance(line) for line in scope.readings.splitlines())
        assert widest <= scope._readings.width()


def test_what_is_next_is_dashed_also_when_the_one_before_it_was_skipped_and_never_over_a_sweep_that_runs(
    qtbot, scripted
):
    scope = Scope()
    qtbot.addWidget(scope)
    scope.take(scripted.trial(0))
    assert scope.sweep._planned.getData()[1].max() == -35.0
    scope.propose(Proposed(scripted.stimulus(4)))
    assert scope.sweep._planned.getData()[1].max() == 145.0
    scope.begin(sweep(1.0))
    scope.propose(Proposed(scripted.stimulus(5)))
    assert scope.sweep._planned.getData()[1] is None or not scope.sweep._planned.getData()[1].size
