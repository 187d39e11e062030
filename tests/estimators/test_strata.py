"""Every stratum has as many cells as are promised."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from estimators import strata
from estimators.adaptive import GAIN, MIXED
from estimators.context import CONTEXT
from estimators.designs import Designs
from estimators.generation import generate
from estimators.nuisances import Nuisances
from estimators.scaling import Scaling
from estimators.strata import SWEEPS, draw_strata, enough, sweeps_of

UNDISTORTED = SimpleNamespace(scaling=Scaling())
AMPLITUDE, EXCLUDED = CONTEXT.index("amplitude"), CONTEXT.index("excluded")


@pytest.fixture
def drawn(monkeypatch, made):
    """Cells without a simulation, a few sweeps excluded; notes what was asked for."""
    asked = []

    def generate(parameters, designs, nuisances, cells, rng, *, kind=None):
        asked.append((designs.sweeps, cells, kind))
        low, high = designs.sweeps
        yield made.sets(cells, seed=int(rng.integers(2**31)), sweeps=int(rng.integers(low, high + 1)))

    def adapt(network, spec, cells, rng, **rest):
        asked.append((rest.get("sweeps"), cells, rest.get("policies", MIXED)))
        yield made.sets(cells, seed=int(rng.integers(2**31)), sweeps=5)

    monkeypatch.setattr(strata, "generate", generate)
    monkeypatch.setattr(strata, "adapt", adapt)
    return asked


@pytest.mark.parametrize(("cells", "wanted"), [(1, 1), (4, 1), (60, 12), (4999, 1000), (5000, 1000), (20_000, 1000)])
def test_a_stratum_has_a_fifth_and_at_most_a_thousand(cells, wanted):
    assert enough(cells) == wanted


def test_every_stratum_gets_as_many_as_are_promised(drawn, spec, made):
    sets = made.sets(100, seed=3, sweeps=3)
    more = draw_strata(UNDISTORTED, spec, sets, np.random.default_rng(0))
    for name, (low, high) in SWEEPS.items():
        sizes = [sweeps_of(part) for part in (sets, more.get(name)) if part is not None]
        sizes = np.concatenate(sizes)
        assert ((sizes >= low) & (sizes <= high)).sum() >= 20, name
    assert {len(more[name]) for name in ("random", "family", "adaptive")} == {20}


def test_what_is_there_already_is_not_drawn_again(drawn, spec, made):
    sets = made.sets(100, seed=3, sweeps=3)
    assert "3" not in draw_strata(UNDISTORTED, spec, sets, np.random.default_rng(0))
    assert [bounds for bounds, _, kind in drawn if kind is None and bounds == (2, 3)] == []


def test_cells_whose_sweeps_cannot_be_used_are_made_good(drawn, spec, made, monkeypatch):
    sets = made.sets(100, seed=3, sweeps=3)
    drawing = strata.generate

    def spoiling(*args, **rest):
        (some,) = drawing(*args, **rest)
        if args[1].sweeps == (4, 10):
            some.context[some.first[:-1][::2], EXCLUDED] = 1.0
            some.context[some.first[:-1][::2] + 1, EXCLUDED] = 1.0
        yield some

    monkeypatch.setattr(strata, "generate", spoiling)
    more = draw_strata(UNDISTORTED, spec, sets, np.random.default_rng(5))
    sizes = sweeps_of(more["10"])
    assert ((sizes >= 4) & (sizes <= 10)).sum() >= 20


def test_strata_by_design_have_as_many_sweeps_as_adaptive_sets(drawn, spec, made):
    draw_strata(UNDISTORTED, spec, made.sets(50, sweeps=3), np.random.default_rng(0))
    assert [(bounds, kind) for bounds, _, kind in drawn if kind] == [
        ((4, 10), "random"),
        ((4, 10), "family"),
        (None, MIXED),
    ]


def test_where_sweeps_can_be_weighed_the_networks_own_choice_is_a_stratum_and_the_others_are_as_without(
    drawn, spec, made
):
    sets = made.sets(50, sweeps=3)
    sources = [np.random.default_rng(0) for _ in range(2)]
    without, beside = (
        draw_strata(UNDISTORTED, spec, sets, rng, by) for rng, by in zip(sources, (None, object()), strict=True)
    )
    assert sources[0].random() == sources[1].random()
    assert set(beside) - set(without) == {"gain"} and "gain" in strata.DESIGNS
    assert all((without[name].u == beside[name].u).all() for name in without)
    assert drawn[-1] == ((2, 10), 10, GAIN)
    assert not (beside["gain"].u == beside["adaptive"].u).any()


def test_a_spec_without_long_sets_has_no_strata_of_them(drawn, spec, made):
    short = replace(spec, designs=replace(spec.designs, sweeps=(1, 3)))
    more = draw_strata(UNDISTORTED, short, made.sets(50, sweeps=2), np.random.default_rng(0))
    assert set(more) == {"1", "adaptive"}


def test_sweeps_are_counted_without_the_excluded_and_never_as_none(made):
    sets = made.sets(3, sweeps=4)
    sets.context[:, EXCLUDED] = [0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1, 1]
    assert sweeps_of(sets).tolist() == [4, 2, 1]


def test_a_kind_of_design_is_what_its_name_says(spec):
    designs = replace(Designs(), sweeps=(5, 5))
    sets = {
        kind: next(generate(spec.parameters, designs, Nuisances(), 6, np.random.default_rng(2), kind=kind))
        for kind in ("family", "random")
    }
    steps = {kind: np.diff(some.context[:, AMPLITUDE].reshape(6, 5), axis=1) for kind, some in sets.items()}
    assert (steps["family"].std(axis=1) < 1e-3 * np.abs(steps["family"]).mean(axis=1)).all()
    assert (steps["random"].std(axis=1) > 0.1 * np.abs(steps["random"]).mean(axis=1)).all()
