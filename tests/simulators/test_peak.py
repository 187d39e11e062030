"""What the cores reach, and what a step counts."""

import numpy as np

from simulators.peak import _links, operations_per_second


def test_a_peak_is_measured():
    # Any processor of this century, and no core of this decade does a million million.
    assert 1e8 < operations_per_second(seconds=0.01) < 1e14


def test_the_links_are_eight_chains_of_eight_multiply_adds():
    x = np.linspace(0.0, 1.0, 128)
    chains = x[:, None] + np.arange(8) / 10
    for _ in range(8):
        chains = chains * 0.9 + 0.05
    linked = x.astype(np.float32)
    _links(linked)
    np.testing.assert_allclose(linked, chains.mean(axis=1), rtol=1e-5)
