"""The membrane's panel tells each number of a test with its unit, its age, and a word where a rule is broken."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from hardware.forepulse import with_forepulse
from hardware.membrane import Membrane
from rig_plugin.access import Alarm, alarms
from rig_plugin.balance import balance
from rig_plugin.bridge import Bridge
from rig_plugin.feed import Feed
from rig_plugin.membrane_tests import Tested as OneTest
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.resting import resting
from rig_plugin.vital_sign import SIGNS
from rig_plugin.widgets.membrane import MembranePanel
from rig_plugin.widgets.number import MISSING
from rig_plugin.widgets.qt import QtGui
from rig_plugin.widgets.theme import DARK, LIGHT
from rig_plugin.window import Window
from simulators.stimulus import step
from simulators.sweep import Sweep

RULES = QualitySettings()
GOOD = Membrane("voltage", 12.0, 200.0, 80.0, 0.9, -30.0, -70.0, 0.99)
START = datetime(2024, 3, 1, tzinfo=UTC)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def panel(qtbot, clock):
    made = MembranePanel(RULES, clock)
    qtbot.addWidget(made)
    made.resize(730, 120)
    return made


def pulsed(index=0, resistance=150.0, rest=-70.0, bridge=0.0, tau=20.0):
    """A sweep of a passive cell behind a test pulse."""
    stimulus = with_forepulse(step(50.0, onset=150.0, duration=200.0, tail=50.0), -20.0, 100.0, 150.0)
    command = stimulus.command(20.0)
    v = np.empty(command.size)
    now = 0.0
    for k, current in enumerate(command):
        now += (resistance * current * 1e-3 - now) / tau / 20.0
        v[k] = now
    response = rest + v + bridge * command * 1e-3 + np.random.default_rng(index).normal(0.0, 0.02, v.size)
    start = START + timedelta(seconds=5 * index)
    return Sweep(response, 20.0, stimulus, command, command_source="recorded channel", start=start)


def trial(scripted, index=0, **cell):
    return replace(scripted.trial(index), sweep=pulsed(index, **cell))


def words(panel, clamp="current"):
    return {strip.sign.name: strip.words for strip in panel.strips[clamp]}


def judged(membrane, index=0, first=None):
    return OneTest(index, membrane, "whole cell", alarms(membrane, first, RULES))


def test_each_number_of_the_pulse_before_a_step_has_its_unit_and_its_age(panel, clock, scripted):
    panel.take(trial(scripted))
    panel.grow_old()
    told = words(panel)
    assert list(told) == ["Rin", "tau", "Cm", "bridge", "Vm", "holding"]
    assert told["Rin"].endswith(" MOhm now") and 145 < float(told["Rin"].split()[1]) < 155
    assert told["tau"].endswith(" ms now") and 19.0 < float(told["tau"].split()[1]) < 21.0
    assert told["Cm"].endswith(" pF now") and 127 < float(told["Cm"].split()[1]) < 140
    assert told["Vm"] == "Vm −70.0 mV now"
    assert told["holding"] == "holding 0 pA now"
    clock.now += 12.4
    panel.grow_old()
    assert words(panel)["Vm"] == "Vm −70.0 mV 12 s ago"
    # A sweep without a pulse makes nothing younger.
    panel.take(scripted.trial(1))
    assert words(panel)["Vm"] == "Vm −70.0 mV 12 s ago"
    assert "current clamp" in panel._aside.text()


@pytest.mark.parametrize(
    ("cell", "name", "said"),
    [
        ({"rest": -45.0}, "Vm", "▲ high"),
        ({"rest": -20.0}, "Vm", "■ dead"),
        ({"bridge": 40.0}, "bridge", "▲ off"),
    ],
)
def test_a_broken_rule_is_a_shape_a_word_and_a_colour_at_its_own_number(panel, scripted, cell, name, said):
    panel.take(trial(scripted))
    plain = shown(panel, name)
    panel.take(trial(scripted, 1, **cell))
    told = words(panel)
    assert said in told.pop(name)
    assert not any(shape in text for text in told.values() for shape in "▲■")
    colour = DARK.danger if said[0] == "■" else DARK.caution
    assert QtGui.QColor(colour).rgb() in shown(panel, name) - plain
    strip = next(strip for strip in panel.strips["current"] if strip.sign.name == name)
    assert ":" in strip.toolTip() or "above" in strip.toolTip()


def shown(panel, name):
    """The colours of a strip."""
    strip = next(strip for strip in panel.strips["current"] if strip.sign.name == name)
    image = strip.grab().toImage()
    return {image.pixel(x, y) for x in range(image.width()) for y in range(14, 36)}


def test_each_limit_of_the_rest_is_a_rule_with_a_name():
    cell = Membrane("current", 2.0, 150.0, 100.0, 15.0, 0.0, -60.0, 0.99)
    rules = QualitySettings()
    assert resting(cell, rules) == ()
    assert [(a.rule, a.grade) for a in resting(replace(cell, potential=-30.0, access=-25.0), rules)] == [
        ("rest_warn", "warn"), ("bridge", "warn"),
    ]  # fmt: skip
    # One pulse alone is believed only as far as its noise, seven of them together as far as theirs.
    slightly = replace(cell, access=-12.0)
    assert resting(slightly, rules) == ()
    assert [a.rule for a in resting(slightly, rules, balance(7 * [-12.0]))] == ["bridge"]
    assert [a.rule for a in resting(replace(cell, potential=-29.0, access=float("nan")), rules)] == ["rest_stop"]
    assert resting(replace(cell, clamp="voltage", potential=0.0), rules) == ()
    high = replace(cell, potential=-47.0)
    assert [a.rule for a in resting(high, rules)] == ["rest_warn"]
    assert resting(high, QualitySettings(preset="interneuron")) == ()


def test_a_single_pulse_does_not_turn_the_bridge_amber_and_a_changed_access_does_within_five(panel, scripted):
    pulse = trial(scripted).membrane
    noise = np.random.default_rng(4).normal(0.0, 6.0, 12)
    noise[5] = -15.7

    def push(index, residual):
        swept = scripted.trial(index)
        vars(swept)["membrane"] = replace(pulse, access=float(residual))
        panel.take(swept)
        return words(panel)["bridge"]

    told = [push(k, 1.3 + each) for k, each in enumerate(noise)]
    assert not any("▲" in each for each in told)
    strip = next(strip for strip in panel.strips["current"] if strip.sign.name == "bridge")
    # What was measured stays as it was measured; what is shown is the median of seven.
    assert [value for _, value in strip.points] == pytest.approx([1.3 + each for each in noise])
    median = float(np.median(1.3 + noise[-7:]))
    error = balance(list(1.3 + noise)).error
    assert told[-1] == f"bridge {median:.0f} ±{error:.0f} MOhm now".replace("-", "−")
    assert f"Median of 7, with its standard error; the newest alone says {1.3 + noise[-1]:.1f} MOhm" in (
        strip.toolTip().replace("−", "-")
    )
    after = [push(20 + k, 26.3 + each) for k, each in enumerate(noise[:5])]
    assert "▲ off" in after[-1] and "▲" not in after[0]
    assert "± " in strip.toolTip() and "balance it" in strip.toolTip()
    # A pulse that can't tell is a dash and no alarm.
    assert push(30, np.nan) == f"bridge {MISSING} MOhm now"
    panel.clear()
    assert push(0, 2.0) == "bridge 2 ±7 MOhm now"


def test_every_rule_has_a_word_at_one_number():
    for clamp, signs in SIGNS.items():
        assert sum("holding" in sign.rules for sign in signs) == (clamp == "voltage")
    named = {rule for sign in SIGNS["voltage"] for rule in sign.rules}
    bad = [
        judged(replace(GOOD, access=31.0, resistance=60.0, holding=-300.0), first=GOOD),
        judged(replace(GOOD, access=22.0)),
    ]
    assert {alarm.rule for each in bad for alarm in each.alarms} == named


def test_a_protocol_without_a_pulse_is_told_and_how_to_have_one(panel, scripted):
    assert "test pulse before each step" in panel.notice
    panel.take(scripted.trial(0))
    assert panel.notice.startswith("No test pulse in this protocol: [protocol] test_pulse_pA")
    panel.take(replace(scripted.trial(1), file_sweep=3))
    assert panel.notice == "No test pulse before the step of this recording."
    panel.take(trial(scripted, 2))
    assert panel.notice == ""
    panel.clear()
    assert "test pulse before each step" in panel.notice
    assert not any(strip.points for strip in panel.strips["current"])


def test_the_strip_goes_by_the_clock_of_the_recording_where_there_is_one(panel, clock, scripted):
    panel.take(*(trial(scripted, k) for k in (0, 1, 3)))
    assert [time for time, _ in panel.strips["current"][0].points] == [0.0, 5.0, 15.0]
    panel.clear()
    for k in range(2):
        panel.test(judged(GOOD, k))
        clock.now += 2.0
    assert [time for time, _ in panel.strips["voltage"][0].points] == [0.0, 2.0]


def test_what_a_test_can_not_tell_is_a_dash_and_never_the_last_good_value(panel):
    panel.test(judged(GOOD))
    panel.test(judged(replace(GOOD, access=float("nan"), resistance=float("inf"))))
    told = words(panel, "voltage")
    assert told["access"] == f"access {MISSING} MOhm now"
    assert told["Rin"] == f"Rin {MISSING} MOhm now"
    assert not panel.grab().toImage().isNull()


def test_a_test_in_voltage_clamp_shows_its_own_numbers_and_keeps_the_others(panel, clock, scripted):
    panel.show()
    panel.take(trial(scripted))
    panel.test(judged(replace(GOOD, access=31.0, resistance=400.0)))
    assert words(panel, "voltage")["access"] == "access 31.0 MOhm ■ too high now"
    assert "whole cell" in panel._aside.text() and "voltage clamp" in panel._aside.text()
    assert panel.strips["voltage"][0].isVisible() and not panel.strips["current"][0].isVisible()
    clock.now += 130.0
    panel.take(trial(scripted, 1))
    assert panel.strips["current"][0].isVisible() and not panel.strips["voltage"][0].isVisible()
    assert len(panel.strips["current"][0].points) == 2
    assert words(panel, "voltage")["access"].endswith("2 min ago")


def test_a_strip_paints_only_what_has_changed(panel, clock, monkeypatch):
    panel.test(judged(GOOD))
    painted = []
    strip = panel.strips["voltage"][0]
    monkeypatch.setattr(strip, "update", lambda: painted.append(strip.age))
    for _ in range(60):
        clock.now += 0.05
        panel.grow_old()
    assert painted == ["1 s ago", "2 s ago"] or painted == ["1 s ago", "2 s ago", "3 s ago"]


def test_it_wears_both_themes(panel, scripted):
    panel.take(trial(scripted))
    panel.wear(DARK)
    dark = panel.grab().toImage()
    panel.wear(LIGHT)
    assert panel.grab().toImage() != dark


def test_a_membrane_test_that_was_told_reaches_the_window(qtbot, scripted):
    window = Window(scripted.control(), scripted.parameters, scripted.features, "net", "cell", rules=RULES)
    qtbot.addWidget(window)
    window.feed.tested(judged(replace(GOOD, holding=-150.0)))
    qtbot.waitUntil(lambda: "■ leaks" in window.membrane.words)
    window.feed.finished(trial(scripted))
    qtbot.waitUntil(lambda: "Vm −70.0 mV" in window.membrane.words)
    window.start()
    assert window.membrane.notice


def test_tests_and_trials_are_told_in_the_order_in_which_they_came(qtbot, scripted):
    feed, told = Feed(), []
    bridge = Bridge(feed)
    bridge.finished.connect(lambda trials: told.extend(trial.index for trial in trials))
    bridge.tested.connect(lambda tested: told.append("test"))
    feed.finished(scripted.trial(0))
    feed.tested(judged(GOOD))
    feed.finished(scripted.trial(1))
    bridge.poll()
    assert told == [0, "test", 1]


def test_an_alarm_of_another_number_leaves_a_strip_as_it_is(panel):
    strip = panel.strips["voltage"][1]
    strip.push(0.0, 200.0, [Alarm("access_stop", "stop", "said")])
    assert "■" not in strip.words
