"""The four types fire as they were published: arithmetic on spike times."""

import numpy as np
import pytest

from simulators.electrode import Electrode
from simulators.firing_type import Bursting, FastSpiking, FiringType, LowThresholdSpiking, RegularSpiking
from simulators.published import CELLS
from simulators.stimulus import Dose, Epoch, Stimulus, step

RATE = 40.0
ONSET = 100.0
# What the authors' own code gives after the onset, as it is kept beside its port to NeuroML [ms]:
# https://github.com/OpenSourceBrain/PospischilEtAl2008. It starts from a voltage near the rest, and its solver is of
# first order.
THEIRS = {
    "RS": (RegularSpiking, 400.0, [20.554, 48.522, 87.944, 156.690, 292.105]),
    "FS": (FastSpiking, 400.0, 17.023 + 20.1719 * np.arange(19)),
    "IB": (Bursting, 400.0, [117.724, 124.631, 131.1, 137.785, 144.908]),
    "IB, repetitive": (Bursting, 150.0, [117.697, 122.346, 126.612, 130.869, 135.178, 139.553, 144.0, 148.522]),
}


def spikes(trace, rate=RATE):
    """Times of spikes after the onset [ms]."""
    return (np.flatnonzero((trace[:-1] < -20) & (trace[1:] >= -20)) + 1) / rate - ONSET


def shown(kind, name, *, duration=800.0, amplitude=None, doses=(), tail=300.0, **values):
    """The voltage of a published cell under a step."""
    simulator = kind(electrode=Electrode(white=0.0))
    cell = CELLS[name]
    theta = cell.theta(simulator.parameters)
    for parameter, value in values.items():
        theta[[p.name for p in simulator.parameters].index(parameter)] = value
    level = cell.amplitude if amplitude is None else amplitude
    epochs = [Epoch(x, t, doses) for x, t in ((0.0, ONSET), (level, duration), (0.0, tail))]
    return simulator.simulate(theta[None], Stimulus("current", tuple(epochs)), RATE, np.random.default_rng(0))[0]


@pytest.mark.parametrize("name", THEIRS)
def test_spikes_are_when_the_authors_own_code_has_them(name):
    kind, duration, theirs = THEIRS[name]
    ours = spikes(shown(kind, name, duration=duration))[: len(theirs)]
    np.testing.assert_allclose(ours, theirs, rtol=0.003, atol=0.1)


def test_a_regular_spiking_cell_is_tonic_and_slows_down():
    intervals = np.diff(spikes(shown(RegularSpiking, "RS figure 1c")))
    assert len(intervals) >= 10
    assert (np.diff(intervals[:8]) > 0).all()
    assert intervals[-1] > 2 * intervals[0]
    assert intervals[-1] == pytest.approx(intervals[-2], rel=0.02)


def test_a_fast_spiking_cell_does_not_slow_down():
    intervals = np.diff(spikes(shown(FastSpiking, "FS")))
    assert len(intervals) >= 30
    np.testing.assert_allclose(intervals, intervals[0], rtol=0.01)
    harder = np.diff(spikes(shown(FastSpiking, "FS", amplitude=1000.0)))
    slow = np.diff(spikes(shown(RegularSpiking, "RS")))
    assert 1000.0 / harder[-1] > 80.0 > 1000.0 / slow[-1]


def test_a_bursting_cell_begins_with_a_burst():
    intervals = np.diff(spikes(shown(Bursting, "IB", duration=2000.0)))
    assert (intervals[:7] < 20.0).all()
    assert intervals[8:].size >= 2
    assert intervals[8:].min() > 150.0
    without = spikes(shown(Bursting, "IB", duration=2000.0, doses=(Dose("g_L", 0.0),)))
    assert not (np.diff(without) < 20.0).any()


def test_a_repetitively_bursting_cell_bursts_again():
    intervals = np.diff(spikes(shown(Bursting, "IB, repetitive", duration=2000.0)))
    pauses = np.flatnonzero(intervals > 100.0)
    assert len(pauses) >= 2
    assert (np.diff(pauses) >= 2).all()
    assert np.median(intervals) < 15.0


def test_a_low_threshold_spiking_cell_answers_the_end_of_a_hyperpolarization_with_a_burst():
    times = spikes(shown(LowThresholdSpiking, "LTS, rebound", duration=400.0)) - 400.0
    assert len(times) >= 2
    assert (times > 20.0).all()
    assert times[1] < 150.0
    assert times[1] - times[0] < 20.0
    assert len(spikes(shown(LowThresholdSpiking, "LTS, rebound", duration=400.0, g_T=0.0))) == 0


def test_a_low_threshold_spiking_cell_held_far_down_begins_with_a_burst():
    times = spikes(shown(LowThresholdSpiking, "LTS"))
    assert times[1] - times[0] < 20.0
    assert (np.diff(times)[2:] > 100.0).all()


def test_an_h_current_makes_a_hyperpolarized_cell_sag():
    def sag(**options):
        simulator = RegularSpiking(electrode=Electrode(white=0.0), **options)
        theta = CELLS["RS"].theta(simulator.parameters)
        if simulator.parameters[-1].name == "g_h":
            theta[-1] = 0.2
        run = step(-400.0, onset=ONSET, duration=600.0, tail=200.0)
        V = simulator.simulate(theta[None], run, RATE, np.random.default_rng(0))[0]
        during = V[round(ONSET * RATE) : round((ONSET + 600.0) * RATE)]
        return (during[-1] - during.min()) / (V[0] - during.min()), V[round(720.0 * RATE) :].max() - V[0]

    ratio, rebound = sag(sag=True)
    assert 0.05 < ratio < 0.6
    assert rebound > 0.5
    ratio, rebound = sag()
    assert ratio < 0.02
    assert rebound < 0.5


@pytest.mark.parametrize("kind", [RegularSpiking, FastSpiking, Bursting, LowThresholdSpiking])
def test_options_add_their_parameters_and_conductances(kind):
    every = kind(sag=True, dendrite=True, slow=True, kv3=True)
    names = [parameter.name for parameter in every.parameters]
    assert names[-5:] == ["g_h", "slow_share", "g_Kv3", "dendrite_ratio", "coupling"]
    assert set(every.conductances) == {name for name in names if name.startswith("g_")}
    for option, added in {
        "sag": {"g_h"},
        "dendrite": {"dendrite_ratio", "coupling"},
        "slow": {"slow_share"},
        "kv3": {"g_Kv3"},
    }.items():
        assert {p.name for p in kind(**{option: True}).parameters} - {p.name for p in kind().parameters} == added
    assert issubclass(kind, FiringType)


def test_a_blocker_of_Kv3_broadens_spikes_and_slow_inactivation_lowers_the_last_of_a_train():
    simulator = FastSpiking(electrode=Electrode(white=0.0), slow=True, kv3=True)
    theta = CELLS["FS"].theta(simulator.parameters)
    theta[[p.name for p in simulator.parameters].index("g_Kv3")] = 20.0
    shares = np.tile(theta, (2, 1))
    shares[:, [p.name for p in simulator.parameters].index("slow_share")] = 0.0, 0.8

    def answers(*doses):
        epochs = [Epoch(x, t, doses) for x, t in ((0.0, 100.0), (700.0, 800.0), (0.0, 50.0))]
        return simulator.simulate(shares, Stimulus("current", tuple(epochs)), RATE, np.random.default_rng(0))

    kept, blocked = answers(), answers(Dose("g_Kv3", 0.0))
    widths = [np.sum(V[0] > -20.0) / len(spikes(V[0])) for V in (kept, blocked)]
    assert widths[1] > 1.1 * widths[0]
    without, slow = (V[round(800.0 * RATE) : round(900.0 * RATE)].max() for V in kept)
    assert without - slow > 0.8


def richer(epochs, rate, **values):
    """The voltage of the published RS cell with slow inactivation and Kv3 as they are given."""
    cell = RegularSpiking(slow=True, kv3=True, electrode=Electrode(white=0.0, corner=16.0))
    theta = CELLS["RS"].theta(cell.parameters)
    for name, value in values.items():
        theta[[parameter.name for parameter in cell.parameters].index(name)] = value
    stimulus = Stimulus("current", tuple(Epoch(level, duration) for level, duration in epochs))
    return cell.simulate(theta[None], stimulus, rate, np.random.default_rng(0))[0]


def test_slow_inactivation_takes_height_from_spikes_all_along_a_train_and_gives_it_back_in_a_pause():
    def heights(share):
        train = [(0.0, 50.0), (2900.0, 1000.0), (0.0, 3000.0), (2900.0, 30.0)]
        V = richer(train, RATE, slow_share=share, g_Kv3=0.0, g_M=0.0)
        peaks = np.flatnonzero((V[1:-1] > -10.0) & (V[1:-1] > V[:-2]) & (V[1:-1] >= V[2:])) + 1
        during, after = V[peaks[peaks < 1050.0 * RATE]], V[peaks[peaks > 4050.0 * RATE]]
        # Samples lie up to half a step beside a peak; ten of them average that out.
        whole = during[10 : 10 + (len(during) - 10) // 10 * 10]
        return during[0], whole.reshape(-1, 10).mean(axis=1), after[0]

    (_, plain, _), (first, slow, recovered) = heights(0.0), heights(0.9)
    assert len(slow) >= 5
    assert np.ptp(plain) < 0.3
    assert (np.diff(slow) < 0.0).all()
    assert slow[0] - slow[-1] > 3.0
    assert recovered == pytest.approx(first, abs=0.6)


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_Kv3_narrows_the_spike(factor):
    def width(g_Kv3):
        """Time above -20 mV of the first spike, interpolated [ms]."""
        V = richer([(0.0, 20.0), (4000.0, 40.0)], 80.0, g_Kv3=g_Kv3, slow_share=0.0, rate_factor=factor)
        up, down = (np.flatnonzero((s * V[:-1] < s * -20.0) & (s * V[1:] >= s * -20.0))[0] for s in (1.0, -1.0))
        begin, end = (k + (-20.0 - V[k]) / (V[k + 1] - V[k]) for k in (up, down))
        return (end - begin) / 80.0

    widths = [width(g_Kv3) for g_Kv3 in (0.0, 5.0, 20.0)]
    assert widths[0] > 1.05 * widths[1] > 1.05**2 * widths[2]
