"""What surrounds a network works for the cells of every process: kept, asked, judged, forecast and led on."""

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from estimators.adaptive import adapt
from estimators.checkpoint import Checkpoint, load, save
from estimators.context import CONTEXT, Context
from estimators.distortion import Distortion
from estimators.faults import FAULTS, planted
from estimators.features import NAMES
from estimators.forecast import Forecast
from estimators.generation import generate, simulate
from estimators.novelty import Novelty
from estimators.observer import Observer
from estimators.panel import Panel
from estimators.process import PROCESSES
from estimators.sets import Sets
from estimators.spec import spec_from
from estimators.strangers import strange_to
from estimators.surprise import Surprise
from estimators.watchman import Watchman, lessons

SPECS = {"cortical": "cortical-steps.toml", "patchseq": "patchseq-13.toml"}
DISCREPANCY = 'discrepancy = { unit = "1", low = 0.02, high = 0.4, scale = "log" }'
COUNT, MEAN = NAMES.index("spike_count"), NAMES.index("mean_voltage")


def short(name):
    """The spec of a process, with the model's own error, and sweeps that are soon simulated."""
    text = (files("estimators.pretrained") / SPECS[name]).read_text(encoding="utf-8")
    if "\ndiscrepancy = " not in text:
        text = text.replace("\n[nuisances]\n", f"\n{DISCREPANCY}\n\n[nuisances]\n")
    spec = spec_from(text, name)
    designs = replace(spec.designs, duration=(200.0, 210.0), baseline=(50.0, 60.0), tail=(285.0, 300.0), sweeps=(1, 3))
    return replace(spec, designs=designs)


@pytest.fixture(scope="module", params=list(PROCESSES))
def spec(request):
    return short(request.param)


@pytest.fixture(scope="module")
def sets(spec):
    rng = np.random.default_rng(0)
    return Sets.join(list(generate(spec.parameters, spec.designs, spec.nuisances, 200, rng, sweeps=2)))


@pytest.fixture(scope="module")
def checkpoint(spec, sets, made):
    """A network that listens though it was never trained, and all that belongs to it."""
    network = made.network(spec, sets)
    rng = np.random.default_rng(1)
    distortion = Distortion(spec.parameters, network.scaling)
    predictive, watchman = made.likelihood((), sets), Watchman((*FAULTS, *strange_to(spec.process)))
    watchman.learn(lessons(spec, 12, rng, distortion), predictive.scaling, rng)
    reference = Novelty.make(network.scaling, sets, rng, size=100)
    reference |= {f"misfit_{k}": np.sort(rng.gamma(2.0, 0.5, 100)) for k in (1, 3, 10)}
    reference["surprise_scores"] = Surprise.make(predictive, watchman, spec, rng, 40, distortion)
    likelihood = made.likelihood(spec.parameters, sets)
    return Checkpoint(network, spec, {"epochs": []}, {"n": 0}, reference, likelihood, predictive, watchman)


def told(amplitude, start=0.0):
    return Context(amplitude, 0.0, 1.0, 200.0, 55.0, 290.0, 20.0, start=start)


@pytest.fixture(scope="module")
def swept(spec):
    """Sweeps of a cell in the middle of the prior, and their circumstances."""
    contexts = [told(amplitude, 5.0 * k) for k, amplitude in enumerate((-50.0, 50.0, 150.0, 250.0, 350.0))]
    theta = np.tile([float(p.constrain(np.array(0.0))) for p in spec.parameters], (len(contexts), 1))
    table = np.stack([context.row() for context in contexts])
    of_cell = np.zeros(len(contexts), dtype=np.int64)
    rows = simulate(theta, table, spec.nuisances, np.random.default_rng(2), of_cell, spec.names)
    assert np.isfinite(rows[:, MEAN]).all()
    return rows, contexts


def test_the_committed_spec_is_of_its_process(spec):
    assert SPECS[spec.process.name] == f"{spec.name}.toml"
    assert spec.names == (*spec.process.names, "discrepancy")


def test_a_checkpoint_keeps_its_process(checkpoint, tmp_path):
    whole = replace(checkpoint, spec=spec_from(checkpoint.spec.text, "mine.toml"))
    save(tmp_path / "net.h5", whole)
    there = load(tmp_path / "net.h5")
    assert there.spec == whole.spec
    assert there.spec.process is checkpoint.spec.process


def test_an_observer_draws_what_the_process_can_have(checkpoint, swept):
    observer = Observer(checkpoint, seed=3, draws=200)
    observer.warm()
    drawn = None
    for row, context in zip(*swept, strict=True):
        prediction = observer.expect(context)
        assert (prediction is None) == (drawn is None)
        # An untrained watchman may see any fault; the sweep is sound, and is to be taken.
        verdict = observer.observe(row, context, prediction)
        drawn = verdict.draws
    assert drawn is not None
    low, high = (np.array([getattr(p, end) for p in checkpoint.spec.parameters]) for end in ("low", "high"))
    assert drawn.shape == (200, len(low))
    assert ((drawn >= low) & (drawn <= high)).all()


def test_a_forecast_simulates_the_cells_of_the_process(checkpoint, swept):
    rows, contexts = swept
    forecast = Forecast(checkpoint, rows[::2], contexts[::2], contexts[1::2], draws=60)
    assert forecast.weights.sum() == pytest.approx(1.0)
    for k in range(2):
        assert np.isfinite(forecast.sweep(k, 50)[:, COUNT]).all()
        assert forecast.unaided(k).shape == (20, len(NAMES))
    traces = forecast.traces(0)
    assert [len(trace) for trace in traces] == [10_900] * 3
    assert (np.abs(forecast.rheobase(50)) >= 0.0).all()


def test_faults_are_planted_in_sweeps_of_the_process(spec):
    theta = np.tile([float(p.constrain(np.array(0.0))) for p in spec.parameters], (4, 1))
    table = np.tile(told(100.0).row(), (4, 1))
    found = planted(dict(FAULTS), theta, table, spec.nuisances, np.random.default_rng(4), spec.names)
    assert set(found) == {"none", *FAULTS}
    rest = NAMES.index("rest")
    np.testing.assert_allclose(found["offset_14_mV"][:, rest] - found["none"][:, rest], 14.0, rtol=0, atol=1e-3)
    jump = NAMES.index("onset_jump")
    moved = found["bridge_20_MOhm"][:, jump] - found["none"][:, jump]
    np.testing.assert_allclose(moved, 20e-3 * 100.0, rtol=0, atol=0.05)


def test_steps_that_follow_the_answers_are_played_to_cells_of_the_process(checkpoint):
    spec = replace(checkpoint.spec, designs=replace(checkpoint.spec.designs, sweeps=(3, 3)))
    (made,) = adapt(checkpoint.network, spec, 6, np.random.default_rng(5))
    assert made.u.shape == (18, len(spec.parameters))
    assert np.isfinite(made.features[:, MEAN]).mean() > 0.5
    amplitude = made.context[:, CONTEXT.index("amplitude")].reshape(6, 3)
    assert (np.ptp(amplitude, axis=1) > 0).all()


def test_a_panel_of_the_process_has_its_parameters_and_traces(spec):
    panel = Panel.draw(spec, 4, 2, np.random.default_rng(6), traces=True)
    assert panel.u.shape == (4, len(spec.parameters))
    assert panel.traces is not None
    assert np.isfinite(panel.traces.numpy()[:, :, :200]).all()
