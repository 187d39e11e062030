"""Slices of a posterior whose conditionals are known in closed form, and of a network's own density."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from estimators.context import Context
from estimators.features import NAMES
from estimators.novelty import Strange
from estimators.observer import Observer
from estimators.slices import CELLS, MOST, Slices, SlicesError, slices
from simulators.parameter import Parameter

PARAMETERS = (
    Parameter("C", "pF", 15.0, 400.0, "log"),
    Parameter("V_T", "mV", -80.0, -40.0),
    Parameter("bridge", "MOhm", -20.0, 20.0, "normal"),
    Parameter("g_Na", "mS/cm2", 5.0, 120.0),
    Parameter("noise", "pA", 0.1, 30.0, "log"),
)
STEP = Context(100.0, 0.0, 1.0, 500.0, 200.0, 300.0, 20.0)


class Bell:
    """A normal over unconstrained theta, whose conditionals need no grid."""

    def __init__(self, width=0.1, tightness=0.9, along=(1.0, -1.0, 0.0, 0.0, 0.0)):
        rng = np.random.default_rng(5)
        p = len(PARAMETERS)
        self.mean = np.array([0.3, -0.4, 0.2, 0.1, -0.5])
        mixed = rng.normal(size=(p, p))
        covariance = mixed @ mixed.T / p + 0.2 * np.eye(p)
        scale = width / np.sqrt(np.diag(covariance))
        self.covariance = covariance * np.outer(scale, scale)
        # Some lie on a ridge as thin as is asked for, whatever the others do.
        self.covariance += width**2 * tightness / (1.0 - tightness) * np.outer(along, along)
        u = rng.multivariate_normal(self.mean, self.covariance, 1000)
        self.draws = np.stack([q.constrain(u[:, k]) for k, q in enumerate(PARAMETERS)], axis=1)
        self.reference = u[np.argmax(self.log_density(u))]

    def log_density(self, u):
        return multivariate_normal(self.mean, self.covariance).logpdf(u) + 7.0

    def conditional(self, *which):
        """Mean and covariance of some given that all others are at the reference."""
        which = list(which)
        rest = [k for k in range(len(PARAMETERS)) if k not in which]
        gain = self.covariance[np.ix_(which, rest)] @ np.linalg.inv(self.covariance[np.ix_(rest, rest)])
        mean = self.mean[which] + gain @ (self.reference - self.mean)[rest]
        return mean, self.covariance[np.ix_(which, which)] - gain @ self.covariance[np.ix_(rest, which)]


def axis(parameter, values):
    """Places on the parameter's axis, with unconstrained values and how fast these grow along the axis."""
    ends, scale = np.array([parameter.low, parameter.high]), np.log if parameter.scale == "log" else np.asarray
    low, high = scale(ends)
    places = (scale(values) - low) / (high - low)
    back = np.exp if parameter.scale == "log" else np.asarray
    step = 1e-5
    beside = [parameter.unconstrain(back(low + (high - low) * (places + shift))) for shift in (step, -step)]
    return places, parameter.unconstrain(values), (beside[0] - beside[1]) / (2 * step)


BELLS = {
    "narrow": Bell(),
    "wide": Bell(0.6, 0.5),
    "thin ridge": Bell(0.02, 0.97),
    "thin and held": Bell(0.01, 0.99, (1.0, -1.0, 0.0, 1.0, 0.0)),
}


@pytest.mark.parametrize("bell", BELLS.values(), ids=BELLS)
def test_slices_of_a_normal_are_its_conditionals(bell):
    names = ["C", "noise", "V_T", "bridge"]
    which = [[p.name for p in PARAMETERS].index(name) for name in names]
    found = slices(PARAMETERS, bell.draws, bell.log_density, names)
    assert found.reference == pytest.approx([float(PARAMETERS[k].constrain(bell.reference[k])) for k in which])
    for row, k in enumerate(which):
        _, u, slope = axis(PARAMETERS[k], found.values[row])
        mean, covariance = bell.conditional(k)
        wanted = multivariate_normal(mean, covariance).pdf(u) * slope
        np.testing.assert_allclose(found.densities[row], wanted, atol=0.02 * wanted.max())
    pairs = [(which[a], which[b]) for a in range(4) for b in range(a + 1, 4)]
    for row, (i, j) in enumerate(pairs):
        (x, u, across), (y, v, up) = (
            axis(PARAMETERS[k], values) for k, values in zip((i, j), found.pair_values[row], strict=True)
        )
        mean, covariance = bell.conditional(i, j)
        wanted = multivariate_normal(mean, covariance).pdf(np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1))
        wanted *= np.outer(across, up)
        np.testing.assert_allclose(found.pair_densities[row], wanted, atol=0.05 * wanted.max())
        assert (wanted > 0.1 * wanted.max()).sum() > 12, "The grid has to resolve it."
        total = np.trapezoid(np.trapezoid(found.pair_densities[row], y, axis=1), x)
        assert total == pytest.approx(1.0, abs=0.05)
    if bell.draws[:, 1].std() < 3.0:
        # On so short a piece the axes are as good as straight.
        related = [bell.conditional(i, j)[1] for i, j in pairs]
        wanted = [c[0, 1] / np.sqrt(c[0, 0] * c[1, 1]) for c in related]
        np.testing.assert_allclose(found.correlations, wanted, atol=0.02)


def test_a_slice_that_draws_do_not_foretell_is_found_where_the_density_has_it():
    """Two modes far from each other, one of which hardly any draw has: their covariance says nothing of it."""

    def log_density(u):
        lobes = [-0.5 * ((u[:, 0] - sign) ** 2 + (u[:, 1] - sign) ** 2) / 0.2**2 for sign in (-1.0, 1.0)]
        return np.logaddexp(*lobes) - 0.5 * (u[:, 2:] ** 2).sum(1)

    u = np.random.default_rng(2).normal(size=(1000, 5))
    u[:, :2] = np.where(np.arange(1000) < 10, -1.0, 1.0)[:, None] + 0.2 * u[:, :2]
    draws = np.stack([q.constrain(u[:, k]) for k, q in enumerate(PARAMETERS)], axis=1)
    found = slices(PARAMETERS, draws, log_density, ["C", "V_T"])
    places = axis(PARAMETERS[0], found.pair_values[0, 0])[0]
    low, high = (float(found.pair_densities[0][places < 0.5].sum()), float(found.pair_densities[0][places > 0.5].sum()))
    assert low / (low + high) == pytest.approx(0.5, abs=0.05)
    assert found.correlations[0] > 0.8


def test_slices_come_back_from_a_stream_of_numbers_as_they_were():
    found = slices(PARAMETERS, Bell().draws, Bell().log_density, ["g_Na", "C", "V_T"])
    again = Slices.of(found.names, found.numbers())
    for name in ("reference", "values", "densities", "pair_values", "pair_densities", "correlations"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    with pytest.raises(SlicesError, match=f"{found.numbers().size} numbers; {found.numbers().size - 1} were given"):
        Slices.of(found.names, found.numbers()[1:])
    alone = slices(PARAMETERS, Bell().draws, Bell().log_density, ["C"])
    assert Slices.of(("C",), alone.numbers()).pair_densities.shape == (0, CELLS, CELLS)


@pytest.mark.parametrize(
    ("names", "said"),
    [([], "nothing"), (["C", "C"], "C, C"), (["C", "x"], "no parameter x"), ([q.name for q in PARAMETERS], "1 to")],
)
def test_what_can_not_be_sliced_is_refused(names, said, monkeypatch):
    monkeypatch.setattr("estimators.slices.MOST", 4)
    assert MOST == 5
    with pytest.raises(SlicesError, match=said):
        slices(PARAMETERS, Bell().draws, Bell().log_density, names)


def test_the_observer_slices_what_the_network_itself_thinks(checkpoint, monkeypatch):
    observer = Observer(checkpoint, seed=3)
    assert observer.slices(["C"]) is None
    monkeypatch.setattr(observer, "_outside", lambda row, context: None)
    monkeypatch.setattr(observer._novelty, "judge", lambda row, context: Strange(1.0, 0.0, ()))
    rows = np.random.default_rng(1).normal(size=(2, len(NAMES)))
    for count, row in enumerate(rows):
        verdict = observer.observe(row, replace(STEP, start=7.0 + 5.0 * count))
    found = observer.slices(["V_T", "C"])
    parameters, network = checkpoint.spec.parameters, checkpoint.network
    contexts = np.stack([replace(STEP, start=5.0 * count).row() for count in range(2)])
    with torch.no_grad():
        told = [torch.as_tensor(table[None], dtype=torch.float32) for table in (rows, contexts)]
        posterior = network(*told, torch.ones(1, 2, dtype=torch.bool))
        u = np.stack([q.unconstrain(verdict.draws[:, k]) for k, q in enumerate(parameters)], axis=1)
        held = u[posterior.log_prob(torch.as_tensor(u, dtype=torch.float32)).argmax()]
        k = [q.name for q in parameters].index("V_T")
        _, along, slope = axis(parameters[k], found.values[0])
        points = np.tile(held, (len(along), 1))
        points[:, k] = along
        log = posterior.log_prob(torch.as_tensor(points, dtype=torch.float32)).double().numpy() + np.log(slope)
    wanted = np.exp(log - log.max())
    np.testing.assert_allclose(found.densities[0] / found.densities[0].max(), wanted, atol=1e-3)
    assert found.reference[0] == pytest.approx(float(parameters[k].constrain(held[k])))
