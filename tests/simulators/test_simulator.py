"""What every simulator keeps, whatever its equations."""

import numpy as np
import pytest

from simulators.adex import AdEx
from simulators.cortical import Cortical
from simulators.electrode import Electrode
from simulators.firing_type import Bursting, FastSpiking, LowThresholdSpiking, RegularSpiking
from simulators.passive import Passive
from simulators.patchseq import PatchSeq
from simulators.pyloric import Pyloric
from simulators.stg_neuron import StgNeuron
from simulators.stimulus import Dose, Epoch, Stimulus, step

QUIET = Electrode(white=0.0, white_current=0.0)
SIMULATORS = (
    Passive(),
    Cortical(electrode=QUIET),
    AdEx(),
    PatchSeq(QUIET, noise=0.0),
    StgNeuron(settling=200.0),
    Pyloric(noise=0.0, settling=200.0),
    RegularSpiking(electrode=QUIET),
    FastSpiking(sag=True, kv3=True, electrode=QUIET),
    Bursting(dendrite=True, slow=True, electrode=QUIET),
    LowThresholdSpiking(sag=True, dendrite=True, slow=True, kv3=True, electrode=QUIET),
)
STIMULUS = step(80.0, holding=-10.0, onset=40.0, duration=120.0, tail=40.0)
REST = Stimulus("current", (Epoch(0.0, 100.0), Epoch(0.0, 400.0)))
every = pytest.mark.parametrize("simulator", SIMULATORS, ids=lambda simulator: type(simulator).__name__)
# Stomatogastric neurons burst by themselves; at what they rest where they do is with their own tests.
RESTING = [simulator for simulator in SIMULATORS if not isinstance(simulator, (StgNeuron, Pyloric))]
silent = pytest.mark.parametrize("simulator", RESTING, ids=lambda simulator: type(simulator).__name__)


@pytest.fixture(scope="module")
def thetas(draws):
    """Draw theta: of the shipped prior where a simulator has its parameters, else of the simulator's own."""

    def draw(simulator, count, seed):
        u = np.random.default_rng(seed).standard_normal((count, len(simulator.parameters)))
        theta = np.stack([p.constrain(u[:, k]) for k, p in enumerate(simulator.parameters)], axis=1)
        cortical = [parameter.name for parameter in Cortical.parameters]
        if [parameter.name for parameter in simulator.parameters][: len(cortical)] == cortical:
            theta[:, : len(cortical)] = draws(count, seed)
        return theta

    return draw


def silenced(simulator, theta):
    """The same cells without noise."""
    theta = theta.copy()
    for k, parameter in enumerate(simulator.parameters):
        if parameter.name == "noise":
            theta[:, k] = 0.0
    return theta


@every
@pytest.mark.parametrize("rate", [10.0, 20.0, 50.0])
def test_the_answer_is_a_finite_voltage_for_every_sample_of_the_command(simulator, thetas, rate):
    response = simulator.simulate(thetas(simulator, 100, 1), STIMULUS, rate, np.random.default_rng(0))
    assert response.shape == (100, len(STIMULUS.command(rate)))
    assert response.dtype == np.float64
    assert np.isfinite(response).all()


def corners(parameters, count=2048):
    lows, highs = (np.array([getattr(p, name) for p in parameters]) for name in ("low", "high"))
    return np.where(np.random.default_rng(3).random((count, len(lows))) < 0.5, lows, highs)


@pytest.mark.parametrize(("amplitude", "holding"), [(500.0, 0.0), (500.0, 250.0), (-250.0, -250.0), (500.0, -250.0)])
def test_the_corners_of_the_shipped_prior_are_finite_under_the_strongest_designs(prior, amplitude, holding):
    stimulus = step(amplitude, holding=holding, onset=50.0, duration=200.0, tail=50.0)
    assert np.isfinite(SIMULATORS[1].simulate(corners(prior), stimulus, 20.0, np.random.default_rng(0))).all()


@every
def test_the_corners_of_its_own_bounds_are_finite(simulator):
    stimulus = step(1000.0, holding=-500.0, onset=20.0, duration=40.0, tail=20.0)
    response = simulator.simulate(corners(simulator.parameters), stimulus, 20.0, np.random.default_rng(0))
    assert np.isfinite(response).all()


@silent
def test_the_unit_is_the_millivolt(simulator, thetas):
    theta = thetas(simulator, 200, 2)
    response = simulator.simulate(theta, REST, 20.0, np.random.default_rng(0))
    lowest = next(theta[:, k] for k, p in enumerate(simulator.parameters) if p.name == "E_leak")
    # A cell without a current rests between its reversal potentials; electrode and noise put 20 mV on top.
    assert (response.mean(axis=1) > np.minimum(lowest, -93.0) - 20.0).all()
    assert (response.mean(axis=1) < 20.0).all()


@every
def test_the_same_generator_gives_the_same_numbers(simulator, thetas):
    theta = thetas(simulator, 40, 3)
    one, again, other = (simulator.simulate(theta, STIMULUS, 20.0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    stochastic = any(parameter.name == "noise" for parameter in simulator.parameters)
    assert np.array_equal(one, other) != stochastic


@every
def test_a_batch_is_its_rows_one_by_one(simulator, thetas):
    theta = silenced(simulator, thetas(simulator, 37, 4))
    batch = simulator.simulate(theta, STIMULUS, 20.0, np.random.default_rng(0))
    rows = [simulator.simulate(row[None], STIMULUS, 20.0, np.random.default_rng(9))[0] for row in theta]
    np.testing.assert_array_equal(batch, rows)


@every
def test_theta_is_left_as_it_was(simulator, thetas):
    theta = thetas(simulator, 5, 5)
    before = theta.copy()
    theta.setflags(write=False)
    simulator.simulate(theta, STIMULUS, 20.0, np.random.default_rng(0))
    np.testing.assert_array_equal(theta, before)


@silent
def test_a_cell_at_rest_stays_there_without_a_stimulus(simulator, thetas):
    theta = silenced(simulator, thetas(simulator, 120, 6))
    response = simulator.simulate(theta, REST, 20.0, np.random.default_rng(0))
    # Others fire by themselves; one in a hundred does so less than once in the 500 ms, and is on its way here.
    silent = np.ptp(response, axis=1) < 20.0
    assert silent.mean() > 0.6
    assert np.mean(np.ptp(response[silent], axis=1) < 0.1) >= 0.98


@silent
def test_an_answer_starts_from_rest_at_the_first_level(simulator, thetas):
    theta = silenced(simulator, thetas(simulator, 60, 7))
    theta[:, [k for k, parameter in enumerate(simulator.parameters) if parameter.name == "bridge"]] = 0.0
    held, free = (
        simulator.simulate(
            theta, Stimulus("current", (Epoch(level, 40.0), Epoch(level, 40.0))), 20.0, np.random.default_rng(0)
        )
        for level in (-30.0, 0.0)
    )
    silent = (np.ptp(held, axis=1) < 0.1) & (np.ptp(free, axis=1) < 0.1)
    assert silent.sum() > 30
    assert (held[silent, 0] < free[silent, 0]).all()


@every
@pytest.mark.parametrize("way", ["below", "above", "missing"])
def test_a_value_out_of_bounds_is_refused_by_name_value_bounds_and_unit(simulator, thetas, way):
    for k, parameter in enumerate(simulator.parameters):
        theta = thetas(simulator, 3, 8)
        span = parameter.high - parameter.low
        theta[1, k] = {"below": parameter.low - span, "above": parameter.high + span, "missing": np.nan}[way]
        with pytest.raises(ValueError, match=r"wanted\.$") as refused:
            simulator.simulate(theta, STIMULUS, 20.0, np.random.default_rng(0))
        for part in (parameter.name, f"{theta[1, k]:g} {parameter.unit}", f"{parameter.low:g}", f"{parameter.high:g}"):
            assert part in str(refused.value)


@every
def test_the_bounds_themselves_are_taken(simulator):
    theta = np.array([[p.low for p in simulator.parameters], [p.high for p in simulator.parameters]])
    assert np.isfinite(simulator.simulate(theta, STIMULUS, 20.0, np.random.default_rng(0))).all()


@every
@pytest.mark.parametrize("shape", [(3,), (2, 1), (1, 2, 3)])
def test_theta_of_another_shape_is_refused(simulator, shape):
    with pytest.raises(ValueError, match=rf"\(b, {len(simulator.parameters)}\) was wanted"):
        simulator.simulate(np.full(shape, 1.0), STIMULUS, 20.0, np.random.default_rng(0))


@every
def test_a_voltage_clamp_is_refused_where_there_is_none(simulator, thetas):
    clamp = Stimulus("voltage", (Epoch(-70.0, 10.0), Epoch(0.0, 10.0)))
    if "voltage" in simulator.clamps:
        pytest.skip("This cell can be clamped.")
    with pytest.raises(ValueError, match="in voltage clamp, current clamp was wanted"):
        simulator.simulate(thetas(simulator, 1, 9), clamp, 20.0, np.random.default_rng(0))


@every
@pytest.mark.parametrize("rate", [0.0, -10.0, np.nan, np.inf])
def test_a_rate_that_is_none_is_refused(simulator, thetas, rate):
    with pytest.raises(ValueError, match=f"{rate} kHz, a positive one was wanted"):
        simulator.simulate(thetas(simulator, 1, 9), STIMULUS, rate, np.random.default_rng(0))


@every
def test_parameters_have_names_of_their_own_and_units(simulator):
    names = [parameter.name for parameter in simulator.parameters]
    assert len(set(names)) == len(names)
    assert all(parameter.unit for parameter in simulator.parameters)


def test_the_cortical_cell_holds_the_shipped_prior(prior):
    for parameter, wide in zip(prior, Cortical.parameters, strict=True):
        assert (parameter.name, parameter.unit) == (wide.name, wide.unit)
        assert wide.low <= parameter.low < parameter.high <= wide.high


@every
def test_a_dose_of_what_the_cell_does_not_have_is_refused(simulator, thetas):
    dosed = Stimulus("current", (Epoch(0.0, 10.0), Epoch(0.0, 10.0, (Dose("g_unheard_of", 0.5),))))
    with pytest.raises(ValueError, match="A dose names 'g_unheard_of', one of this cell's conductances was wanted"):
        simulator.simulate(thetas(simulator, 1, 10), dosed, 20.0, np.random.default_rng(0))


def test_a_dose_changes_its_conductance_in_its_epoch_only():
    class Leaky(Passive):
        conductances = ("g_leak",)

    dosed = Stimulus("current", (Epoch(0.0, 10.0), Epoch(0.0, 10.0, (Dose("g_leak", 0.5, 3.0),)), Epoch(0.0, 5.0)))
    theta = np.array([[100.0, 10.0, -70.0], [50.0, 4.0, -60.0]])
    courses = Leaky().courses(theta, dosed)
    np.testing.assert_array_equal(courses[:, 0], theta)
    np.testing.assert_array_equal(courses[:, 1], [[100.0, 8.0, -70.0], [50.0, 5.0, -60.0]])
    np.testing.assert_array_equal(courses[:, 2], theta)
