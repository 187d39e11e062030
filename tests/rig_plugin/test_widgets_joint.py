"""What the pair plot is painted from: densities of pairs, lines around them, even colours and round numbers."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig_plugin.widgets import density, joint
from rig_plugin.widgets.qt import pg
from rig_plugin.widgets.ruler import ticks
from rig_plugin.widgets.shade import image, shades
from rig_plugin.widgets.theme import DARK, LIGHT
from simulators.parameter import Parameter

UNIT = (0.0, 1.0)


def moments(plane):
    """Mean and covariance of a density over the unit square."""
    places = (np.arange(len(plane)) + 0.5) / len(plane)
    grid = np.stack([axis.ravel() for axis in np.meshgrid(places, places, indexing="ij")])
    return grid @ plane.ravel() / plane.sum(), np.cov(grid, aweights=plane.ravel(), bias=True)


@pytest.mark.parametrize("related", [-0.95, 0.0, 0.8])
def test_the_density_of_a_pair_is_as_oblique_as_its_draws(related):
    covariance = 0.01 * np.array([[1.0, related], [related, 1.0]])
    x, y = np.random.default_rng(4).multivariate_normal([0.4, 0.6], covariance, 1000).T
    mean, found = moments(joint.drawn(x, y, UNIT, UNIT))
    np.testing.assert_allclose(mean, [x.mean(), y.mean()], atol=1e-3)
    smoothed = np.cov(x, y) * (1.0 + 1000 ** (-1.0 / 3.0))
    np.testing.assert_allclose(found, smoothed, atol=4e-4)


def test_draws_at_a_bound_are_not_thinned_out_by_it():
    x, y = np.random.default_rng(4).random((2, 20_000))
    plane = joint.drawn(x, y, UNIT, UNIT)
    assert plane.sum() == pytest.approx(20_000, rel=0.01)
    assert plane[0].mean() == pytest.approx(plane.mean(), rel=0.1)
    assert joint.drawn(x, y, (0.5, 1.0), UNIT).sum() == pytest.approx((x > 0.5).sum(), rel=0.01)


def test_regions_hold_their_share_and_no_more():
    x, y = np.random.default_rng(4).normal(0.5, 0.1, (2, 5000))
    plane = joint.drawn(x, y, UNIT, UNIT)
    for level, share in zip(joint.levels(plane), joint.REGIONS, strict=True):
        held = plane[plane >= level].sum() / plane.sum()
        assert share <= held < share + plane.max() / plane.sum() + 1e-9


@pytest.mark.parametrize("middle", [(0.5, 0.5), (0.02, 0.6)])
def test_a_line_around_a_hill_is_closed_and_lies_at_its_height(middle):
    n, m = 60, 40
    x, y = (np.arange(n) + 0.5) / n, (np.arange(m) + 0.5) / m
    hill = np.exp(-((x[:, None] - middle[0]) ** 2 + (y[None] - middle[1]) ** 2) / 0.02)
    xs, ys = joint.isoline(hill, 0.3)
    inside = (xs > 0.5 / n) & (ys > 0.5 / m)
    away = np.hypot(xs - middle[0], ys - middle[1])[inside]
    np.testing.assert_allclose(away, np.sqrt(-0.02 * np.log(0.3)), atol=0.003)
    ends = Counter(zip(xs.round(9), ys.round(9), strict=True))
    assert set(ends.values()) == {2}
    lengths = np.hypot(np.diff(xs)[::2], np.diff(ys)[::2])
    assert lengths.max() < np.hypot(1.0 / n, 1.0 / m)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_shades_go_from_the_panel_to_the_accent_in_even_steps(theme):
    table = shades(theme.panel, theme.now)
    ends = ["#{2:02x}{1:02x}{0:02x}".format(*row[:3]) for row in table[[0, -1]]]
    assert ends == [theme.panel, theme.now]
    some = [pg.mkColor(int(r), int(g), int(b)) for b, g, r, _ in table[::32]]
    steps = np.asarray(pg.functions.colorDistance(some))
    assert steps.max() < 1.2 * steps.min()


def test_an_image_stands_upright():
    plane = np.zeros((3, 2))
    plane[2, 1] = 1.0
    painted = image(plane, shades("#000000", "#ffffff"))
    assert (painted.width(), painted.height()) == (3, 2)
    lights = {(x, y): painted.pixelColor(x, y).red() for x in range(3) for y in range(2)}
    assert [spot for spot, light in lights.items() if light == 255] == [(2, 0)]
    assert sum(lights.values()) == 255
    assert image(plane, shades("#000000", "#ffffff"), 2.0).pixelColor(2, 0).red() in range(100, 140)


PARAMETERS = (
    Parameter("C", "pF", 15.0, 400.0, "log"),
    Parameter("g_M", "mS/cm2", 0.003, 1.0, "log"),
    Parameter("V_T", "mV", -80.0, -40.0),
    Parameter("bridge", "MOhm", -20.0, 20.0, "normal"),
)


@given(st.sampled_from(PARAMETERS), st.floats(0.0, 0.98), st.floats(0.004, 1.0), st.integers(2, 8))
def test_ticks_are_few_and_say_where_they_are(parameter, low, width, most):
    span = (low, min(low + width, 1.0))
    found = ticks(parameter, span, most)
    assert len(found) <= most
    for place, label in found:
        assert span[0] - 1e-9 <= place <= span[1] + 1e-9
        assert float(label.replace("−", "-")) == pytest.approx(density.value(parameter, place), rel=1e-4, abs=1e-9)
    assert len({label for _, label in found}) == len(found)
    assert found or most < 3


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: p.name)
def test_a_part_of_an_axis_shows_the_same_density_as_the_whole(parameter):
    u = np.random.default_rng(3).normal(0.2, 0.1, 4000)
    draws = parameter.constrain(u)
    part = (0.4, 0.8)
    whole, close = density.drawn(parameter, draws), density.drawn(parameter, draws, part)
    places = part[0] + (np.arange(density.BINS) + 0.5) / density.BINS * 0.4
    all_places = (np.arange(density.BINS) + 0.5) / density.BINS
    np.testing.assert_allclose(close, np.interp(places, all_places, whole), atol=0.1 * whole.max())
    known = np.interp(places, all_places, density.prior(parameter))
    np.testing.assert_allclose(density.prior(parameter, part), known, atol=0.01 * known.max())
    assert whole.mean() == pytest.approx(1.0, abs=1e-3)
