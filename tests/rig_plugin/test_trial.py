import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.forepulse import with_forepulse
from rig_plugin.trial import QUANTILES, Latency, Posterior, Trial, Trust
from simulators.electrode import IDEAL
from simulators.parameter import Parameter
from simulators.passive import Passive
from simulators.stimulus import step
from simulators.sweep import Sweep

PARAMETERS = (Parameter("C", "pF", 15, 400, "log"), Parameter("E_leak", "mV", -100, -45))
KEYS = {
    "trial",
    "file_sweep",
    "stimulus",
    "membrane",
    "features",
    "posterior",
    "sweeps_used",
    "trust",
    "next_stimulus",
    "latency_ms",
}
STIMULUS_KEYS = {"clamp", "holding_pA", "step_pA", "onset_ms", "duration_ms", "source", "epochs"}
FEATURES = {"spike_count": 3.0, "rest": -61.25, "threshold": float("nan")}


def a_sweep():
    stimulus = step(100.0, holding=-20.0)
    command = stimulus.command(10.0)
    response = np.full(command.size, -60.0)
    return Sweep(response, 10.0, stimulus, command, command_source="header", holding_source="amplifier")


def a_trial(**changes):
    draws = np.random.default_rng(0).uniform([15, -100], [400, -45], (200, 2))
    trial = Trial(
        index=0,
        file_sweep=4,
        sweep=a_sweep(),
        features=FEATURES,
        posterior=Posterior(PARAMETERS, draws),
        sweeps_used=1,
        trust=Trust(True, 0.9),
        latency=Latency(1.5, 9.0, 10.5),
    )
    return dataclasses.replace(trial, **changes)


def written(trial):
    return json.loads(json.dumps(trial.to_json(), allow_nan=False))


UNUSABLE = {
    "sweep": None,
    "features": dict.fromkeys(FEATURES, float("nan")),
    "posterior": None,
    "sweeps_used": 0,
    "trust": Trust(False, float("nan"), "The sweep is voltage clamp."),
    "latency": Latency(1.5, None, 1.5),
}


@pytest.mark.parametrize("changes", [{}, UNUSABLE, {"file_sweep": None}], ids=["good", "unusable", "live"])
def test_every_key_is_always_there(changes):
    seen = written(a_trial(**changes))
    assert set(seen) == KEYS
    assert set(seen["stimulus"]) == STIMULUS_KEYS
    assert set(seen["trust"]) == {"in_distribution", "score", "reason"}
    assert set(seen["latency_ms"]) == {"features", "posterior", "total"}
    assert set(seen["features"]) == set(FEATURES)


def test_the_pulse_before_the_step_is_told_where_there_is_one():
    assert written(a_trial())["membrane"] is None
    stimulus = with_forepulse(step(100.0), -20.0, 100.0, 150.0)
    cell = np.array([[100.0, 5.0, -70.0]])
    response = Passive(electrode=IDEAL).simulate(cell, stimulus, 10.0, np.random.default_rng(0))[0]
    sweep = Sweep(response, 10.0, stimulus, stimulus.command(10.0), command_source="header")
    assert written(a_trial(sweep=sweep))["membrane"] == {
        "resistance_MOhm": pytest.approx(200.0, rel=0.01),
        "capacitance_pF": pytest.approx(100.0, rel=0.01),
        "tau_ms": pytest.approx(20.0, rel=0.01),
        "residual_MOhm": pytest.approx(0.0, abs=0.5),
        "holding_pA": 0,
        "potential_mV": pytest.approx(-70.0, abs=0.01),
    }


def test_what_is_unknown_is_null():
    seen = written(a_trial(**UNUSABLE))
    assert seen["posterior"] is None
    assert seen["trust"] == {"in_distribution": False, "score": None, "reason": "The sweep is voltage clamp."}
    assert set(seen["stimulus"].values()) == {None}
    assert set(seen["features"].values()) == {None}


def test_a_missing_feature_is_null_and_a_count_is_whole():
    features = written(a_trial())["features"]
    assert features == {"spike_count": 3, "rest": -61.25, "threshold": None}
    assert isinstance(features["spike_count"], int)


def test_the_stimulus_is_told_in_units():
    stimulus = written(a_trial())["stimulus"]
    assert stimulus["holding_pA"] == -20
    assert stimulus["step_pA"] == 100
    assert (stimulus["onset_ms"], stimulus["duration_ms"], stimulus["source"]) == (200, 500, "header")
    assert stimulus["epochs"][1] == {"level": 80, "duration_ms": 500}


def test_a_holding_that_is_unknown_is_null_and_never_the_command_s_own():
    unheld = dataclasses.replace(a_sweep(), holding_source="unknown")
    stimulus = written(a_trial(sweep=unheld))["stimulus"]
    assert stimulus["holding_pA"] is None
    assert stimulus["epochs"][0]["level"] == -20


def test_the_posterior_is_told_by_its_quantiles_in_order():
    for parameter in PARAMETERS:
        row = written(a_trial())["posterior"][parameter.name]
        assert row["unit"] == parameter.unit
        assert [row[name] for name in QUANTILES] == sorted(row[name] for name in QUANTILES)


def test_a_network_that_does_not_infer_the_model_s_error_blames_nothing_on_it():
    assert all(row["model_error"] is None for row in written(a_trial())["posterior"].values())


def test_what_scatters_where_the_model_is_wrong_is_blamed_on_it():
    rng = np.random.default_rng(0)
    size = np.exp(rng.uniform(np.log(0.03), np.log(0.3), 4000))
    off = Parameter("discrepancy", "1", 0.02, 0.4, "log")
    near, far = rng.normal(-70.0, 3.0, 4000), -70.0 + 60.0 * size * rng.standard_normal(4000)
    parameters = (Parameter("near", "mV", -100.0, -40.0), Parameter("far", "mV", -100.0, -40.0), off)
    rows = Posterior(parameters, np.stack([near, np.clip(far, -99.0, -41.0), size], axis=1)).summary()
    assert rows["near"]["model_error"] < 0.15
    assert rows["far"]["model_error"] > 0.8
    assert rows["discrepancy"]["model_error"] is None


@given(st.dictionaries(st.text(min_size=1), st.floats()))
def test_any_feature_value_can_be_written(features):
    seen = written(a_trial(features=features))["features"]
    assert set(seen) == set(features)
    assert all((seen[name] is None) == (not np.isfinite(value)) for name, value in features.items())


def test_draws_are_copied_and_read_only():
    draws = np.ones((5, 2))
    posterior = Posterior(PARAMETERS, draws)
    draws[:] = 0
    assert np.all(posterior.draws == 1)
    with pytest.raises(ValueError, match="read-only"):
        posterior.draws[0] = 0


@pytest.mark.parametrize("shape", [(5,), (5, 3), (1, 5, 2)])
def test_draws_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"\(s, 2\) was wanted"):
        Posterior(PARAMETERS, np.zeros(shape))
