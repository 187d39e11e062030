from dataclasses import replace

import numpy as np
import pytest

from hardware.amplifier import Reading, Setting
from rig_plugin.quality import Quality, no_cell, no_voltage
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.remark import remarks
from rig_plugin.rule import RULES, Alarm, stopping, warning
from rig_plugin.settings import SettingsError, read
from rig_plugin.trial import Posterior
from simulators.parameter import Parameter
from simulators.stimulus import Dose, step
from simulators.sweep import Junction, Sweep

NAN = float("nan")
GOOD = {
    "rest": -68.0, "rest_noise": 0.1, "rest_noise_fast": 0.04, "spikes_before": 0.0, "peak": 30.0, "threshold": -45.0,
    "input_resistance": 150.0,
}  # fmt: skip
BRIDGE = (Parameter("bridge", "MOhm", -20.0, 20.0, "normal"),)


def sweep(holding=0.0, **changes):
    stimulus = step(50.0, holding=holding, onset=100.0, duration=200.0, tail=50.0)
    known = {"junction": Junction("corrected"), "holding_source": "measured", "stimulus": stimulus}
    return Sweep(np.full(7000, -68.0), 20.0, **(known | changes))


def bridged(MOhm):
    return Reading(bridge=Setting(MOhm, "telegraph"))


def broken(change=None, *, rules=None, reading=None, **about):
    found = Quality(rules).judge(sweep(**about), GOOD | (change or {}), reading)
    return [(alarm.rule, alarm.grade) for alarm in found]


def test_a_good_sweep_breaks_no_rule_and_has_no_remark():
    assert broken(reading=bridged(12.0)) == []
    assert remarks(sweep(), Posterior(BRIDGE, np.zeros((9, 1)))) == []


def test_missing_features_are_no_fault():
    assert broken(dict.fromkeys(GOOD, NAN)) == []
    assert remarks(sweep(), None) == []


@pytest.mark.parametrize(
    ("rule", "bad", "good", "said"),
    [
        ("cell", {"rest": 0.0}, {}, "0.0 mV, above -30 mV: there is no cell, or a dead one"),
        ("rest", {"rest": -49.9}, {"rest": -50.0}, "rest is -49.9 mV, above -50 mV: the cell may be dying"),
        ("spikes_at_rest", {"spikes_before": 2.0}, {}, "fired 2 times before the step, 0 at most was wanted"),
        ("noise_fast", {"rest_noise_fast": 0.08}, {"rest_noise_fast": 0.07}, "is 0.08 mV, above 0.07 mV"),
        ("noise_slow", {"rest_noise": 0.8}, {"rest_noise": 0.5}, "noise is 0.80 mV, above 0.5 mV"),
        ("spike_height", {"peak": -10.0}, {"peak": -5.0}, "35 mV high, less than 40 mV"),
    ],
)
def test_each_rule_stops_beyond_its_limit_and_says_name_value_limit_and_remedy(rule, bad, good, said):
    (alarm,) = Quality().judge(sweep(), GOOD | bad)
    assert (alarm.rule, alarm.grade) == (rule, "stop")
    assert said in alarm.said
    assert stopping((alarm,)).endswith(f" (rule {rule}).")
    assert broken(good) == []


@pytest.mark.parametrize(
    ("holding", "rules"), [(-101.0, [("holding", "stop")]), (101.0, [("holding", "stop")]), (99, [])]
)
def test_a_cell_that_needs_much_to_be_held_is_not_used_where_that_is_known(holding, rules):
    assert broken(holding=holding) == rules
    assert broken(holding=holding, holding_source="unknown") == []


def test_where_a_cell_is_held_up_on_purpose_the_voltage_before_the_step_is_no_rest_and_warns():
    assert broken({"rest": -40.0}, holding=49.0) == [("rest", "warn")]
    assert broken({"rest": -40.0}, holding=49.0, holding_source="unknown") == [("rest", "stop")]
    assert broken({"rest": -40.0}, holding=-20.0) == [("rest", "stop")]


@pytest.mark.parametrize(
    ("MOhm", "rules"),
    [
        (19.0, []),
        (0.0, []),
        (22.0, [("access_warn", "warn")]),
        (31.0, [("access_stop", "stop"), ("access_share", "warn")]),
    ],
)
def test_the_bridge_that_an_amplifier_tells_is_the_access(MOhm, rules):
    assert broken(reading=bridged(MOhm)) == rules
    assert broken(reading=Reading()) == []


def test_an_access_that_changes_during_a_session_is_told_from_the_first_sweep():
    quality = Quality()
    told = [[a.rule for a in quality.judge(sweep(), GOOD, bridged(MOhm))] for MOhm in (10.0, 11.9, 12.1, 11.0)]
    assert told == [[], [], ["access_change"], []]


def test_a_seal_that_was_poor_stops_every_sweep_and_one_that_nobody_tells_none():
    assert broken(rules=QualitySettings(formed=0.6)) == [("seal", "stop")]
    assert broken(rules=QualitySettings(formed=2.0)) == []


def test_a_rest_that_jumps_costs_one_sweep_and_is_compared_at_one_holding_only():
    quality = Quality()
    rests = ((-68.0, 0.0), (-67.1, 0.0), (-65.9, 0.0), (-65.5, 0.0), (-72.0, -30.0), (NAN, -30.0), (-73.5, -30.2))
    told = [[a.rule for a in quality.judge(sweep(holding), GOOD | {"rest": rest})] for rest, holding in rests]
    assert told == [[], [], ["drift"], [], [], [], ["drift"]]


def test_the_rest_under_a_drug_is_no_drift_and_nothing_to_compare_the_next_with():
    rules = Quality()
    dosed = sweep()
    dosed = replace(dosed, stimulus=dosed.stimulus.dosed((Dose("g_M", 1.0, -0.05),)))
    assert rules.judge(sweep(), GOOD) == rules.judge(dosed, GOOD | {"rest": GOOD["rest"] + 3.0}) == ()
    assert rules.judge(sweep(), GOOD) == ()
    # The other rules hold under a drug as well.
    assert [alarm.rule for alarm in rules.judge(dosed, GOOD | {"rest": -40.0})] == ["rest"]


def test_a_sweep_that_is_refused_for_more_than_its_drift_is_nothing_to_compare_the_next_with():
    quality = Quality()
    rests = (-68.0, -45.0, -68.2)
    told = [[a.rule for a in quality.judge(sweep(), GOOD | {"rest": rest})] for rest in rests]
    assert told == [[], ["rest", "drift"], []]


def test_an_interneuron_may_rest_higher_and_fire_without_a_step():
    fires = {"rest": -46.0, "spikes_before": 5.0}
    assert broken(fires) == [("rest", "stop"), ("spikes_at_rest", "stop")]
    assert broken(fires, rules=QualitySettings(preset="interneuron")) == []
    assert broken({"rest": -44.0}, rules=QualitySettings(preset="interneuron")) == [("rest", "stop")]
    assert broken(fires, rules=QualitySettings(preset="interneuron", rest=-48.0, spikes_at_rest=3)) == [
        ("rest", "stop"),
        ("spikes_at_rest", "stop"),
    ]


def test_what_is_recorded_already_is_warned_of_for_noise_drift_and_small_spikes_alone():
    noisy = {"rest_noise": 0.8, "rest_noise_fast": 0.2, "rest": -40.0, "peak": -10.0}
    rules = QualitySettings().recorded()
    assert broken(noisy, rules=rules) == [
        ("rest", "stop"),
        ("noise_fast", "warn"),
        ("noise_slow", "warn"),
        ("spike_height", "warn"),
    ]
    assert rules.grade("drift") == "warn"
    asked = QualitySettings(stop=("drift",), off=("noise_fast",)).recorded()
    assert (asked.grade("drift"), asked.grade("noise_fast"), asked.grade("noise_slow")) == ("stop", None, "warn")


def test_a_rig_file_says_limits_and_grades(tmp_path):
    path = tmp_path / "rig.toml"
    path.write_text(
        '[quality]\npreset = "interneuron"\nspike_height_mV = 30\nnoise_fast_mV = 0.2\nspikes_at_rest = 2\n'
        'stop = ["access_share"]\nwarn = ["drift"]\noff = ["seal"]\n'
    )
    rules = read(path).quality
    assert (rules.highest_rest, rules.most_spikes, rules.spike_height, rules.noise_fast) == (-45.0, 2.0, 30.0, 0.2)
    assert [rules.grade(rule) for rule in ("access_share", "drift", "seal", "rest")] == ["stop", "warn", None, "stop"]
    assert broken(rules=replace(rules, formed=0.1)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('warn = ["drift"]\noff = ["drift"]', "names 'drift' twice"),
        ('off = ["cell"]', "a list of any of 'seal'"),
        ('off = "drift"', "a list of any of"),
        ("access_warn_MOhm = 40", "before the stop"),
        ("rest_mV = -20", "between -100 and -30"),
        ('preset = "glia"', "'pyramidal' or 'interneuron'"),
    ],
)
def test_what_contradicts_itself_in_the_rules_is_refused(text, said, tmp_path):
    path = tmp_path / "rig.toml"
    path.write_text(f"[quality]\n{text}\n")
    with pytest.raises(SettingsError, match=said):
        read(path)


def test_those_that_stop_and_those_that_warn_are_told_apart():
    alarms = (
        Alarm("rest", "stop", "It is high."),
        Alarm("drift", "warn", "It drifts."),
        Alarm("seal", "stop", "Poor."),
    )
    assert stopping(alarms) == "It is high (rule rest). Poor (rule seal)."
    assert warning(alarms) == ["It drifts (rule drift)."]
    assert stopping(alarms[1:2]) is None
    assert set(RULES) >= {alarm.rule for alarm in alarms}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"junction": Junction()}, "junction potential is unknown"),
        ({"holding_source": "unknown"}, "E_leak is the effective one, at holding"),
    ],
)
def test_what_the_file_does_not_say_is_said(change, said):
    (told,) = remarks(sweep(**change), None)
    assert said in told


@pytest.mark.parametrize(("off", "warned"), [(12.0, True), (-12.0, True), (8.0, False)])
def test_a_bridge_that_is_surely_off_is_said_with_its_size(off, warned):
    told = remarks(sweep(), Posterior(BRIDGE, np.full((50, 1), off)))
    assert any(f"{off:.0f} MOhm" in sentence for sentence in told) == warned


@pytest.mark.parametrize("voltage", [np.nan, np.inf, -151.0, 1e4])
def test_no_membrane_has_such_a_voltage(voltage):
    response = np.full(100, -70.0)
    response[7] = voltage
    assert no_voltage(response).endswith(".")
    assert no_voltage(np.full(100, -70.0)) is None


def test_a_pipette_in_the_bath_is_no_cell():
    assert "0.0 mV, above -30 mV" in no_cell(0.0)
    assert no_cell(-40.0) is None
    assert no_cell(float("nan")) is None


@pytest.mark.parametrize(("value", "warned"), [(19.9, True), (0.0, False)])
def test_a_value_at_the_edge_of_its_prior_is_called_a_bound(value, warned):
    told = remarks(sweep(), Posterior(BRIDGE, np.full((9, 1), value)))
    assert any("bridge lies at the edge of its prior" in sentence for sentence in told) is warned
