"""A sweep is broken off for the cell's sake, whatever the blocks it comes in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.harm import Harm, Watch

RATE = 10.0


def trace(*parts):
    """Hold voltages for so long: (mV, ms)."""
    return np.concatenate([np.full(round(RATE * length), level, dtype=float) for level, length in parts])


def pushed(voltage, size=200, **bounds):
    watch = Watch(Harm(**bounds), RATE)
    for k in range(0, len(voltage), size):
        if watch.push(voltage[k : k + size]):
            return watch.reason, k + size
    return None, len(voltage)


SPIKE = trace((-70.0, 3.0), (20.0, 1.0))


@pytest.mark.parametrize(
    ("voltage", "said"),
    [
        (trace((-70.0, 100.0), (0.0, 50.0)), "stayed above -10 mV for 50 ms"),
        (trace((-70.0, 100.0), (-121.0, 5.0)), "stayed below -120 mV for 5 ms"),
        (trace((-70.0, 30.0), (151.0, 0.1), (-70.0, 30.0)), "reached 151 mV in magnitude"),
        (np.tile(SPIKE, 301), "fired more than 300 spikes"),
    ],
)
def test_what_a_cell_should_not_bear_is_a_sentence(voltage, said):
    assert said in pushed(voltage)[0]


@pytest.mark.parametrize(
    "voltage",
    [
        trace((-70.0, 100.0), (0.0, 49.9), (-20.0, 0.1), (0.0, 49.9), (-70.0, 1.0)),
        trace((-121.0, 4.9), (-119.0, 0.1), (-121.0, 4.9), (-70.0, 1.0)),
        np.tile(SPIKE, 300),
        trace((149.0, 1.0)),
        np.full(1000, np.nan),
    ],
)
def test_what_it_bears_goes_on(voltage):
    assert pushed(voltage) == (None, len(voltage))


@given(st.lists(st.tuples(st.sampled_from([-130.0, -70.0, 0.0, 160.0]), st.floats(0.1, 80.0)), min_size=1, max_size=8))
def test_the_size_of_the_blocks_changes_no_more_than_when_it_is_found(parts):
    voltage = trace(*parts)
    reasons = {pushed(voltage, size, max_spikes=2)[0] is None for size in (1, 7, 200, len(voltage))}
    assert len(reasons) == 1


def test_bounds_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="finite bounds in this order"):
        Harm(above=-130.0)
    with pytest.raises(ValueError, match="positive numbers"):
        Harm(max_spikes=0)
