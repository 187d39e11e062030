"""Every simulator is seen through the same electrode, in both clamps, and each of its knobs does what it says."""

from configparser import ConfigParser
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from simulators.adex import AdEx
from simulators.cortical import Cortical
from simulators.electrode import IDEAL, KNOBS, Electrode
from simulators.firing_type import Bursting, FastSpiking, LowThresholdSpiking, RegularSpiking
from simulators.passive import Passive
from simulators.patchseq import PatchSeq
from simulators.pyloric import Pyloric
from simulators.stg_neuron import StgNeuron
from simulators.stimulus import Dose, Epoch, Stimulus

OPTIONS = {
    Passive: {},
    Cortical: {},
    AdEx: {},
    PatchSeq: {"noise": 0.0},
    StgNeuron: {"settling": 50.0},
    Pyloric: {"noise": 0.0, "settling": 50.0},
    RegularSpiking: {},
    FastSpiking: {"sag": True},
    Bursting: {"dendrite": True},
    LowThresholdSpiking: {"sag": True, "dendrite": True},
}
CLAMPED = [kind for kind in OPTIONS if "voltage" in kind.clamps]
COUNT = 6
RATE = 40.0
ONSET, STEP = 2000, 4000
"""Samples before the step, and with it."""
LEVELS = {"current": (-10.0, -60.0), "voltage": (-70.0, -80.0)}
TIME = np.arange(STEP) / RATE

named = {"ids": lambda kind: kind.__name__}
every = pytest.mark.parametrize("kind", OPTIONS, **named)
clampable = pytest.mark.parametrize("kind", CLAMPED, **named)
both = pytest.mark.parametrize(
    ("kind", "clamp"),
    [(kind, clamp) for kind in OPTIONS for clamp in kind.clamps],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)


def stimulus_of(clamp, shift=0.0, doses=()):
    holding, level = LEVELS[clamp]
    return Stimulus(clamp, (Epoch(holding + shift, ONSET / RATE), Epoch(level + shift, (STEP - ONSET) / RATE, doses)))


def answer(kind, clamp, *, shift=0.0, doses=(), rate=RATE, count=COUNT, **knobs):
    """Answers of cells from the middle of their bounds, without noise of their own, shape (count, n)."""
    simulator = kind(electrode=replace(IDEAL, **knobs), **OPTIONS[kind])
    u = 0.3 * np.random.default_rng(4).standard_normal((COUNT, len(simulator.parameters)))
    theta = np.stack([p.constrain(u[:, k]) for k, p in enumerate(simulator.parameters)], axis=1)
    for k, parameter in enumerate(simulator.parameters):
        if parameter.name in ("noise", "bridge", "offset"):
            theta[:, k] = 0.0
    return simulator.simulate(theta[:count], stimulus_of(clamp, shift, doses), rate, np.random.default_rng(0))


def names(clamp, *knobs):
    """The knobs by the names that they have in a clamp."""
    return [f"{knob}_current" if clamp == "voltage" else knob for knob in knobs]


def resolution(kind):
    """What a float32 resolves of a voltage around -80 mV, and of the current that a clamp makes of it."""
    return {"current": 2e-5, "voltage": 2e-5 * 1e3 / IDEAL.series}


def test_every_simulator_that_is_installed_is_tried():
    setup = ConfigParser()
    setup.read(Path(__file__).resolve().parents[2] / "setup.cfg", encoding="utf-8")
    named = setup["options.entry_points"]["rig_plugin.simulators"].split("\n")
    assert {line.rpartition(":")[2] for line in named if line} == {kind.__name__ for kind in OPTIONS}


@both
def test_white_noise_has_its_rms(kind, clamp):
    (white,) = names(clamp, "white")
    added = answer(kind, clamp, corner=6.0, **{white: 0.4}) - answer(kind, clamp, corner=6.0)
    assert added.std() == pytest.approx(0.4, rel=0.05)
    assert np.abs(np.corrcoef(added)[np.triu_indices(COUNT, 1)]).max() < 0.2


@both
def test_one_over_f_noise_grows_with_its_knob_and_has_most_of_its_power_below(kind, clamp):
    (flicker,) = names(clamp, "flicker")
    plain = answer(kind, clamp)
    one, two = (answer(kind, clamp, **{flicker: size}) - plain for size in (0.5, 1.0))
    np.testing.assert_allclose(two, 2.0 * one, rtol=0, atol=8 * resolution(kind)[clamp])
    frequency, power = signal.periodogram(two, RATE * 1e3)
    band = (frequency >= 50.0) & (frequency <= 1000.0)
    # Equal power in each octave, and of all between 1 Hz and 1 kHz the rms that the knob says.
    shape = (power * frequency)[:, band].mean() * np.log(1000.0)
    assert np.sqrt(shape) == pytest.approx(1.0, rel=0.2)


@both
@pytest.mark.parametrize("frequency", [50.0, 60.0])
def test_hum_has_its_amplitude_and_frequency_and_a_phase_of_its_own(kind, clamp, frequency):
    (hum,) = names(clamp, "hum")
    plain = answer(kind, clamp)
    wave = answer(kind, clamp, hum_frequency=frequency, **{hum: 0.5}) - plain
    parts = np.stack([np.sin(2e-3 * np.pi * frequency * TIME), np.cos(2e-3 * np.pi * frequency * TIME)], axis=1)
    found = np.linalg.lstsq(parts, wave.T, rcond=None)[0]
    np.testing.assert_allclose(np.hypot(*found), 0.5, rtol=0, atol=5e-3)
    np.testing.assert_allclose(parts @ found, wave.T, rtol=0, atol=8 * resolution(kind)[clamp])
    assert len(np.unique(np.round(np.arctan2(*found), 2))) == COUNT
    told = answer(kind, clamp, hum_frequency=frequency, hum_phase=0.7, **{hum: 0.5}) - plain
    wanted = np.broadcast_to(0.5 * np.sin(2e-3 * np.pi * frequency * TIME + 0.7), told.shape)
    np.testing.assert_allclose(told, wanted, rtol=0, atol=8 * resolution(kind)[clamp])


@both
def test_drift_has_its_slope(kind, clamp):
    (drift,) = names(clamp, "drift")
    added = answer(kind, clamp, **{drift: -8.0}) - answer(kind, clamp)
    np.testing.assert_allclose(added, np.tile(-8e-3 * TIME, (COUNT, 1)), rtol=0, atol=8 * resolution(kind)[clamp])


@both
def test_the_digitizer_gives_whole_steps_inside_its_range(kind, clamp):
    span, step = names(clamp, "adc_range", "adc_step")
    plain = answer(kind, clamp)
    edge = 0.25 * np.floor(np.quantile(np.abs(plain), 0.4) / 0.25)
    coded = answer(kind, clamp, **{span: edge, step: 0.25})
    nearest = np.clip(np.rint(plain / 0.25) * 0.25, -edge, edge)
    np.testing.assert_array_equal(coded, nearest)
    assert (np.abs(coded) == edge).any()


@every
@pytest.mark.parametrize("knob", ["junction", "offset"])
def test_a_shift_of_the_electrode_is_added_to_a_voltage(kind, knob):
    shifted = answer(kind, "current", **{knob: -7.5}) - answer(kind, "current")
    np.testing.assert_allclose(shifted, -7.5, rtol=0, atol=5e-5)


@clampable
@pytest.mark.parametrize("knob", ["junction", "offset"])
def test_a_shift_of_the_electrode_is_taken_from_a_command(kind, knob):
    shifted = answer(kind, "voltage", **{knob: 7.5})
    np.testing.assert_array_equal(shifted, answer(kind, "voltage", shift=-7.5))
    assert not np.array_equal(shifted, answer(kind, "voltage"))


@both
def test_a_bridge_error_is_seen_in_current_clamp_only(kind, clamp):
    added = answer(kind, clamp, bridge=20.0) - answer(kind, clamp)
    wanted = 0.02 * stimulus_of("current").command(RATE) if clamp == "current" else np.zeros(STEP)
    apart = np.arange(STEP) != ONSET
    np.testing.assert_allclose(added[:, apart], np.tile(wanted, (COUNT, 1))[:, apart], rtol=0, atol=2e-5)


@every
def test_in_current_clamp_a_pipette_charges_through_its_series_resistance(kind):
    plain = answer(kind, "current")
    np.testing.assert_array_equal(answer(kind, "current", series=30.0), plain)
    charged = answer(kind, "current", series=20.0, capacitance=25.0)
    # The pipette holds what the bridge does not take: it follows V + R_s I, of which R_s I is subtracted at once.
    dt, tau = 1.0 / RATE, 0.5
    drop = 0.02 * stimulus_of("current").command(RATE)
    lag, keep = np.zeros(COUNT), np.exp(-dt / tau)
    expected = plain.copy()
    for t in range(1, STEP):
        # The current steps at the sample before; from there on it is constant, and the voltage is taken as straight.
        jump = drop[t] - drop[t - 2] if t == ONSET + 1 else 0.0
        lag = keep * (lag - jump) - (1.0 - keep) * tau / dt * (plain[:, t] - plain[:, t - 1])
        expected[:, t] += lag
    np.testing.assert_allclose(charged, expected, rtol=0, atol=2e-3)
    assert np.abs(charged - plain).max() > 0.5


@clampable
@pytest.mark.parametrize("corner", [0.0, 2.0, 10.0])
def test_in_voltage_clamp_a_pipette_takes_the_charge_of_the_commands_step(kind, corner):
    added = answer(kind, "voltage", corner=corner, capacitance=4.0) - answer(kind, "voltage", corner=corner)
    charge = added.sum(axis=1) / RATE
    np.testing.assert_allclose(charge, 4.0 * -10.0, rtol=2e-3)
    away = np.abs(np.arange(STEP) - ONSET) > 80
    assert np.abs(added[:, away]).max() < 1e-2


@clampable
@pytest.mark.parametrize("series", [5.0, 20.0])
def test_at_a_jump_of_the_command_the_current_jumps_by_the_step_over_the_series_resistance(kind, series):
    current = answer(kind, "voltage", series=series)
    jump = current[:, ONSET] - 2.0 * current[:, ONSET - 1] + current[:, ONSET - 2]
    np.testing.assert_allclose(jump, -10.0 / (1e-3 * series), rtol=2e-3)


@both
def test_a_low_pass_is_that_of_bessel(kind, clamp):
    plain, passed = answer(kind, clamp), answer(kind, clamp, corner=2.0)
    zeros, poles, gain = signal.bessel(4, 2 * np.pi * 2.0, norm="mag", analog=True, output="zpk")
    if clamp == "voltage":
        plain = plain.copy()
        # Of the sample at the jump, half belongs to what was before.
        plain[:, ONSET] = 0.5 * (plain[:, ONSET] + plain[:, ONSET - 1])
    for one, other in zip(plain, passed, strict=True):
        ideal = signal.lsim((zeros, poles, gain), one - one[0], TIME)[1] + one[0]
        np.testing.assert_allclose(other, ideal, rtol=0, atol=0.02 * np.ptp(one) + 1e-3)


@every
def test_with_a_dose_the_knobs_act_as_they_do_without(kind):
    if not kind(**OPTIONS[kind]).conductances:
        pytest.skip("Nothing of it can be dosed.")
    doses = (Dose(kind(**OPTIONS[kind]).conductances[0], 0.9),)
    knobs = {"hum": 0.3, "hum_phase": 0.1, "drift": 3.0, "junction": 9.0, "flicker": 0.2, "white": 0.1}
    plain, dosed = (answer(kind, "current", doses=given, **knobs) - answer(kind, "current", doses=given)
                    for given in ((), doses))  # fmt: skip
    np.testing.assert_allclose(dosed, plain, rtol=0, atol=5e-5)
    assert np.ptp(plain) > 0.5


@both
def test_knobs_at_zero_change_no_bit(kind, clamp):
    off = {entry.name: 0.0 for entry in fields(Electrode) if entry.name not in ("series", "hum_frequency", "hum_phase")}
    np.testing.assert_array_equal(answer(kind, clamp, **off, hum_phase=1.0), answer(kind, clamp))


@both
def test_with_every_knob_on_an_answer_is_its_own_cells_and_comes_again(kind, clamp):
    seen = dict(
        zip(names(clamp, "white", "flicker", "hum", "drift", "adc_step"), (0.1, 0.2, 0.3, 4.0, 0.01), strict=True)
    )
    knobs = {"corner": 4.0, "capacitance": 3.0, "bridge": 5.0, "junction": 9.0, "hum_phase": 1.0, **seen}
    whole = answer(kind, clamp, **knobs)
    np.testing.assert_array_equal(answer(kind, clamp, **knobs), whole)
    np.testing.assert_array_equal(answer(kind, clamp, count=2, **knobs), whole[:2])


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"flicker": -1.0}, "Knob flicker of the electrode is -1 mV rms, 0 to 10 mV rms was wanted"),
        ({"junction": float("nan")}, "Knob junction of the electrode is nan mV, -50 to 50 mV was wanted"),
        ({"corner": 0.5}, "Knob corner of the electrode is 0.5 kHz, 1 to 16 kHz, or 0 for none, was wanted"),
        ({"series": 0.0}, "Knob series of the electrode is 0 MOhm, 0.0001 to 1000 MOhm was wanted"),
        ({"series": float("inf")}, "Knob series of the electrode is inf MOhm"),
        ({"white_current": 1e4}, "Knob white_current of the electrode is 10000 pA rms, 0 to 1000 pA rms was wanted"),
        ({"hum_phase": float("nan")}, "Knob hum_phase of the electrode is nan rad"),
    ],
)
def test_a_knob_out_of_its_bounds_is_refused_by_name_value_bounds_and_unit(knobs, said):
    with pytest.raises(ValueError, match=said):
        Electrode(**knobs)


def test_every_column_of_the_kernels_is_a_knob():
    assert set(KNOBS) <= {entry.name for entry in fields(Electrode)}
    row = replace(IDEAL, hum_phase=0.3, bridge=1.0, offset=2.0).rows(
        False, 3, np.random.default_rng(0), 0.5, np.arange(3)
    )
    np.testing.assert_array_equal(row[:, :2], [[1.5, 2.0], [1.5, 3.0], [1.5, 4.0]])
