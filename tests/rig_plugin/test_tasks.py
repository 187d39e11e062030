"""The published tasks against their definitions: moments, closed forms, and a solver that is not ours."""

import hashlib

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.special import expit
from scipy.stats import kstest

from rig_plugin.tasks import bernoulli_glm, gaussian, lotka_volterra, sir, slcp, two_moons
from rig_plugin.tasks.catalogue import TASKS, chosen
from rig_plugin.tasks.elife import ELIFE, NAMES
from rig_plugin.tasks.published import ONE_ROUND, TEN_ROUNDS
from rig_plugin.tasks.runge_kutta import solve
from simulators.refusal import Refusal

SIZES = {
    "two_moons": (2, 2),
    "gaussian_mixture": (2, 2),
    "sir": (2, 10),
    "lotka_volterra": (4, 20),
    "slcp": (5, 8),
    "slcp_distractors": (5, 100),
    "gaussian_linear": (10, 10),
    "gaussian_linear_uniform": (10, 10),
    "bernoulli_glm": (10, 10),
}
N = 20_000


def repeated(task, theta, n=N, seed=0):
    return task.simulate(np.tile(np.array(theta, dtype=float), (n, 1)), np.random.default_rng(seed))


def is_standard_normal(values):
    return kstest(np.ravel(values), "norm").pvalue > 1e-3


@pytest.mark.parametrize("name", SIZES)
def test_a_task_has_the_published_sizes_and_the_same_seed_gives_the_same_numbers(name):
    theta, x = TASKS[name].draw(50, 3)
    assert (theta.shape[1], x.shape[1]) == SIZES[name]
    assert np.isfinite(x).all()
    assert TASKS[name].prior.contains(torch.from_numpy(theta)).all()
    np.testing.assert_array_equal(x, TASKS[name].draw(50, 3)[1])
    assert not np.array_equal(x, TASKS[name].draw(50, 4)[1])


def test_every_task_is_found_by_its_name_and_has_published_figures():
    assert set(TASKS) == set(SIZES) == set(ONE_ROUND) == set(TEN_ROUNDS)
    assert chosen("slcp") == (slcp.SLCP,)
    assert chosen("all") == tuple(TASKS.values())
    with pytest.raises(Refusal, match=r"There is no task 'moons': there are two_moons, .*, bernoulli_glm and all\."):
        chosen("moons")


def test_a_tenth_is_the_variance_of_the_linear_tasks():
    theta = np.linspace(-0.9, 0.9, 10)
    for task in (gaussian.LINEAR, gaussian.LINEAR_UNIFORM):
        assert is_standard_normal((repeated(task, theta) - theta) / np.sqrt(0.1))
    drawn = gaussian.LINEAR.draw(N, 0)[0]
    assert is_standard_normal(drawn / np.sqrt(0.1))
    uniform = gaussian.LINEAR_UNIFORM.draw(N, 0)[0]
    assert kstest(uniform.ravel(), "uniform", args=(-1.0, 2.0)).pvalue > 1e-3


def test_the_mixture_is_wide_or_narrow_in_both_numbers_at_once():
    x = repeated(gaussian.MIXTURE, [3.0, -4.0]) - [3.0, -4.0]
    assert np.mean(x**2) == pytest.approx(0.5 * (1.0 + 0.01), rel=0.03)
    # Of squares, one scale for both numbers makes a correlation of 0.2 that two scales would not.
    fourth = 3 * 0.5 * (1.0 + 1e-4) - 0.505**2
    assert np.cov(x[:, 0] ** 2, x[:, 1] ** 2)[0, 1] == pytest.approx(0.5 * (1 + 1e-4) - 0.505**2, rel=0.1)
    assert np.var(x[:, 0] ** 2) == pytest.approx(fourth, rel=0.1)


def test_the_moons_are_half_circles_about_where_theta_puts_them():
    theta = np.array([0.3, -0.7])
    x = repeated(two_moons.TWO_MOONS, theta)
    centre = np.array([0.25 - abs(theta.sum()) / np.sqrt(2), (theta[1] - theta[0]) / np.sqrt(2)])
    radius, angle = np.hypot(*(x - centre).T), np.arctan2(*(x - centre).T[::-1])
    assert is_standard_normal((radius - 0.1) / 0.01)
    assert kstest(angle, "uniform", args=(-np.pi / 2, np.pi)).pvalue > 1e-3
    # The other moon: swapped and turned round, theta gives the same x.
    np.testing.assert_allclose(repeated(two_moons.TWO_MOONS, -theta[::-1]), x)


def test_the_glm_fires_as_the_logistic_of_its_filtered_noise():
    theta = np.array([-0.5, 1.0, 0.5, 0.2, 0.0, -0.3, -0.4, -0.2, 0.0, 0.1])
    design = bernoulli_glm.design()
    chance = expit(design @ theta)
    x = repeated(bernoulli_glm.BERNOULLI_GLM, theta)
    spread = np.sqrt(design.T**2 @ (chance * (1 - chance)))
    np.testing.assert_allclose(x.mean(0), design.T @ chance, atol=5 * spread.max() / np.sqrt(N))
    np.testing.assert_allclose(x.std(0), spread, rtol=0.03)
    assert set(np.unique(x[:, 0] % 1.0)) == {0.0}


def test_the_design_of_the_glm_is_the_published_noise_lagged_by_none_to_eight():
    design = bernoulli_glm.design()
    np.testing.assert_array_equal(design[:, 0], 1.0)
    for lag in range(9):
        np.testing.assert_array_equal(design[lag:, 1 + lag], design[: 100 - lag, 1])
        np.testing.assert_array_equal(design[:lag, 1 + lag], 0.0)
    np.testing.assert_allclose(design[:3, 1], [0.49671414, -0.1382643, 0.64768857], rtol=1e-6)


def test_the_prior_of_the_glm_penalizes_second_differences_and_late_taps():
    precision = bernoulli_glm.precision()
    assert precision[0, 0] == 0.5
    assert not precision[0, 1:].any()
    taps = np.random.default_rng(0).normal(size=9)
    padded = np.concatenate([[0.0, 0.0], taps])
    rough = np.diff(padded, 2) + np.sqrt(np.arange(9) / 9) * taps
    assert taps @ precision[1:, 1:] @ taps == pytest.approx(rough @ rough)


def test_the_points_of_slcp_have_the_mean_and_covariance_that_theta_says():
    theta = np.array([0.7, -2.9, -1.0, 0.9, 0.6])
    points = repeated(slcp.SLCP, theta).reshape(-1, 2)
    first, second, rho = 1.0, 0.81, np.tanh(0.6)
    wanted = [[first**2, rho * first * second], [rho * first * second, second**2]]
    np.testing.assert_allclose(points.mean(0), theta[:2], atol=0.02)
    np.testing.assert_allclose(np.cov(points.T), wanted, atol=0.03)
    whole = repeated(slcp.SLCP, theta)
    # The four points know nothing of each other.
    assert abs(np.corrcoef(whole[:, 0], whole[:, 2])[0, 1]) < 0.03


def hidden(theta, n, seed):
    """The eight numbers and the distractors, in their own order."""
    x = repeated(slcp.SLCP_DISTRACTORS, theta, n, seed)
    whole = np.empty_like(x)
    whole[:, slcp.distractors()[2]] = x
    return whole


def test_distractors_hide_the_eight_numbers_and_come_from_twenty_places():
    centres, _, order = slcp.distractors()
    assert sorted(order) == list(range(100))
    theta = [0.7, -2.9, -1.0, 0.9, 0.6]
    whole = hidden(theta, N, 1)
    np.testing.assert_allclose(np.median(whole[:, :2], 0), theta[:2], atol=0.05)
    nearest = np.argmin(((whole[:1000, None, 8:] - centres) ** 2).sum(-1), axis=1)
    assert set(nearest) == set(range(20))


def test_distractors_are_student_t_vectors(monkeypatch):
    # Of one place only; the first six, for a triangle of 92 random rows can't be solved in float64.
    monkeypatch.setattr(slcp, "_PARTS", 1)
    centres, factors, _ = slcp.distractors()
    noise = hidden([0.0] * 5, 4000, 2)[:, 8:14] - centres[0, :6]
    scaled = np.linalg.solve(factors[0, :6, :6], noise.T)
    # Normal over the root of one chi-square of two degrees: the mean of six squares is F.
    assert kstest(np.square(scaled).mean(0), "f", args=(6, 2)).pvalue > 1e-3


def test_the_distractors_are_the_published_ones():
    centres, factors, order = slcp.distractors()

    def known(values):
        return hashlib.sha256(np.round(np.asarray(values, dtype=float), 6).astype("<f4").tobytes()).hexdigest()[:8]

    assert known(order) == "ac782a05"
    assert known(centres) == "a0fdc538"
    assert known(factors) == "3eda49e4"


def reference_solution(slope, start, times):
    solved = solve_ivp(slope, (0.0, times[-1]), start, method="DOP853", t_eval=times, rtol=1e-10, atol=1e-12)
    assert solved.success
    return solved.y


def test_the_epidemic_is_that_of_another_solver():
    theta = np.concatenate([sir.SIR.draw(8, 0)[0], [[2.5, 0.06], [0.08, 0.25]]])
    for found, (contact, recovery) in zip(sir.infected(theta), theta, strict=True):

        def slope(_, state, contact=contact, recovery=recovery):
            caught = contact * state[0] * state[1] / 1e6
            return [-caught, caught - recovery * state[1]]

        wanted = reference_solution(slope, [1e6 - 1, 1.0], sir.DAYS)[1] / 1e6
        # A hundredth of one of the thousand who are tested.
        np.testing.assert_allclose(found, wanted, rtol=0.0, atol=1e-5)


def test_the_tests_for_infection_are_binomial():
    theta = [0.6, 0.2]
    x = repeated(sir.SIR, theta, 5000)
    share = sir.infected(np.array([theta]))[0]
    np.testing.assert_allclose(x.mean(0), 1000 * share, atol=5 * np.sqrt(1000 * 0.25 / 5000))
    np.testing.assert_allclose(x.var(0), 1000 * share * (1 - share), rtol=0.12, atol=0.01)


def test_the_populations_are_those_of_another_solver():
    theta = lotka_volterra.LOTKA_VOLTERRA.draw(12, 0)[0]
    for found, (growth, loss, death, gain) in zip(lotka_volterra.populations(theta), theta, strict=True):

        def slope(_, state, growth=growth, loss=loss, death=death, gain=gain):
            prey, predators = np.exp(state)
            return [growth - loss * predators, gain * prey - death]

        wanted = reference_solution(slope, np.log([30.0, 1.0]), lotka_volterra.DAYS)
        # Counts have an error of a tenth.
        np.testing.assert_allclose(found, wanted.ravel(), atol=1e-4)


def test_counts_are_off_by_a_tenth_and_never_below_the_least():
    theta = [0.9, 0.05, 0.9, 0.05]
    x = repeated(lotka_volterra.LOTKA_VOLTERRA, theta, 5000)
    assert is_standard_normal((np.log(x) - lotka_volterra.populations(np.array([theta]))) / 0.1)
    starved = repeated(lotka_volterra.LOTKA_VOLTERRA, [3.0, 0.3, 0.9, 1.0], 100)
    assert 0.0 < starved.min() < 1e-9
    assert starved.min() > 1e-10 * np.exp(-0.6)


def test_the_method_is_of_fourth_order():
    errors = [abs(solve(lambda x: -x, np.ones((1, 1)), 1.0, 2, steps)[1, 0, 0] - np.exp(-1.0)) for steps in (10, 20)]
    assert errors[0] / errors[1] == pytest.approx(16.0, rel=0.1)


def test_the_linear_posterior_in_closed_form_is_what_the_simulations_say():
    theta, x = gaussian.LINEAR.draw(N, 0)
    # Prior and noise are equally wide: half of what is seen, with half the variance left.
    assert is_standard_normal((theta - 0.5 * x) / np.sqrt(0.05))


def test_the_elife_cell_fires_as_published():
    centre = {"g_Na": 50, "g_K": 5, "g_leak": 0.1, "g_M": 0.07, "tau_max": 600, "V_T": -60, "noise": 0.1, "E_leak": -70}
    x = repeated(ELIFE, [centre[name] for name in NAMES], 100)
    mean, deviation = x.mean(0), x.std(0)
    published = [5.0, -70.265, 0.0350, -56.448, 375.15, 3.7038, 18.326]
    spread = [0.0, 0.146, 0.0136, 0.040, 0.416, 0.0039, 0.0219]
    assert mean[0] == 5.0
    assert deviation[1] == pytest.approx(spread[1], rel=0.3)
    # Both are means of 100 or more, off by a seventh of the spread at random.
    for k in range(1, 7):
        assert mean[k] == pytest.approx(published[k], abs=0.6 * spread[k])
