import dataclasses

import numpy as np
import pytest

from rig_plugin.feed import Live
from rig_plugin.gain import gain
from rig_plugin.trial import Latency, Posterior, Trial, Trust
from rig_plugin.widgets.curves import FiringCurve, VoltageCurve, firing_rate, steady_voltage
from rig_plugin.widgets.evolution import Evolution
from rig_plugin.widgets.features import FeatureTable, surprise
from rig_plugin.widgets.header import Header
from rig_plugin.widgets.marginal import Marginal
from rig_plugin.widgets.pairs import Pairs
from rig_plugin.widgets.posterior import PosteriorPanel
from rig_plugin.widgets.qt import QtCore, pg
from rig_plugin.widgets.scope import Scope, crossings
from rig_plugin.widgets.status_line import StatusLine
from rig_plugin.widgets.theme import DARK, LIGHT
from rig_plugin.widgets.trust import TrustBadge
from rig_plugin.widgets.verdict import verdict
from simulators.parameter import Parameter

PANELS = {
    "header": lambda s: Header(False, 0.0),
    "scope": lambda s: Scope(),
    "features": lambda s: FeatureTable(s.features),
    "f-I": lambda s: FiringCurve(),
    "V-I": lambda s: VoltageCurve(),
    "trust": lambda s: TrustBadge(),
    "posterior": lambda s: PosteriorPanel(s.parameters),
    "evolution": lambda s: Evolution(s.parameters),
    "pairs": lambda s: Pairs(s.parameters),
    "status line": lambda s: StatusLine("simulated cell", "cortical-steps"),
}
BARE = Trial(0, 0, None, {}, None, 0, Trust(False, 0.0, "The header names no unit."), Latency(1.0, None, 2.0))


def colours(panel) -> int:
    """Count the colours of a panel as it is drawn."""
    image = panel.grab().toImage().convertToFormat(pg.QtGui.QImage.Format.Format_RGB32)
    return len(np.unique(pg.functions.ndarray_from_qimage(image).reshape(-1, 4), axis=0))


@pytest.fixture(params=PANELS)
def panel(request, qtbot, scripted):
    widget = PANELS[request.param](scripted)
    qtbot.addWidget(widget)
    widget.resize(500, 360)
    return widget


def test_every_panel_shows_something_before_it_has_anything(panel):
    assert colours(panel) > 2


def test_every_panel_takes_a_trial_that_lacks_everything(panel):
    panel.take(BARE)
    assert colours(panel) > 2


def test_every_panel_takes_a_trial_with_missing_features_and_no_posterior(panel, scripted):
    trial = scripted.trial(0, withheld=True, reason="No spike yet.")
    features = {name: float("nan") for name in trial.features}
    panel.take(dataclasses.replace(trial, features=features, predictive={}))
    assert colours(panel) > 2


def test_every_panel_takes_many_trials_and_changes_with_them(panel, scripted):
    empty = panel.grab().toImage()
    panel.take(*(scripted.trial(index) for index in range(4)))
    assert panel.grab().toImage() != empty


def test_every_panel_forgets_when_it_is_cleared(panel, scripted):
    panel.take(scripted.trial(2))
    panel.clear()
    panel.take(BARE)
    assert colours(panel) > 2


def test_every_panel_wears_both_themes(panel, scripted):
    panel.take(scripted.trial(1))
    panel.wear(DARK)
    dark = panel.grab().toImage()
    panel.wear(LIGHT)
    assert panel.grab().toImage() != dark


def test_empty_plots_say_what_will_appear(qtbot, scripted):
    for make in (Scope, FiringCurve, VoltageCurve, TrustBadge, lambda: Evolution(scripted.parameters)):
        widget = make()
        qtbot.addWidget(widget)
        assert widget.notice
        widget.take(scripted.trial(0))
        assert not widget.notice


def test_a_posterior_is_drawn_with_median_interval_and_unit(qtbot, scripted):
    widget = PosteriorPanel(scripted.parameters)
    qtbot.addWidget(widget)
    trial = scripted.trial(3)
    widget.take(trial)
    value, interval, _ = widget.rows["C"].numbers
    low, median, high = np.quantile(trial.posterior.draws[:, 0], [0.05, 0.5, 0.95])
    assert value == f"{median:.0f} pF"
    assert interval == f"{low:.0f}–{high:.0f}"
    assert not widget.notice


def test_a_conductance_is_shown_in_nanosiemens_beside_its_density(qtbot, scripted):
    widget = PosteriorPanel(scripted.parameters)
    qtbot.addWidget(widget)
    trial = scripted.trial(6)
    widget.take(trial)
    value, _, density = widget.rows["g_M"].numbers
    whole = np.median(trial.posterior.draws[:, 4] * trial.posterior.draws[:, 0])
    assert float(value.removesuffix(" nS")) == pytest.approx(whole, rel=0.15)
    assert density.endswith(" nS/pF")


def test_the_panel_says_how_much_of_the_uncertainty_is_the_model_s(qtbot, scripted):
    trial = scripted.trial(3)
    size = np.linspace(0.03, 0.3, len(trial.posterior.draws))[:, None]
    names = (*scripted.parameters, Parameter("discrepancy", "1", 0.02, 0.4, "log"))
    widget = PosteriorPanel(names)
    qtbot.addWidget(widget)
    told = Posterior(names, np.concatenate([trial.posterior.draws, size], axis=1))
    widget.take(dataclasses.replace(trial, posterior=told))
    assert "% model error" in widget._aside.text()
    assert "real cells are not this model" in widget._aside.toolTip()
    widget.take(trial)
    assert "model error" not in widget._aside.text() + widget._aside.toolTip()


def test_the_panel_says_how_many_bits_the_newest_sweep_added_and_nothing_where_it_added_none(qtbot, scripted):
    widget = PosteriorPanel(scripted.parameters)
    qtbot.addWidget(widget)
    first, second = scripted.trial(0), scripted.trial(1)
    widget.take(first)
    learnt = gain(None, first.posterior)
    assert f"1 sweep · +{learnt.bits:.1f} bits ({learnt.foremost})" in widget._aside.text()
    widget.take(second)
    assert f" · +{gain(first.posterior, second.posterior).bits:.1f} bits" in widget._aside.text()
    assert "half the volume" in widget._aside.toolTip()
    # A sweep that was not used, and one after a posterior that was withheld.
    widget.take(dataclasses.replace(second, index=2))
    assert "bits" not in widget._aside.text() + widget._aside.toolTip()
    widget.take(scripted.trial(3, withheld=True, reason="No cell."), scripted.trial(4))
    assert "bits" not in widget._aside.text()


@pytest.mark.parametrize(("source", "said"), [("unknown", "effective, at holding"), ("amplifier", "")])
def test_e_leak_is_called_effective_where_the_holding_is_unknown(qtbot, scripted, source, said):
    trial = scripted.trial(1)
    names = tuple(Parameter("E_leak", "mV", -110.0, -50.0) if p.name == "V_T" else p for p in scripted.parameters)
    widget = PosteriorPanel(names)
    qtbot.addWidget(widget)
    sweep = dataclasses.replace(trial.sweep, holding_source=source)
    widget.take(dataclasses.replace(trial, sweep=sweep, posterior=Posterior(names, trial.posterior.draws)))
    assert widget.rows["E_leak"].numbers[2] == said
    assert ("amplifier's own holding" in widget.rows["E_leak"].toolTip()) == bool(said)


def test_a_long_unit_stands_below_its_number(qtbot):
    row = Marginal(Parameter("noise", "uA/cm2 ms^0.5", 0.0, 2.0))
    qtbot.addWidget(row)
    row.show_draws(np.linspace(0.2, 0.4, 101), None, None)
    assert row.numbers == ("0.30", "0.21–0.39", "uA/cm2 ms^0.5")


def test_a_withheld_posterior_is_the_prior_with_the_reason_and_never_the_last_good_one(qtbot, scripted):
    widget = PosteriorPanel(scripted.parameters)
    qtbot.addWidget(widget)
    widget.take(scripted.trial(0), scripted.trial(1))
    assert widget.rows["C"].has_posterior
    widget.take(scripted.trial(2, withheld=True, reason="Rest is −38 mV."))
    assert not any(row.has_posterior for row in widget.rows.values())
    assert all(row.numbers == ("–", "", "") for row in widget.rows.values())
    assert "Rest is −38 mV." in widget.notice


def test_a_sweep_that_is_not_used_asks_for_care_and_leaves_the_posterior_of_the_others(qtbot, scripted):
    trial = scripted.trial(2, reason="The step is 900 pA: this sweep is not used.")
    trial = dataclasses.replace(trial, trust=dataclasses.replace(trial.trust, in_distribution=False, score=0.0))
    widget = PosteriorPanel(scripted.parameters)
    qtbot.addWidget(widget)
    widget.take(trial)
    assert verdict(trial) == "caution"
    assert widget.rows["C"].has_posterior


def test_after_a_withheld_sweep_no_line_pretends_to_be_one_sweep_ago(qtbot, scripted):
    widget = PosteriorPanel(scripted.parameters)
    qtbot.addWidget(widget)
    widget.take(scripted.trial(0), scripted.trial(1, withheld=True, reason="Noise."), scripted.trial(2))
    assert widget.rows["C"].has_posterior
    assert not widget.rows["C"].has_previous
    widget.take(scripted.trial(3))
    assert widget.rows["C"].has_previous


def test_clicking_a_parameter_chooses_it(qtbot, scripted):
    widget = PosteriorPanel(scripted.parameters)
    qtbot.addWidget(widget)
    with qtbot.waitSignal(widget.chosen) as caught:
        qtbot.mouseClick(widget.rows["g_M"], QtCore.Qt.MouseButton.LeftButton)
    assert caught.args == ["g_M"]


def test_the_evolution_has_one_median_a_trial_and_a_gap_where_it_was_withheld(qtbot, scripted):
    widget = Evolution(scripted.parameters)
    qtbot.addWidget(widget)
    trials = [scripted.trial(0), scripted.trial(1, withheld=True, reason="Noise."), scripted.trial(2)]
    widget.take(*trials)
    first, gap, last = widget.medians
    assert first == pytest.approx(np.median(trials[0].posterior.draws[:, 0]))
    assert np.isnan(gap)
    assert last == pytest.approx(np.median(trials[2].posterior.draws[:, 0]))


def test_the_evolution_follows_the_chosen_parameter(qtbot, scripted):
    widget = Evolution(scripted.parameters)
    qtbot.addWidget(widget)
    trial = scripted.trial(1)
    widget.take(trial)
    with qtbot.waitSignal(widget.chosen):
        widget.choose("V_T")
    assert widget.medians == [pytest.approx(np.median(trial.posterior.draws[:, 6]))]


@pytest.mark.parametrize(
    ("value", "predicted", "word"),
    [
        (5.0, (1.0, 2.0, 3.0), "high"),
        (0.0, (1.0, 2.0, 3.0), "low"),
        (2.5, (1.0, 2.0, 3.0), ""),
        (5.0, None, ""),
        (float("nan"), (1.0, 2.0, 3.0), ""),
    ],
)
def test_a_feature_outside_its_prediction_is_marked_by_a_word(value, predicted, word):
    assert surprise(value, predicted).split()[-1:] == ([word] if word else [])


def test_the_table_shows_value_unit_and_prediction(qtbot, scripted):
    widget = FeatureTable(scripted.features)
    qtbot.addWidget(widget)
    trial = dataclasses.replace(
        scripted.trial(4), features={"rest": -73.71}, predictive={"rest": (-69.1, -68.2, -67.3)}
    )
    widget.take(trial)
    assert widget.cells("rest") == ("rest", "−73.7", "mV", "▼ low", "−69.1…−67.3")
    assert widget.cells("sag")[1] == "–"
    with pytest.raises(KeyError, match="No row shows 'sagg'"):
        widget.cells("sagg")


def test_the_verdict_is_one_word(scripted):
    assert verdict(None) == "waiting"
    assert verdict(scripted.trial(0)) == "typical"
    assert verdict(scripted.trial(0, score=0.02)) == "caution"
    assert verdict(scripted.trial(0, reason="Sweep 0 was left out.")) == "caution"
    assert verdict(scripted.trial(0, score=float("nan"))) == "caution"
    assert verdict(scripted.trial(0, withheld=True)) == "withheld"


def test_the_badge_gives_the_reason_in_full(qtbot, scripted):
    widget = TrustBadge()
    qtbot.addWidget(widget)
    widget.take(scripted.trial(0, withheld=True, reason="Rest is −38 mV, above −50 mV."))
    assert (widget.word, widget.reason) == ("withheld", "Rest is −38 mV, above −50 mV.")


def test_firing_rate_is_spikes_over_the_length_of_the_step(scripted):
    trial = scripted.trial(5)
    assert firing_rate(trial) == (240.0, trial.features["spike_count"] / 0.5)
    assert firing_rate(BARE) is None


def test_steady_voltage_follows_ohm_below_threshold_and_is_missing_with_spikes(scripted):
    low, high = steady_voltage(scripted.trial(0)), steady_voltage(scripted.trial(2))
    assert low is not None and high is not None
    assert (high[1] - low[1]) / (high[0] - low[0]) == pytest.approx(0.15, abs=0.002)
    assert steady_voltage(scripted.trial(5)) is None
    assert steady_voltage(BARE) is None


def test_the_scope_marks_each_upward_crossing_once():
    response = np.array([-60.0, 0.0, 10.0, -60.0, -60.0, 5.0, -60.0])
    np.testing.assert_allclose(crossings(response, 10.0), [0.1, 0.5])


def test_the_scope_shows_the_live_sweep_and_keeps_the_last_five(qtbot, scripted):
    widget = Scope()
    qtbot.addWidget(widget)
    for index in range(8):
        widget.take(scripted.trial(index))
    assert widget.past == 5
    live = Live(scripted.stimulus(8), scripted.rate, None)
    widget.begin(live)
    assert widget.shown.size == 0
    live.append(np.full(400, -70.0), None)
    widget.grow(live)
    assert widget.shown.size == 400


def test_a_sweep_that_could_not_be_read_leaves_no_bright_trace(qtbot, scripted):
    widget = Scope()
    qtbot.addWidget(widget)
    widget.take(scripted.trial(0), BARE)
    assert widget.shown.size == 0
    assert "The header names no unit." in widget.notice


def test_the_header_says_what_is_recorded(qtbot, scripted):
    widget = Header(False, 0.0)
    qtbot.addWidget(widget)
    widget.enter("running")
    widget.report(scripted.status(100))
    assert "● REC" in widget.words() and "41 GB free" in widget.words() and "00:12:41" in widget.words()
    widget.report(scripted.status(100, recording=False, path=None))
    assert "MONITOR, not recorded" in widget.words()
    widget.report(scripted.status(100, lost=7))
    assert "LOST 7" in widget.words()
    widget.stall(3.2)
    assert "NO SAMPLES for 3 s" in widget.words()


def test_the_header_says_that_a_file_is_replayed(qtbot, scripted):
    widget = Header(True, 0.0)
    qtbot.addWidget(widget)
    widget.enter("running")
    assert "REPLAY" in widget.words()


def test_the_header_shows_the_raw_voltage_of_the_last_twenty_milliseconds(qtbot, scripted):
    widget = Header(False, 0.0)
    qtbot.addWidget(widget)
    live = Live(scripted.stimulus(0), 20.0, None)
    live.append(np.concatenate([np.zeros(1000), np.full(400, -68.24)]), None)
    widget.grow(live)
    assert "CC −68.2 mV raw" in widget.words()


def test_the_status_line_says_whether_a_trial_was_saved_and_how_fast_it_was(qtbot, scripted):
    widget = StatusLine("simulated cell", "cortical-steps")
    qtbot.addWidget(widget)
    widget.take(scripted.trial(0))
    assert "not recorded" in widget.words()
    widget.report(scripted.status(100))
    widget.take(scripted.trial(1))
    assert "saved to 2024_03_01_cell2.h5" in widget.words()
    assert "p50" in widget.words() and "p99" in widget.words()


def test_the_header_says_when_samples_do_not_reach_the_disk(qtbot, scripted):
    widget = Header(False, 0.0)
    qtbot.addWidget(widget)
    widget.enter("running")
    widget.report(scripted.status(100, alarm="The disk is full: free some space."))
    assert "NOT ON DISK" in widget.words()
    assert "● REC" not in widget.words()
    widget.report(scripted.status(100))
    assert "● REC" in widget.words()


def test_the_status_line_says_where_the_samples_are(qtbot, scripted):
    line = StatusLine("simulated cell", "cortical-steps")
    qtbot.addWidget(line)
    line.report(scripted.status(21_000, on_disk=20_600, queued=400))
    assert "expected 21,000  received 21,000  on disk 20,600  queue 400" in line.words()
    line.report(scripted.status(21_000, recording=False, path=None))
    assert "on disk" not in line.words()


def test_an_alarm_stays_in_the_status_line_until_it_is_over(qtbot, scripted):
    line = StatusLine("simulated cell", "cortical-steps")
    qtbot.addWidget(line)
    line.report(scripted.status(100, alarm="The disk is full: free some space."))
    line.take(scripted.trial(0))
    assert "■ The disk is full: free some space." in line.words()
    line.report(scripted.status(100))
    assert "all samples are on the disk again" in line.words()
    line.take(scripted.trial(1))
    assert "trial 1 read in" in line.words()
    assert ", saved to" in line.words()
