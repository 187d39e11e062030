"""The benchmark of the rigs: every driver is measured or named, under both loads, with posteriors in between."""

import json
import os

import pytest

from rig_plugin.benchmarks import rigs
from rig_plugin.tasks.burden import Burden
from rig_plugin.tasks.stand import SimulatedStand
from simulators.refusal import Refusal

OF_EACH = [
    "samples_per_s", "lost_samples", "processor", "round_trip_ms_p50", "round_trip_ms_p95", "round_trip_ms_p99",
    "round_trip_ms_max", "posteriors",
]  # fmt: skip


class Absent(SimulatedStand):
    """A device that is not here."""

    name = "absent"

    def __enter__(self):
        raise Refusal("It is not installed.")


def check(figures, driver, sweeps):
    """Hold a driver's figures against what was really done."""
    for load in ("", "_loaded"):
        value = {name: figures[f"{driver}_{name}{load}"] for name in OF_EACH}
        assert value["lost_samples"]["value"] == 0
        assert value["lost_samples"]["met"]
        assert value["posteriors"]["value"] == sweeps
        trips = [value[f"round_trip_ms_{name}"]["value"] for name in ("p50", "p95", "p99", "max")]
        assert 0 < trips[0] <= trips[1] <= trips[2] <= trips[3]
        assert value["round_trip_ms_p99"]["n"] == sweeps - 1
        assert value["round_trip_ms_p99"]["aim"] == 50.0


@pytest.mark.long
def test_what_a_driver_carries_and_how_long_a_cell_waits_is_told_under_both_loads(monkeypatch):
    monkeypatch.setattr(rigs, "_STANDS", (SimulatedStand, Absent))
    figures = {figure["name"]: figure for figure in rigs.measure(seconds=0.2, sweeps=3)}
    assert json.dumps(figures, allow_nan=False)
    check(figures, "model-cell", 3)
    absent = figures.pop("absent_round_trip_ms_p99")
    assert (absent["value"], absent["met"], absent["peer_version"]) == (None, None, "It is not installed.")
    assert len(figures) == 2 * len(OF_EACH)
    # Two channels of 20 kHz in real time.
    assert figures["model-cell_samples_per_s"]["n"] == 2 * 4000


@pytest.mark.long
def test_every_driver_is_measured_over_its_wire():
    figures = {figure["name"]: figure for figure in rigs.measure(seconds=2.0, sweeps=12)}
    for driver in ("model-cell", "serial", "nidaq"):
        check(figures, driver, 12)


def test_a_burden_is_gone_with_its_end():
    with Burden(2) as burden:
        busy = list(burden.processes)
        assert [process.poll() for process in busy] == [None, None]
    assert all(process.poll() is not None for process in busy)
    with Burden() as burden:
        assert len(burden.processes) == os.cpu_count()
