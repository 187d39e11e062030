from dataclasses import replace

import pytest

from estimators.context import Context
from estimators.designs import Designs
from estimators.domain import Domain, DomainError

INSIDE = Context(100.0, -20.0, 1.0, 500.0, 200.0, 300.0, 20.0)


@pytest.fixture
def domain():
    return Domain(Designs().domain())


def test_a_common_step_lies_inside(domain):
    domain.check(INSIDE)


def test_every_edge_lies_inside(domain):
    for column, bounds in domain.ranges.items():
        for bound in bounds:
            domain.check(replace(INSIDE, **{column: bound}))


@pytest.mark.parametrize("column", sorted(Designs().domain()))
@pytest.mark.parametrize("side", [0, 1])
def test_what_lies_outside_is_refused_with_value_range_and_remedy(domain, column, side):
    low, high = domain.ranges[column]
    value = (low - 0.1 * (high - low), high + 0.1 * (high - low))[side]
    with pytest.raises(DomainError) as caught:
        domain.check(replace(INSIDE, **{column: value}))
    told = str(caught.value)
    assert f"{value:.4g}" in told
    assert f"{low:g} to {high:g}" in told
    assert "pretrain" in told
    assert "\n" not in told


def test_rounding_in_a_files_header_is_forgiven(domain):
    domain.check(replace(INSIDE, duration=1000.02))


@pytest.mark.parametrize("column", sorted(Designs().domain()))
def test_what_is_no_number_is_refused(domain, column):
    with pytest.raises(DomainError):
        domain.check(replace(INSIDE, **{column: float("nan")}))
