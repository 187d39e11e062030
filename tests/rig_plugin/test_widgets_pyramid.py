"""What a pyramid shows is what brute force finds in the samples, at every width, however they came."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig_plugin.widgets.pyramid import Pyramid

KEPT = 1 << 14
BLOCKS = st.lists(st.tuples(st.integers(1, 9000), st.booleans()), min_size=1, max_size=8)


def filled(blocks, seed):
    """A pyramid and all that it was given; some blocks are gaps."""
    rng, pyramid, stream = np.random.default_rng(seed), Pyramid(KEPT), []
    for size, is_gap in blocks:
        if is_gap:
            pyramid.skip(size)
            stream.append(np.full(size, np.nan))
        else:
            values = rng.normal(-70.0, 1.0, size)
            values[rng.integers(size)] = 40.0
            values[rng.integers(size)] = np.nan
            pyramid.append(values)
            stream.append(values)
    return pyramid, np.concatenate(stream).astype(np.float32).astype(np.float64)


@settings(max_examples=60)
@given(BLOCKS, st.integers(0, 99), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.integers(1, 2000))
def test_no_spike_is_lost_and_none_is_made_up_at_any_width(blocks, seed, start, share, pixels):
    pyramid, stream = filled(blocks, seed)
    assert pyramid.count == stream.size
    first = int(start * stream.size)
    last = first + int(share * (stream.size - first))
    places, values = pyramid.envelope(first, last, pixels)
    assert places.size <= 2 * pixels + 4
    first = max(first, pyramid.oldest)
    seen = stream[first:last]
    if seen.size == 0:
        assert places.size == 0
        return
    if np.isfinite(seen).any():
        assert np.nanmax(values) >= np.nanmax(seen)
        assert np.nanmin(values) <= np.nanmin(seen)
    # Whatever is drawn is, pixel for pixel, what lies there.
    if places.size == last - first and places[0] == first:
        np.testing.assert_array_equal(values, seen)
        return
    size = round(places[2] - places[0]) if places.size > 2 else round(2 * places[0])
    assert size >= (last - first) / pixels
    for k in range(0, places.size, 2):
        begin = round(places[k] - size / 2)
        block = stream[begin : begin + size]
        known = block[np.isfinite(block)]
        wanted = (known.min(), known.max()) if known.size else (np.nan, np.nan)
        if begin >= first:
            np.testing.assert_array_equal(values[k : k + 2], wanted)


@settings(max_examples=40)
@given(BLOCKS, st.integers(0, 99), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_samples_and_means_are_those_that_came_or_nothing(blocks, seed, start, share):
    pyramid, stream = filled(blocks, seed)
    first = int(start * stream.size)
    last = first + int(share * (stream.size - first))
    read, mean = pyramid.read(first, last), pyramid.mean(first, last)
    if first < pyramid.oldest_sample:
        assert read is None
        assert np.isnan(mean)
        return
    np.testing.assert_array_equal(read, stream[first:last])
    known = stream[first:last][np.isfinite(stream[first:last])]
    np.testing.assert_allclose(mean, known.mean() if known.size else np.nan, rtol=1e-9)


def test_a_spike_stays_in_sight_long_after_its_samples_are_gone():
    pyramid = Pyramid(KEPT)
    spike = np.full(1000, -70.0)
    spike[500] = 40.0
    pyramid.append(spike)
    for _ in range(40):
        pyramid.append(np.full(1000, -70.0))
    assert pyramid.oldest_sample > 1000
    assert pyramid.oldest == 0
    places, values = pyramid.envelope(0, pyramid.count, 100)
    assert values.max() == 40.0
    assert abs(places[int(values.argmax())] - 500) < 400


def test_a_gap_longer_than_all_that_is_kept_leaves_nothing_but_its_place():
    pyramid = Pyramid(KEPT)
    pyramid.append(np.zeros(300))
    pyramid.skip(10**9 + 7)
    pyramid.append(np.ones(5))
    assert pyramid.count == 10**9 + 312
    np.testing.assert_array_equal(pyramid.read(pyramid.count - 6, pyramid.count), [np.nan, 1, 1, 1, 1, 1])
    assert np.nanmin(pyramid.envelope(0, pyramid.count, 100)[1]) == 1.0


@pytest.mark.parametrize("samples", [1024, 20_000])
def test_a_pyramid_that_can_not_be_built_is_refused(samples):
    with pytest.raises(ValueError, match=f"{samples} samples was asked; a power of two from 16384"):
        Pyramid(samples)
