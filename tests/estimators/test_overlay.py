"""The overlay holds what cells of the posterior do, and is put where the recording has it."""

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from estimators import generation
from estimators.context import Context
from estimators.generation import simulate, voltages
from estimators.nuisances import rigs
from estimators.observer import Observer
from estimators.overlay import Overlay, overlay
from estimators.pretrained import SHIPPED
from estimators.spec import spec_from

STEP = Context(-20.0, 0.0, 1.0, 200.0, 60.0, 40.0, 20.0)


@pytest.fixture(scope="module", params=SHIPPED)
def spec(request):
    return spec_from((files("estimators.pretrained") / f"{request.param}.toml").read_text(encoding="utf-8"), "spec")


@pytest.fixture(scope="module")
def theta(spec):
    """The middle of the prior, as often as there are draws."""
    return np.tile([float(p.constrain(np.array(0.0))) for p in spec.parameters], (200, 1))


def record(spec, theta, context, seed):
    rng = np.random.default_rng(seed)
    drawn = rigs(theta, spec.nuisances, rng, names=spec.names)
    samples, counts = voltages(theta, np.tile(context.row(), (len(theta), 1)), drawn, rng, spec.names)
    return samples[:, : counts[0]]


def test_nine_of_ten_other_recordings_of_the_same_cell_lie_inside(spec, theta):
    band = overlay(spec, theta, STEP, np.random.default_rng(0))
    moments = record(spec, theta, STEP, 1).reshape(len(theta), len(band.times), -1)
    inside = (moments.min(axis=2) >= band.low) & (moments.max(axis=2) <= band.high)
    assert 0.8 < inside.mean() < 0.96
    assert band.times[0] == pytest.approx(0.25)
    assert band.times[-1] == pytest.approx(299.75)


def test_a_posterior_that_knows_less_has_a_wider_band(spec, theta):
    u = np.random.default_rng(2).normal(0.0, 0.7, theta.shape)
    wide = np.stack([p.constrain(u[:, k]) for k, p in enumerate(spec.parameters)], axis=1)
    known, unknown = (overlay(spec, draws, STEP, np.random.default_rng(0)) for draws in (theta, wide))
    assert np.median(unknown.high - unknown.low) > 3.0 * np.median(known.high - known.low)


def test_a_fast_recording_is_overlaid_as_a_slow_one(spec, theta):
    for rate in (1.0, 50.0, 200.0):
        band = overlay(spec, theta, replace(STEP, rate=rate), np.random.default_rng(0))
        assert band.times[-1] == pytest.approx(299.75, abs=0.5)


def test_a_cell_without_a_finite_voltage_is_left_out_and_all_such_give_no_band(spec, theta, monkeypatch):
    def broken(*args):
        samples, counts = voltages(*args)
        samples[: lost[0], 7] = np.nan
        return samples, counts

    monkeypatch.setattr(generation, "voltages", broken)
    lost = [3]
    assert np.isfinite(overlay(spec, theta, STEP, np.random.default_rng(0)).low).all()
    lost[0] = 40
    assert overlay(spec, theta, STEP, np.random.default_rng(0)) is None


def test_draws_of_other_parameters_are_refused(spec, theta):
    with pytest.raises(ValueError, match="parameters"):
        overlay(spec, theta[:, :-1], STEP, np.random.default_rng(0))


def test_it_is_moved_to_where_the_recording_has_it():
    band = Overlay(np.array([0.5, 1.5, 2.5]), np.full(3, -71.0), np.full(3, -69.0))
    moved = band.moved(2.0, np.array([0.0, 0.0, 1.0, 2.0]), 1.0)
    assert moved.times.tolist() == [2.5, 3.5, 4.5]
    # Where the recording ends, what it shows last goes on.
    assert moved.low.tolist() == [-70.0, -69.0, -69.0]
    assert moved.high.tolist() == [-68.0, -67.0, -67.0]


def test_the_observer_overlays_what_it_knows_and_nothing_where_it_does_not(taught):
    observer = Observer(taught)
    assert observer.overlay(STEP) is None
    rng = np.random.default_rng(3)
    spec = taught.spec
    truth = np.array([[float(p.constrain(np.array(0.0))) for p in spec.parameters]])
    row = simulate(truth, STEP.row()[None], spec.nuisances, rng, names=spec.names)[0]
    assert observer.observe(row, STEP).draws is not None
    first, again = observer.overlay(STEP), observer.overlay(STEP)
    np.testing.assert_array_equal(first.low, again.low)
    assert (first.low < first.high).all()
    assert observer.overlay(replace(STEP, holding_known=0.0)) is None
