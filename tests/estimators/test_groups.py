import numpy as np

from estimators.features import NAMES
from estimators.groups import GROUPS, columns_of, membership


def test_every_feature_is_in_exactly_one_group():
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(NAMES)
    assert np.all(membership().sum(axis=0) == 1)


def test_columns_are_those_of_the_names_in_the_catalogues_order():
    assert [NAMES[k] for k in columns_of(["sag", "jump"])] == ["onset_jump", "sag", "end_jump"]


def test_a_row_of_the_membership_is_its_group():
    for row, group in zip(membership(), GROUPS, strict=True):
        assert {NAMES[k] for k in np.flatnonzero(row)} == set(GROUPS[group])
