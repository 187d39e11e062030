"""NEURON agrees: the regular spiking cell of its channel builder, solved with its variable time step."""

import os

import numpy as np
import pytest

from simulators.electrode import Electrode
from simulators.firing_type import RegularSpiking
from simulators.published import CELLS
from simulators.stimulus import step

EXPONENTIAL, LINOID, SIGMOID, TABLE = 2, 3, 4, 7
RATE = 40.0


@pytest.fixture(scope="module")
def h():
    # Without it, it looks for a display.
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
    neuron = pytest.importorskip("neuron", reason="NEURON is a package of the test extra.")
    neuron.h.load_file("stdrun.hoc")
    return neuron.h


def channel(h, name, gates):
    """Build an ohmic channel of independent gates: of each a power and two functions of voltage."""
    built = h.KSChan()
    built.name(name)
    built.ion("NonSpecific")
    built.iv_type(0)
    for k, (gate, power, kind, functions) in enumerate(gates):
        built.add_hhstate(gate)
        built.gate(k).power(power)
        built.trans(k).type(kind)
        for direction, (form, *numbers) in enumerate(functions):
            if form == TABLE:
                built.trans(k).set_f(direction, form, h.Vector(numbers[0]), *numbers[1:])
            else:
                built.trans(k).set_f(direction, form, h.Vector(numbers))
    return built


@pytest.fixture(scope="module")
def channels(h):
    """Pospischil's m, h, n and p at V_T = -55 mV, as amplitude, slope and middle."""
    V = np.linspace(-150.0, 100.0, 25_001)
    tau = 1000.0 / (3.3 * np.exp((V + 35.0) / 20.0) + np.exp(-(V + 35.0) / 20.0))
    m = ("m", 3, 0, ((LINOID, 1.28, 0.25, -42.0), (LINOID, 1.4, -0.2, -15.0)))
    inactivation = ("h", 1, 0, ((EXPONENTIAL, 0.128, -1.0 / 18.0, -38.0), (SIGMOID, 4.0, -0.2, -15.0)))
    n = ("n", 4, 0, ((LINOID, 0.16, 0.2, -40.0), (EXPONENTIAL, 0.5, -0.025, -45.0)))
    p = ("p", 1, 1, ((SIGMOID, 1.0, -0.1, -35.0), (TABLE, tau, -150.0, 100.0)))
    return [
        channel(h, "sodium", [m, inactivation]),
        channel(h, "rectifier", [n]),
        channel(h, "slow", [p]),
    ]


def theirs(h, cell, amplitude, durations):
    """Time and voltage of a cylinder as long as it is wide [ms, mV]."""
    section = h.Section(name="soma")
    section.L = section.diam = cell.diameter
    section.cm = 1.0
    for name in ("sodium", "rectifier", "slow", "pas"):
        section.insert(name)
    segment = section(0.5)
    for name, key, reversal in (("sodium", "g_Na", 50.0), ("rectifier", "g_K", -100.0), ("slow", "g_M", -100.0)):
        mechanism = getattr(segment, name)
        mechanism.gmax, mechanism.e = 1e-3 * cell.values[key], reversal
    segment.pas.g, segment.pas.e = 1e-3 * cell.values["g_leak"], cell.values["E_leak"]
    clamp = h.IClamp(segment)
    clamp.delay, clamp.dur, clamp.amp = durations[0], durations[1], 1e-3 * amplitude
    solver = h.CVode()
    solver.active(True)
    solver.atol(1e-8)
    t, V = h.Vector().record(h._ref_t), h.Vector().record(segment._ref_v)
    h.finitialize(-70.5)
    h.continuerun(sum(durations))
    return np.array(t), np.array(V)


def test_a_regular_spiking_cell_spikes_when_neuron_says(h, channels):
    cell = CELLS["RS"]
    lead = 1000.0
    t, V = theirs(h, cell, cell.amplitude, (lead, 500.0, 100.0))
    simulator = RegularSpiking(electrode=Electrode(white=0.0, corner=16.0))
    run = step(cell.amplitude, onset=100.0, duration=500.0, tail=100.0)
    ours = simulator.simulate(cell.theta(simulator.parameters)[None], run, RATE, np.random.default_rng(0))[0]
    rises = [
        (time[i] + (-20.0 - v[i]) / (v[i + 1] - v[i]) * (time[i + 1] - time[i])) - onset
        for time, v, onset in ((t, V, lead), (np.arange(len(ours)) / RATE, ours, 100.0))
        for i in [np.flatnonzero((v[:-1] < -20) & (v[1:] >= -20))]
    ]
    assert len(rises[0]) == len(rises[1]) == 6
    # The amplifier's filter of 16 kHz comes .02 ms late.
    np.testing.assert_allclose(rises[1], rises[0], rtol=0, atol=0.1)
    assert ours[0] == pytest.approx(np.interp(lead - 1.0, t, V), abs=0.05)
