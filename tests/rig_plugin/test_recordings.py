"""Every file of the data folder does what its row in the README there says, the same at every speed."""

import json

import numpy as np
import pytest

from hardware import replay as replay_module
from hardware.pace import Pace
from rig_plugin import opening
from rig_plugin.__main__ import main
from rig_plugin.replay_settings import ReplaySettings

ALLEN = {
    "allen_509881736_sweep39.nwb": (130, 25),
    "allen_526950199_sweep37.nwb": (110, 22),
    "allen_532571720_sweep42.nwb": (250, 18),
    "allen_555060623_sweep34.nwb": (90, 13),
    "allen_567399060_sweep38.nwb": (170, 11),
}
FAMILIES = {
    "171116sh_0018.abf": ([0] * 6, 17),
    "18713001.abf": ([0] * 8 + [1], 30),
    "LantyerEtAl2018_180817_ME_9_CC.nwb": ([0, 0, 0, 9, 21, 27, 32, 37, 42, 46], 10),
}
REFUSED = {
    "opto_aps_bad_units.abf": "has no channel in volts: 'IN 0' [pA] spans [-1600, 816]",
    "171116sh_0013.abf": "is voltage clamp: it records current in 'IN 0' [pA]",
    "2025053101.nwb": "looks like a membrane potential of -80.3 mV with the wrong mode and unit",
    "damaged_171116sh_0018_trunc60.abf": "is truncated: its header promises 2047112 bytes and it holds 1228492",
    "damaged_Lantyer_trunc60.nwb": "is truncated: it promises 907841 bytes and holds 544704",
}


@pytest.fixture(scope="module")
def network():
    return opening.network()


def replayed(path, network, **options):
    return list(opening.replay(ReplaySettings(path, pace="max", **options), network).trials())


def counts(trials):
    return [trial.features["spike_count"] for trial in trials]


def widths(trial):
    """Mean log width of the 90 % intervals."""
    return np.mean([np.log(max(q["q95"] - q["q05"], 1e-12)) for q in trial.posterior.summary().values()])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if name == "18713001.abf" else ()) for name in FAMILIES]
)
def test_a_good_family_gives_a_posterior_that_sharpens(data, network, name):
    trials = replayed(data / name, network)
    spikes, sweeps = FAMILIES[name]
    assert len(trials) == sweeps
    assert counts(trials)[: len(spikes)] == spikes
    assert all(trial.posterior for trial in trials)
    assert [trial.sweeps_used for trial in trials] == list(range(1, sweeps + 1))
    assert widths(trials[-1]) < widths(trials[0]) - 0.2
    assert all("The junction potential is unknown and taken as 0 mV." in trial.trust.reason for trial in trials)


@pytest.mark.parametrize("name", ALLEN)
def test_a_single_sweep_gives_a_posterior(data, network, name):
    (trial,) = replayed(data / name, network)
    assert (round(trial.sweep.stimulus.amplitude), trial.features["spike_count"]) == ALLEN[name]
    assert trial.posterior
    assert "The junction potential is unknown and taken as 0 mV." in trial.trust.reason


def test_a_noisy_plateau_is_no_burst_of_spikes(data, network):
    trials = replayed(data / "190619B_0003.abf", network)
    assert counts(trials)[:6] == [0, 0, 0, 0, 3, 6]
    assert max(counts(trials)[8:]) < 20
    assert all(trial.posterior or trial.trust.reason for trial in trials)
    # Its spikes are too small, and nobody can record them again: they are used, and warned of.
    assert [trial.sweeps_used for trial in trials] == list(range(1, 11))
    assert ["(rule spike_height)" in trial.trust.reason for trial in trials] == 4 * [False] + 6 * [True]


def test_the_rules_of_a_rig_file_are_those_of_a_replay_that_names_it(data, tmp_path, capsys):
    rules = tmp_path / "rig.toml"
    rules.write_text('[quality]\nstop = ["spike_height"]\nnoise_fast_mV = 0.06\n')
    assert main(["replay", str(data / "190619B_0003.abf"), "--sweep", "4", "--quality", str(rules), "--json"]) == 0
    trial = json.loads(capsys.readouterr().out)
    assert trial["posterior"] is None and trial["features"]["peak"] < 5.0
    assert "mV high, less than 40 mV: neutralize the pipette's capacitance" in trial["trust"]["reason"]
    assert "(rule spike_height): this sweep is not used" in trial["trust"]["reason"]
    assert "(rule noise_fast)" in trial["trust"]["reason"]


@pytest.mark.parametrize("name", ["PYR5_rebound.abf", "FergusonEtAl2015_PYR5_rebound.nwb"])
def test_rebound_spikes_are_not_those_of_the_step(data, network, name):
    trials = replayed(data / name, network)
    assert counts(trials) == [0] * 10
    assert {trial.sweep.command_source for trial in trials} == {"recorded channel"}
    assert all(-45 < trial.features["rest"] < -35 for trial in trials)
    assert all(48 < trial.sweep.stimulus.holding < 51 for trial in trials)
    deepest = min(trials, key=lambda trial: trial.sweep.stimulus.amplitude).sweep
    end = round((deepest.stimulus.onset + deepest.stimulus.step_duration) * deepest.rate)
    assert deepest.response[:end].max() < 0 < deepest.response[end:].max()
    # Held up by 49 pA, it is no dying cell for that.
    assert all(
        trial.posterior and "lower that if it was not wanted (rule rest)" in trial.trust.reason for trial in trials
    )


@pytest.mark.parametrize("name", ["18425108.abf", "18425108_abf1.abf"])
def test_a_train_of_pulses_is_withheld(data, network, name):
    (trial,) = replayed(data / name, network)
    assert trial.posterior is None
    assert trial.trust.reason.startswith("No step: the stimulus is pulses of 2490 pA")


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_ends_with_status_two_and_one_sentence(data, capsys, name):
    assert main(["replay", str(data / name), "--json"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert REFUSED[name] in told.err


def own(path):
    """Make a recording of this program, with the default cell."""
    from rig_plugin.settings import ProtocolSettings, RigSettings, Settings

    settings = Settings(rig=RigSettings(seed=1, pace="max"), protocol=ProtocolSettings(amplitudes=(-50.0, 150.0)))
    session = opening.attach(settings, opening.network(), out=path)
    session.run()
    return path


def numbers(trials):
    """All that is told of trials, but not how long it took, and the very bits of the draws."""
    return [
        ({k: v for k, v in t.to_json().items() if k != "latency_ms"}, t.posterior and t.posterior.draws.tobytes())
        for t in trials
    ]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("190619B_0003.abf", {"sweep": 4}),
        pytest.param("18713001.abf", {"sweep": 12}, marks=pytest.mark.long),
        pytest.param("LantyerEtAl2018_180817_ME_9_CC.nwb", {}, marks=pytest.mark.long),
        ("FergusonEtAl2015_PYR5_rebound.nwb", {"sweep": 3}),
        pytest.param("allen_526950199_sweep37.nwb", {}, marks=pytest.mark.long),
        ("171116sh_0018.abf", {"epoch": 4, "sweep": 9, "bridge": 0.002, "junction_potential": 10.0}),
        (None, {}),
    ],
)
def test_features_and_posteriors_are_the_same_bits_at_every_speed(data, network, tmp_path, monkeypatch, name, options):
    path = data / name if name else own(tmp_path / "own.h5")
    fast = numbers(replayed(path, network, **options))
    # A clock that runs a second a look never waits, and says "real" all the same.
    ticks = iter(range(10**9))
    paced = []

    def pace(speed):
        paced.append(speed)
        return Pace(speed, clock=lambda: float(next(ticks)))

    monkeypatch.setattr(replay_module, "Pace", pace)
    for block in (20.0, 7.3, 0.9):
        monkeypatch.setitem(replay_module.Replay.__init__.__kwdefaults__, "block", block)
        session = opening.replay(ReplaySettings(path, pace="real", **options), network)
        assert numbers(session.trials()) == fast
    assert paced == ["real"] * 3
    assert any(draws for _, draws in fast)


def test_a_sweep_in_real_time_is_the_same_bits_too(data, network):
    path = data / "18713001.abf"
    session = opening.replay(ReplaySettings(path, sweep=12, window=(700.0, 1200.0), pace="real"), network)
    assert numbers(session.trials()) == numbers(replayed(path, network, sweep=12, window=(700.0, 1200.0)))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--channel", "5"], "Channel '5' was asked for"),
        (["--channel", "Cmd 0"], "one in volts was wanted"),
        (["--current-channel", "IN 0"], "one in amperes was wanted"),
        (["--window", "100", "50"], "a later end were wanted"),
        (["--window", "nan", "50"], "a later end were wanted"),
        (["--window", "0", "9000"], "end it there or before"),
        (["--window", "140", "600"], "leaves 6.8 ms before"),
        (["--epoch", "9"], "Epoch 9 was asked for"),
    ],
)
def test_a_choice_that_cannot_be_had_is_refused_in_one_sentence(data, capsys, options, said):
    assert main(["replay", str(data / "171116sh_0018.abf"), *options, "--json"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert said in told.err


def test_a_choice_reaches_the_trial(data, capsys):
    path = str(data / "18713001.abf")
    assert main(["replay", path, "--sweep", "12", "--channel", "0", "--window", "723.4", "1323.4", "--json"]) == 0
    stimulus = json.loads(capsys.readouterr().out)["stimulus"]
    assert (stimulus["onset_ms"], stimulus["duration_ms"], len(stimulus["epochs"])) == (100, 500, 2)
