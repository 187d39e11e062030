import json

import pytest

from rig_plugin.benchmarks import recording
from rig_plugin.benchmarks.recording import measure
from rig_plugin.display import DisplayError

KEYS = {"name", "value", "unit", "n", "peer", "peer_version", "ratio", "aim", "met"}


@pytest.fixture(scope="module")
def figures():
    return {figure["name"]: figure for figure in measure(peers=False, seconds=1.0)}


@pytest.mark.long
def test_every_figure_has_every_key_and_is_json(figures):
    assert all(set(figure) == KEYS for figure in figures.values())
    assert json.dumps(figures, allow_nan=False)


@pytest.mark.long
def test_what_a_recording_must_tell_is_there(figures):
    assert set(figures) == {
        "throughput", "bytes_a_sample", "lost_samples", "queue_ms_max", "flush_ms_p50", "flush_ms_p99", "processor",
        "frames_a_second", "frame_ms_p50", "frame_ms_p99", "engine",
    }  # fmt: skip
    assert 0 < figures["flush_ms_p50"]["value"] <= figures["flush_ms_p99"]["value"]
    assert figures["queue_ms_max"]["value"] > 0


@pytest.mark.long
def test_nothing_is_lost_and_what_is_packed_is_smaller(figures):
    assert figures["lost_samples"]["value"] == 0
    assert figures["lost_samples"]["met"]
    assert figures["lost_samples"]["n"] == 3 * 4 * 50_000
    assert 1 < figures["bytes_a_sample"]["value"] < 8


def test_without_a_display_the_window_s_figures_are_unknown(tmp_path, monkeypatch):
    def nowhere():
        raise DisplayError("There is no display.")

    monkeypatch.setattr(recording, "check_display", nowhere)
    assert recording._seen(tmp_path, 1.0) is None
    rows = recording._of_the_window(None, 50)
    assert {row["value"] for row in rows} == {row["met"] for row in rows} == {None}
