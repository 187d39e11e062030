"""The arithmetic of lanes against numpy's."""

import numpy as np
from numba import float32, njit, uint32

from simulators.lanes import congruent, exponential, gaussian, scramble, uniform

SEEDS = np.random.default_rng(5).integers(1, 2**32 - 1, 64, dtype=np.uint32)


@njit(cache=True)
def powers(x):
    out = np.empty(len(x), dtype=np.float32)
    for k in range(len(x)):
        out[k] = exponential(float32(x[k]))
    return out


@njit(cache=True)
def streams(seeds, count):
    """States and numbers of each lane, one row a seed."""
    states = np.empty((len(seeds), count), dtype=np.uint32)
    numbers = np.empty((len(seeds), count), dtype=np.float32)
    for lane in range(len(seeds)):
        state = uint32(seeds[lane])
        for k in range(count):
            state = scramble(state)
            states[lane, k] = state
            numbers[lane, k] = gaussian(state)
    return states, numbers


def test_the_exponential_is_true_to_a_float32():
    x = np.linspace(-86.0, 86.0, 400_001, dtype=np.float32)
    exact = np.exp(x.astype(np.float64))
    # What is left of the argument has the rounding error of y = x / ln(2), up to 2^-18 at 86.
    apart = np.abs(powers(x) / exact - 1.0)
    near = np.abs(x) < 1.0
    assert apart[near].max() < 3e-7
    assert apart.max() < 1.2e-5


def test_the_exponential_is_clamped_beyond_the_range_of_a_float32():
    ends = powers(np.array([-1e9, -1e4, -90.0, 90.0, 1e4, 1e9]))
    np.testing.assert_allclose(ends, np.repeat([2.0**-125, 2.0**125], 3), rtol=1e-6)


def test_the_exponential_is_exact_at_zero():
    assert powers(np.array([0.0, -0.0])).tolist() == [1.0, 1.0]


def test_the_exponential_rises_where_it_changes_its_power_of_two():
    edges = (np.arange(-40, 40) + 0.5) * np.log(2.0)
    steps = powers((edges[:, None] + np.linspace(-1e-4, 1e-4, 21)).ravel()).reshape(80, 21)
    assert (np.diff(steps, axis=1) >= 0).all()


def test_random_states_are_those_of_marsaglia():
    def follow(x, count):
        for _ in range(count):
            x ^= x << 13 & 0xFFFFFFFF
            x ^= x >> 17
            x ^= x << 5 & 0xFFFFFFFF
            yield x

    states, _ = streams(SEEDS[:4], 200)
    assert states.tolist() == [list(follow(int(seed), 200)) for seed in SEEDS[:4]]


def test_random_numbers_are_standardized_and_nearly_normal():
    _, x = streams(SEEDS, 20_000)
    x = x.ravel().astype(np.float64)
    # 1.28 million numbers: .0009 on the mean, .0006 on the sd, .004 on the kurtosis.
    assert abs(x.mean()) < 0.004
    assert abs(x.std() - 1.0) < 0.003
    assert abs(np.mean(x**3)) < 0.01
    assert abs(np.mean(x**4) - 2.7) < 0.02
    assert 3.2 < x.max() < 3.46


def test_random_numbers_are_independent_along_and_across_lanes():
    _, x = streams(SEEDS, 20_000)
    along = [np.mean(x[:, :-lag] * x[:, lag:]) for lag in range(1, 40)]
    assert np.abs(along).max() < 0.005
    across = np.corrcoef(x)[np.triu_indices(len(SEEDS), 1)]
    assert np.abs(across).max() < 0.035
    assert np.std(across) < 1.1 / np.sqrt(20_000)


@njit(cache=True)
def steps(seeds, count):
    """Uniform numbers of each lane, one row a seed."""
    out = np.empty((len(seeds), count), dtype=np.float32)
    for lane in range(len(seeds)):
        state = uint32(seeds[lane])
        for k in range(count):
            state = congruent(state)
            out[lane, k] = uniform(state)
    return out


def test_uniform_steps_have_mean_zero_and_variance_one():
    numbers = steps(SEEDS, 20_000).astype(np.float64)
    assert abs(numbers.mean()) < 4.0 / np.sqrt(numbers.size)
    np.testing.assert_allclose(numbers.var(), 1.0, rtol=0.005)
    assert abs(numbers).max() < np.sqrt(3.0) + 1e-6
    counts = np.histogram(numbers, 64, (-np.sqrt(3.0), np.sqrt(3.0)))[0]
    np.testing.assert_allclose(counts, numbers.size / 64, rtol=0.05)


def test_what_a_membrane_makes_of_uniform_steps_is_normal_and_white():
    numbers = steps(SEEDS, 40_000).astype(np.float64)
    for length in (20, 400):
        sums = numbers[:, : numbers.shape[1] // length * length].reshape(len(SEEDS), -1, length).sum(axis=2)
        sums /= np.sqrt(length)
        np.testing.assert_allclose(sums.var(), 1.0, atol=5.0 * np.sqrt(2.0 / sums.size))
        kurtosis = np.mean(sums**4) / np.mean(sums**2) ** 2
        assert abs(kurtosis - 3.0) < 1.2 / length + 5.0 * np.sqrt(24.0 / sums.size)
    for lag in (1, 2, 3, 7, 40):
        assert abs(np.mean(numbers[:, lag:] * numbers[:, :-lag])) < 5.0 / np.sqrt(numbers.size)
    assert abs(np.corrcoef(numbers)[np.triu_indices(len(SEEDS), 1)]).max() < 5.5 / np.sqrt(numbers.shape[1])
