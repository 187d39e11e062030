import pytest

from hardware.units import quantity, scale


@pytest.mark.parametrize(
    ("unit", "factor", "what"),
    [
        ("mV", 1, "voltage"),
        ("volts", 1e3, "voltage"),
        ("pA", 1, "current"),
        ("nA", 1e3, "current"),
        ("\u00b5A", 1e6, "current"),
    ],
)
def test_a_unit_is_taken_to_ours(unit, factor, what):
    assert (scale(unit), quantity(unit)) == (factor, what)


def test_an_unknown_unit_is_neither_and_has_no_scale():
    assert quantity("?") is None
    with pytest.raises(ValueError, match=r"Unit is '\?'"):
        scale("?")
