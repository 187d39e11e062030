from datetime import UTC, datetime

import numpy as np
import pytest

from simulators.sweep import Junction, Sweep

RESPONSE = np.linspace(-70.0, -60.0, 50)
COMMAND = np.full(50, 100.0)


def test_a_sweep_keeps_its_own_copy():
    mine = RESPONSE.copy()
    sweep = Sweep(mine, 10.0)
    mine[:] = 0
    np.testing.assert_array_equal(sweep.response, RESPONSE)


@pytest.mark.parametrize("name", ["response", "command"])
def test_a_sweep_cannot_be_written_to(name):
    with pytest.raises(ValueError, match="read-only"):
        getattr(Sweep(RESPONSE, 10.0, command=COMMAND), name)[0] = 0


def test_the_correction_subtracts_junction_potential_and_bridge():
    sweep = Sweep(RESPONSE, 10.0, command=COMMAND, junction=Junction("uncorrected", 14.0), bridge=0.01)
    np.testing.assert_allclose(sweep.corrected, RESPONSE - 14.0 - 1.0)
    np.testing.assert_array_equal(sweep.response, RESPONSE)


def test_what_is_unknown_is_not_corrected():
    np.testing.assert_array_equal(Sweep(RESPONSE, 10.0).corrected, RESPONSE)


@pytest.mark.parametrize("given", [("uncorrected", None), ("corrected", 14.0), ("unknown", 14.0)])
def test_a_junction_potential_goes_with_uncorrected_and_only_with_it(given):
    with pytest.raises(ValueError, match="a value goes with 'uncorrected'"):
        Junction(*given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"response": np.empty(0)}, r"\(n,\) with n > 0"),
        ({"response": RESPONSE[None]}, r"\(n,\) with n > 0"),
        ({"rate": 0.0}, "kHz, a positive one"),
        ({"rate": float("nan")}, "kHz, a positive one"),
        ({"command": COMMAND[:-1]}, "Command has shape"),
        ({"start": datetime(2026, 1, 1)}, "no time zone"),
    ],
)
def test_an_impossible_sweep_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        Sweep(**{"response": RESPONSE, "rate": 10.0} | given)


def test_an_aware_start_is_kept():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert Sweep(RESPONSE, 10.0, start=start).start is start


def test_a_current_has_no_junction_potential_to_be_subtracted():
    sweep = Sweep(RESPONSE, 10.0, command=COMMAND, clamp="voltage", junction=Junction("uncorrected", 14.0), bridge=0.01)
    np.testing.assert_array_equal(sweep.corrected, RESPONSE)
