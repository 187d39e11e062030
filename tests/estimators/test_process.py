"""A process is known by the parameters of its cells, and what it records is what its simulator would."""

import numpy as np
import pytest

from estimators.cell import BESIDE, CELL
from estimators.context import CONTEXT
from estimators.features import NAMES
from estimators.generation import simulate, voltages
from estimators.nuisances import Nuisances, rigs
from estimators.process import CORTICAL, PATCHSEQ, PROCESSES, ProcessError, process_of
from simulators.cortical import Cortical
from simulators.electrode import Electrode
from simulators.patchseq import PatchSeq
from simulators.stimulus import Epoch, Stimulus, step

# A cell that rests and fires, of each.
THETA = {
    "cortical": [100.0, 0.06, 50.0, 5.0, 0.07, 600.0, -58.0, -70.0, 1.0, 0.0, 3.0, -2.0],
    "patchseq": [1.0, 100.0, 20.0, 60.0, 20.0, 20.0, 0.3, 20.0, 0.1, -75.0, 500.0, -60.0, 1.0, 3.0, -2.0],
}
EXACT = Nuisances(
    E_Na=(60.0, 60.0), E_K=(-90.0, -90.0), corner=(8.0, 8.0), white=(1e-9, 1e-9), hum=(0.0, 0.0), drift=0.0,
    E_Ca=(110.0, 110.0), temperature=(27.0, 27.0), membrane_noise=(1e-9, 1e-9),
)  # fmt: skip
both = pytest.mark.parametrize("process", PROCESSES.values(), ids=lambda process: process.name)


def context(count, **values):
    usual = {"amplitude": 300.0, "duration": 200.0, "baseline": 60.0, "tail": 40.0, "rate": 20.0, "holding_known": 1.0}
    return np.tile([(usual | values).get(name, 0.0) for name in CONTEXT], (count, 1))


def cells(process, count=3):
    return np.tile(THETA[process.name], (count, 1))


def answered(process, stimulus):
    """The answer of the simulator, whose bridge and offset are the cortical cell's own and the other's electrode's."""
    theta, draws = cells(process), np.random.default_rng(2)
    if process is CORTICAL:
        simulator = Cortical(60.0, -90.0, Electrode(white=1e-9, corner=8.0))
        return simulator.simulate(theta, stimulus, 20.0, draws)
    electrode = Electrode(white=1e-9, corner=8.0, bridge=3.0, offset=-2.0)
    return PatchSeq(electrode, 27.0, 60.0, -90.0, 110.0, 0.0).simulate(theta[:, :13], stimulus, 20.0, draws)


@both
def test_a_process_is_known_by_its_parameters_with_and_without_what_may_come_besides(process):
    every = tuple(process.within)
    assert process_of(process.names) is process_of(list(every)) is process
    assert process_of((*process.names, every[-1])) is process
    assert PROCESSES[process.name] is process


@pytest.mark.parametrize(
    "names",
    [
        (),
        CELL[:-1],
        CELL[::-1],
        (*CELL, "coupling"),
        (*CELL, "g_Kv3", "g_h"),
        (*CELL, "g_h", "g_h"),
        (*PATCHSEQ.names, "g_h"),
        (*PATCHSEQ.names[:13], "discrepancy"),
        (*CELL[:10], *PATCHSEQ.names),
    ],
)
def test_what_no_process_has_is_refused_with_what_was_given_and_wanted(names):
    with pytest.raises(ProcessError) as refusal:
        process_of(names)
    assert ", ".join(names) in str(refusal.value)
    assert all(process.name in str(refusal.value) for process in PROCESSES.values())


@both
def test_bridge_and_offset_are_where_their_names_are(process):
    assert process.names[process.bridge] == "bridge"
    assert process.names[process.offset] == "offset"
    drawn = rigs(cells(process), EXACT, np.random.default_rng(0), names=process.names)
    np.testing.assert_array_equal(drawn.electrodes[:, :2], np.tile([3.0, -2.0], (3, 1)))


def test_the_cortical_process_asks_for_the_twelve_and_may_ask_for_what_is_beside():
    assert CORTICAL.names == CELL
    assert tuple(CORTICAL.within) == (*CELL, *BESIDE)


def test_the_patchseq_process_asks_for_the_published_thirteen():
    assert PATCHSEQ.parameters[:13] == PatchSeq.parameters
    assert tuple(PATCHSEQ.within)[13:] == ("bridge", "offset", "discrepancy")


@both
def test_what_is_recorded_is_what_the_simulator_answers(process):
    """Two ways to one trace: the process, with its bath drawn from a point, and the simulator told the same."""
    theta = cells(process)
    drawn = rigs(theta, EXACT, np.random.default_rng(0), names=process.names)
    samples, counts = voltages(theta, context(3), drawn, np.random.default_rng(1), process.names)
    truth = answered(process, step(300.0, onset=60.0, duration=200.0, tail=40.0))
    assert (counts == 6000).all()
    assert np.ptp(truth[0]) > 60.0
    np.testing.assert_allclose(samples, truth, rtol=0, atol=0.05)


@both
def test_what_comes_before_the_baseline_reaches_what_is_kept(process):
    theta = cells(process)
    drawn = rigs(theta, EXACT, np.random.default_rng(0), names=process.names)
    told = context(3, amplitude=0.0, history_level=-100.0, history_duration=300.0, history_gap=60.0)
    (after, _), (without, _) = (
        voltages(theta, table, drawn, np.random.default_rng(1), process.names)
        for table in (told, context(3, amplitude=0.0))
    )
    assert (without[:, 0] - after[:, 0] > 5.0).all()
    epochs = (Epoch(0.0, 5.0), Epoch(-100.0, 300.0), Epoch(0.0, 300.0))
    whole = answered(process, Stimulus("current", epochs))
    np.testing.assert_allclose(after, whole[:, 6100:], rtol=0, atol=0.05)


def test_a_process_draws_what_surrounds_its_cells_and_nothing_else():
    """A cortical cell knows of no calcium and no temperature, and their ranges change no number of it."""
    theta = cells(CORTICAL)
    wide = Nuisances(E_Ca=(100.0, 150.0), temperature=(20.0, 40.0), membrane_noise=(0.1, 20.0))
    plain, other = (rigs(theta, nuisances, np.random.default_rng(0)) for nuisances in (Nuisances(), wide))
    np.testing.assert_array_equal(plain.electrodes, other.electrodes)
    np.testing.assert_array_equal(plain.bath, other.bath)


def test_each_patchseq_cell_has_one_bath_of_its_own_in_the_ranges():
    nuisances = Nuisances(
        E_Na=(64.0, 74.0), E_K=(-103.0, -93.0), E_Ca=(120.0, 130.0), temperature=(24.0, 26.0), membrane_noise=(0.5, 8.0)
    )
    of_cell = np.repeat(np.arange(200), np.tile([1, 3], 100))
    theta = np.tile(THETA["patchseq"], (400, 1))
    bath = rigs(theta, nuisances, np.random.default_rng(0), of_cell, PATCHSEQ.names).bath
    for k in range(6):
        assert (np.ptp(bath[:, k].reshape(100, 4)[:, 1:], axis=1) == 0.0).all()
        assert (bath[::4, k] != bath[1::4, k]).all()
    assert (bath[:, 6] == 0.0).all()
    # Published: 2.3 in ten degrees, from 21 and from 36.
    degrees = [21.0 + 10.0 * np.log(bath[:, 3]) / np.log(2.3), 36.0 + 10.0 * np.log(bath[:, 4]) / np.log(2.3)]
    np.testing.assert_allclose(degrees[0], degrees[1], rtol=0, atol=1e-9)
    columns = {"E_Na": bath[:, 0], "E_K": bath[:, 1], "E_Ca": bath[:, 2], "temperature": degrees[0]}
    columns["membrane_noise"] = bath[:, 5]
    for name, values in columns.items():
        low, high = getattr(nuisances, name)
        reach = 0.05 * (high - low)
        assert low - 1e-9 <= values.min() < low + reach
        assert high - reach < values.max() <= high + 1e-9
    # Log-uniform: half of them lie below the geometric mean.
    assert np.mean(bath[np.unique(of_cell, return_index=True)[1], 5] < 2.0) == pytest.approx(0.5, abs=0.12)


@pytest.mark.parametrize(
    ("name", "low", "high", "feature", "moved"),
    [
        ("E_Na", 55.0, 75.0, "peak", 1),
        ("E_K", -105.0, -85.0, "trough", 1),
        ("temperature", 20.0, 30.0, "half_width", -1),
        ("membrane_noise", 1e-9, 8.0, "rest_noise", 1),
    ],
)
def test_what_surrounds_a_patchseq_cell_shows_in_the_features_it_should(name, low, high, feature, moved):
    theta = np.tile(THETA["patchseq"], (16, 1))
    values = []
    for value in (low, high):
        nuisances = Nuisances(white=(0.02, 0.02), hum=(0.0, 0.0), drift=0.0, **{name: (value, value)})
        found = simulate(theta, context(16, amplitude=900.0), nuisances, np.random.default_rng(0), names=PATCHSEQ.names)
        values.append(np.nanmean(found[:, NAMES.index(feature)]))
    assert moved * (values[1] - values[0]) > 0.05


@both
def test_a_membrane_that_blows_up_gives_a_sweep_without_features(process):
    """Whatever is done to samples behind it, what is not finite is missing, and its neighbours keep their numbers."""
    theta = cells(process)
    column = {"cortical": "g_Na", "patchseq": "g_Nat"}[process.name]
    theta[1, process.names.index(column)] = np.nan
    nuisances = Nuisances(adc_range=(100.0, 100.0), adc_step=(0.05, 0.05), capacitance=(3.0, 3.0), flicker=(0.1, 0.1))
    found = simulate(theta, context(3), nuisances, np.random.default_rng(0), names=process.names)
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[[0, 2]][:, NAMES.index("mean_voltage")]).all()


@both
def test_theta_of_other_parameters_than_were_named_draws_no_rig(process):
    with pytest.raises(ValueError, match="parameters; "):
        rigs(cells(process)[:, :-1], EXACT, np.random.default_rng(0), names=process.names)
