import json

import numpy as np
import pytest
import torch

from estimators.filling import KINDS
from estimators.groups import GROUPS
from rig_plugin.benchmarks import gains, missing, traces
from rig_plugin.commands.table import outline
from rig_plugin.opening import network

KEYS = {"name", "value", "unit", "n", "peer", "peer_version", "ratio", "aim", "met"}


@pytest.fixture(scope="module")
def measured():
    return gains.measure(simulations=60, held_out=40, epochs=1)


def test_gains_are_matrices_of_parameters_and_groups_with_errors(measured):
    assert json.dumps(measured, allow_nan=False)
    parameters = gains.shipped_spec().names
    for size in (1, 4):
        for what in ("lost", "alone"):
            for table in (measured[f"{what}_{size}"], measured[f"{what}_{size}_error"]):
                assert [row["parameter"] for row in table] == ["joint", *parameters]
                assert all(list(row) == ["parameter", "all", *GROUPS] for row in table)
        assert [line.split(" ")[0] for line in measured[f"known_by_{size}"]] == list(parameters)


def test_hiding_is_held_beside_networks_of_their_own(measured):
    rows = {row["name"]: row for row in measured["figures"]}
    assert all(set(row) == KEYS | {"error"} for row in rows.values())
    for group in gains.CHECKED:
        own, hidden = (rows[name]["value"] for name in (f"lost_4/{group}", f"lost_4/{group}/by_hiding"))
        apart = rows["over_hiding_4/all"]["value"] - rows[f"over_hiding_4/without_{group}"]["value"]
        assert apart == pytest.approx(own - hidden, abs=1e-4)
        row = measured["lost_4"][0]
        assert row[group] == pytest.approx(own, abs=1e-4)


def test_what_is_expected_is_held_against_what_was_found(measured):
    for row in measured["expected_1"]:
        assert row["holds"] == (row["group"] in row["first"].split(", "))
    assert [row["parameter"] for row in measured["expected_1"]] == ["C", "C", "V_T", "V_T", "g_M", "g_M"]


def test_gains_are_a_table_for_a_human(measured):
    text = outline(measured)
    header = next(line for line in text.splitlines() if line.split()[:1] == ["parameter"])
    assert header.split() == ["parameter", "all", *GROUPS]
    assert "is known by" in text or "is hardly known" in text


def test_every_filling_is_held_beside_the_flag():
    rows = missing.measure(simulations=60, held_out=40, epochs=1, seeds=1)
    names = [row["name"] for row in rows]
    assert {f"{state}/log_q/{kind}" for state in ("as_is", "hidden") for kind in KINDS} <= set(names)
    assert sum("over_flag" in name for name in names) == 2 * (len(KINDS) - 1)
    assert json.dumps(rows, allow_nan=False)


@pytest.mark.parametrize(
    ("means", "spread", "worth"),
    [((0.1, 0.12), 0.5, True), ((0.01, 0.012), 0.01, False), ((0.1, 0.12), 20.0, False), ((0.3, -0.01), 0.5, False)],
)
def test_a_change_is_worth_it_where_the_gain_is_large_sure_and_repeated(means, spread, worth):
    # Exact means, and deviations of exactly the spread.
    noise = spread * torch.tensor([1.0, -1.0]).repeat(5000)
    scores = {
        ("as_is", "zero_flagged"): [torch.zeros(10_000)] * 2,
        ("as_is", "constant"): [noise + mean for mean in means],
    }
    rows = {row["name"]: row for row in missing.compare(scores)}
    assert rows["as_is/over_flag/constant"]["worth_a_change"] is worth


def test_traces_are_held_beside_features_for_few_and_for_many_sweeps():
    found = traces.measure(simulations=60, held_out=30, epochs=1)
    assert json.dumps(found, allow_nan=False)
    names = {row["name"] for row in found["figures"]}
    assert {f"log_q_{count}/{name}" for count in (20, 60) for name in traces.READS} <= names
    assert {f"sweep_ms_p50/{name}" for name in traces.READS} <= names
    # Of every parameter, and of all together.
    assert len(found["over_features"]) == 2 * 2 * (len(network(None).spec.names) + 1)


def test_what_a_trace_adds_is_counted_sweep_by_sweep():
    base = torch.randn(100, 3, generator=torch.Generator().manual_seed(0)) * 5.0
    scores = {(9, "features"): base, (9, "both"): base + torch.tensor([0.3, 0.2, -0.1])}
    rows = traces.by_parameter(scores, ("C", "g_M"))
    assert [(row["reads"], row["parameter"]) for row in rows] == [("both", name) for name in ("joint", "C", "g_M")]
    np.testing.assert_allclose([row["over"] for row in rows], [0.3, 0.2, -0.1], atol=1e-5)
    assert max(row["error"] for row in rows) < 1e-5
