"""Every imperfection has levels that training knew and levels far beyond them."""

from dataclasses import fields, replace
from importlib.resources import files
from itertools import groupby

import pytest

from estimators.nuisances import OFF, Nuisances
from estimators.spec import spec_from
from rig_plugin.tasks.imperfection import HOLDING, levels

SPEC = spec_from((files("estimators.pretrained") / "cortical-steps.toml").read_text(encoding="utf-8"), "the spec")
WIDE = replace(
    SPEC,
    nuisances=replace(
        SPEC.nuisances, capacitance=(0.0, 4.0), flicker=(0.0, 0.2), junction=(0.0, 12.0), adc_step=(0.0, 0.1),
        adc_range=(100.0, 1000.0),
    ),
)  # fmt: skip


def changed(spec, level):
    """The nuisance that a level sets, with its value, or None."""
    for field in fields(Nuisances):
        value = getattr(level.nuisances, field.name)
        if value != getattr(spec.nuisances, field.name):
            return field.name, value if isinstance(value, float) else value[0]
    return None


@pytest.mark.parametrize("spec", [SPEC, WIDE], ids=["shipped", "wide"])
def test_each_has_one_level_inside_training_at_least_and_two_beyond_it(spec):
    found = list(levels(spec))
    assert (found[0].imperfection, found[0].nuisances) == ("none", spec.nuisances)
    counts = {}
    for level in found[1:]:
        counts.setdefault(level.imperfection, []).append(level.inside)
    assert {"bridge", "offset", "corner", "hum", "drift", "capacitance", "flicker", "junction", HOLDING} < set(counts)
    for inside in counts.values():
        assert inside[0] is True
        assert 3 <= len(inside) <= 5
        assert inside == sorted(inside, reverse=True), "What training knew comes first."
        assert inside.count(False) >= 2


@pytest.mark.parametrize("spec", [SPEC, WIDE], ids=["shipped", "wide"])
def test_inside_is_what_the_spec_draws(spec):
    for level in levels(spec):
        if changed(spec, level) is None:
            continue
        name, value = changed(spec, level)
        bounds = getattr(spec.nuisances, name)
        low, high = (0.0, bounds) if isinstance(bounds, float) else bounds
        assert level.inside == (low <= value <= high), level.name


def test_a_filter_and_a_converter_are_the_worse_the_lower_they_are_and_all_else_the_higher():
    for name, group in groupby(levels(WIDE), key=lambda level: level.imperfection):
        values = [changed(WIDE, level)[1] for level in group if changed(WIDE, level)]
        assert values == sorted(values, reverse=name in ("corner", "adc_range")), name


def test_only_one_thing_is_wrong_at_a_time():
    for level in levels(SPEC):
        differing = [
            field.name
            for field in fields(Nuisances)
            if getattr(level.nuisances, field.name) != getattr(SPEC.nuisances, field.name)
        ]
        assert differing in ([], [level.imperfection])


def test_what_a_spec_leaves_out_begins_as_it_is():
    first = {name: next(group) for name, group in groupby(levels(SPEC), key=lambda level: level.imperfection)}
    for field in fields(Nuisances):
        if getattr(SPEC.nuisances, field.name) == OFF:
            assert first[field.name].nuisances == SPEC.nuisances
            assert first[field.name].told == "off"


def test_names_are_three_words_that_differ():
    names = [level.name for level in levels(SPEC)]
    assert len(set(names)) == len(names)
    assert {name.count("/") for name in names} == {2}
