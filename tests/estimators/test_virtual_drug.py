"""A virtual drug is fixed numbers of a posterior, or a sentence on why there is none."""

import numpy as np
import pytest

from estimators.virtual_drug import Clamp, DrugError, prescribe
from tests.estimators.conftest import make_spec

SPEC = make_spec()
MEDIAN = dict(zip(SPEC.names, (80.0, 0.05, 50.0, 5.0, 0.1, 600.0, -55.0, -70.0, 1.0, 0.03, 1.0, 2.0), strict=True))


def draws(rows=101):
    """Draws whose medians are known, correlated as they like."""
    share = np.linspace(-0.2, 0.2, rows)[:, None]
    return np.array(list(MEDIAN.values())) * (1.0 + share)


def test_the_conductance_is_factor_times_the_median_of_density_times_capacitance():
    drug = prescribe(SPEC, draws(), "g_M", -0.8, Clamp(delay=0.2, cycle=0.1, clip=500.0))
    assert drug.own == pytest.approx(8.0)
    assert drug.injected.maximum == pytest.approx(-6.4)
    assert (drug.injected.delay, drug.injected.cycle, drug.injected.clip) == (0.2, 0.1, 500.0)
    assert drug.words == "80 % of g_M taken away (-6.4 nS on 8 nS)"
    assert prescribe(SPEC, draws(), "g_M", 0.5).words == "50 % of g_M added (+4 nS on 8 nS)"


def test_gates_and_reversal_are_in_the_voltage_that_the_clamp_sees():
    (gate,) = prescribe(SPEC, draws(), "g_M", -0.8).injected.gates
    # The M gate is half open at -35 mV, which an amplifier with an offset of 2 mV shows as -33 mV.
    assert np.interp(-33.0, gate.voltages, gate.steady) == pytest.approx(0.5, abs=1e-3)
    assert gate.tau.max() == pytest.approx(600.0 / 3.633, rel=1e-3)
    assert prescribe(SPEC, draws(), "g_M", -0.8).injected.reversal == pytest.approx(-93.5 + 2.0)
    leak = prescribe(SPEC, draws(), "g_leak", 1.0).injected
    assert (leak.gates, leak.reversal) == ((), pytest.approx(-68.0))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"draws": None}, "no posterior yet"),
        ({"distrust": "The sweep is unusual."}, "not to be trusted \\(The sweep is unusual\\)"),
        ({"conductance": "g_h"}, "g_leak, g_Na, g_K, g_M"),
        ({"factor": -1.1}, "-1 \\(all of it taken away\\) to 3"),
        ({"factor": 0.0}, "and not 0"),
        ({"factor": np.nan}, "factor on g_M is nan"),
        ({"clamp": Clamp(conductances=("g_leak", "g_H"))}, "has no g_M: it has g_leak, g_H"),
        ({"clamp": Clamp(takes_away=False)}, "can't take g_M away"),
    ],
)
def test_what_cannot_be_given_is_refused_with_the_remedy(given, said):
    asked = {"spec": SPEC, "draws": draws(), "conductance": "g_M", "factor": -0.8, **given}
    with pytest.raises(DrugError, match=said):
        prescribe(**asked)
