"""A stretch is cut where pages and the whole end, and nothing of it is told twice or left out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.rig import Block, Gain
from hardware.track import Track
from rig_plugin.stretch import Hold, paged, traces, tracks


def made(sizes, with_command=True):
    """Make blocks that count their samples, the lost ones too."""
    at = 0
    for size, lost in sizes:
        at += lost
        response = np.arange(at, at + size, dtype=float)
        yield Block(response, -response if with_command else None, lost, {"bath": 2.0 * response})
        at += size


SIZES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30)), min_size=1, max_size=20)


@given(SIZES, st.integers(1, 50), st.one_of(st.integers(1, 500), st.just(math.inf)), st.booleans())
def test_every_sample_comes_once_in_its_place_until_the_end(sizes, page, most, with_command):
    whole = np.concatenate([block.whole.response for block in made(sizes)])
    cut = list(paged(made(sizes, with_command), page, most))
    told = np.concatenate([block.whole.response for _, block in cut]) if cut else np.empty(0)
    np.testing.assert_array_equal(told, whole[: int(min(most, whole.size))])
    at = 0
    for _, block in cut:
        np.testing.assert_array_equal(block.others["bath"], 2.0 * block.response)
        assert (block.command is not None) == with_command
        if block.response.size:
            first = at + block.lost
            assert first // page == (first + block.response.size - 1) // page
        at += block.lost + block.response.size


@given(SIZES, st.integers(1, 50))
def test_each_page_that_has_something_begins_once(sizes, page):
    at, shown = 0, []
    for is_new, block in paged(made(sizes), page, math.inf):
        if is_new:
            shown.append(at // page)
        at += block.lost + block.response.size
    assert shown == sorted(set(shown))
    assert shown[:1] in ([], [0])


@pytest.mark.parametrize(("level", "duration"), [(math.nan, 1.0), (0.0, 0.0), (0.0, -1.0)])
def test_a_hold_that_can_not_be_is_refused_with_its_values(level, duration):
    with pytest.raises(ValueError, match="finite level and a positive duration"):
        Hold(level, duration)


def test_a_page_is_ten_seconds_or_what_is_left_at_the_held_level():
    assert Hold(-20.0).page.duration == 10_000.0
    assert Hold(-20.0, 400.0).page.duration == 400.0
    assert {epoch.level for epoch in Hold(-20.0).page.epochs} == {-20.0}


def test_traces_are_stored_in_si_with_the_rig_s_gain():
    block = next(made([(5, 0)]))
    assert list(traces(block)) == ["response", "command", "bath"]
    stored = tracks(block, {"response": Gain(100.0, "mV/V", "telegraph"), "bath": Gain(10.0, "degC/V", "rig file")})
    assert stored["bath"] == Track("degC", 1.0, 10.0, "rig file", "degC/V")
    assert stored["response"] == Track("volts", 1e-3, 100.0, "telegraph", "mV/V")
    assert (stored["command"].unit, stored["command"].gain_source) == ("amperes", "unknown")
    assert list(tracks(Block(block.response), {})) == ["response"]
