import numpy as np
import pytest

from estimators.wish import Wish, WishError


def test_no_name_means_all_parameters_and_names_come_in_the_networks_order(spec):
    assert Wish().columns(spec.parameters) == tuple(range(len(spec.parameters)))
    assert Wish(parameters=(spec.names[4], spec.names[1])).columns(spec.parameters) == (1, 4)


def test_what_the_network_does_not_know_is_refused_with_what_it_knows(spec):
    for wish in (Wish(parameters=("g_X",)), Wish(widths={"g_X": 1.0})):
        with pytest.raises(WishError, match=r"knows no g_X; wanted were some of C, g_leak"):
            wish.columns(spec.parameters)


def test_all_widths_and_the_entropy_have_to_be_reached(spec):
    theta = np.tile(np.linspace(10.0, 20.0, 101)[:, None], (1, len(spec.parameters)))
    asked = lambda **wish: Wish(**wish).granted(spec.parameters, theta, -1.0)  # noqa: E731
    assert asked() is None
    assert asked(widths={"C": 9.1}) == "The posterior is as narrow as asked: C 9 pF."
    assert asked(widths={"C": 8.9}) is None
    assert asked(widths={"C": 9.1, "g_leak": 8.9}) is None
    assert asked(widths={"C": 9.1}, entropy=-2.0) is None
    assert "entropy -1.00 nat" in asked(entropy=0.0)


@pytest.mark.parametrize(
    "wish", [{"worth": -1.0}, {"within": np.nan}, {"widths": {"C": 0.0}}, {"entropy": np.inf}, {"by": "luck"}]
)
def test_a_wish_out_of_range_is_refused(wish):
    with pytest.raises(WishError, match="wanted"):
        Wish(**wish)
