"""A session is opened on a file of its own, however soon after the last."""

from datetime import UTC, datetime

from rig_plugin import opening
from rig_plugin.settings import ProtocolSettings, RecordingSettings, RigSettings, Settings


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
