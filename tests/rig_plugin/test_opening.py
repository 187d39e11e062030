"""A session is opened on a file of its own, however soon after the last, with what its settings ask for."""

from datetime import UTC, datetime

import pytest

from hardware.confirmation import confirm
from hardware.model_cell import ModelCell
from rig_plugin import opening, session
from rig_plugin.refine_settings import RefineSettings
from rig_plugin.settings import AmplifierSettings, ProtocolSettings, RecordingSettings, RigSettings, Settings


def test_two_sessions_of_one_second_have_a_file_each(tmp_path, monkeypatch):
    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

    monkeypatch.setattr(opening, "datetime", Stopped)
    settings = Settings(
        rig=RigSettings(seed=1, pace="max"),
        protocol=ProtocolSettings(amplitudes=(50.0,), duration=200.0, tail=20.0),
        recording=RecordingSettings(tmp_path),
    )
    checkpoint = opening.network()
    for _ in range(3):
        opening.attach(settings, checkpoint).run()
    names = sorted(path.stem for path in tmp_path.iterdir())
    assert [name[:10] for name in names] == 3 * ["2026-03-01"]
    assert [name.count("-") for name in names] == [4, 5, 5]


def test_the_rig_of_a_session_asks_the_amplifier_of_its_settings(monkeypatch):
    asked = []
    monkeypatch.setattr(ModelCell, "ask", lambda rig, amplifier: asked.append(amplifier))
    settings = Settings(amplifier=AmplifierSettings(kind="manual", mode="current", holding=-30.0))
    opening.attach(settings, opening.network())
    opening.attach(Settings(), opening.network())
    assert asked[0].read().holding.value == -30.0
    assert asked[1:] == [None]


@pytest.mark.parametrize(
    ("is_alive", "asked", "amplifier", "gap_free", "holding", "confirms"),
    [
        (True, "unknown", None, 0.0, 0.0, True),
        (True, "unknown", "manual", 0.0, 0.0, False),
        (True, "always", "manual", 0.0, 0.0, True),
        (True, "unknown", None, 1000.0, 0.0, False),
        (True, "unknown", None, 1000.0, -20.0, True),
        (False, "unknown", None, 0.0, 0.0, False),
        (False, "always", None, 0.0, 0.0, True),
    ],
)
def test_the_mode_is_confirmed_where_something_is_put_out_and_nobody_tells_it(
    monkeypatch, is_alive, asked, amplifier, gap_free, holding, confirms
):
    pulses = []
    monkeypatch.setattr(session, "confirm", lambda *asked: pulses.append(confirm(*asked)))
    monkeypatch.setattr(ModelCell, "is_alive", is_alive)
    monkeypatch.setattr(opening, "check_interval", lambda *_, **__: None)
    settings = Settings(
        rig=RigSettings(seed=1, pace="max", confirm=asked),
        amplifier=AmplifierSettings(kind=amplifier, mode=amplifier and "current"),
        protocol=ProtocolSettings(amplitudes=(50.0,), gap_free=gap_free, holding=holding, interval=0.0),
    )
    opening.attach(settings, opening.network()).run()
    assert bool(pulses) is confirms


def test_a_session_can_be_refined_where_that_is_asked_for_and_no_choice_waits_for_it():
    checkpoint = opening.network()
    refine = RefineSettings("sweep")
    assert opening.attach(Settings(refine=refine), checkpoint).refiner is None
    kinds = ("family", "automatic")
    found = [
        opening.attach(Settings(refine=refine, protocol=ProtocolSettings(chosen_by=kind)), checkpoint, refines=True)
        for kind in kinds
    ]
    assert [each.refiner._after for each in found] == ["sweep", "stop"]
