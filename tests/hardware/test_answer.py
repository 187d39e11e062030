"""A recording is the same after its way between two processes."""

import io
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hardware import answer
from hardware.answer import receive, receive_object, send, send_object
from hardware.recording import Channel, RecordedSweep, Recording, RecordingError
from simulators.stimulus import Dose, Epoch, Stimulus
from simulators.sweep import Junction

# Every field has another value than its default: what is added to a sweep has to be added to its answer too.
SWEEP = RecordedSweep(
    index=3,
    response=np.array([-70.0, np.nan, 1e-300]),
    rate=20.0,
    command=np.array([0.0, -0.0, np.inf]),
    start=datetime(2024, 1, 1, 12, 0, 0, 123456, tzinfo=UTC),
    clamp="voltage",
    command_source="recorded channel",
    holding_source="amplifier",
    protocol="steps",
    stimulus=Stimulus("current", (Epoch(0.0, 50.0), Epoch(0.1 + 0.2, 20.0, (Dose("g_Na", 0.5, 1.0),))), 1),
    junction=Junction("uncorrected", 14.2),
    bridge=0.003,
    problem="It is not whole.",
)
RECORDING = Recording(Path("a.h5"), "made", (SWEEP,), (Channel("Vm", "mV", "response"),), ("Mind it.",), "by a note")


def carried(recording):
    pipe = io.BytesIO()
    send(pipe, recording)
    pipe.seek(0)
    return receive(pipe, recording.path)


def test_every_field_is_carried_over():
    found = carried(RECORDING)
    for field in fields(RecordedSweep):
        value, other = getattr(SWEEP, field.name), getattr(found.sweeps[0], field.name)
        default = field.default_factory() if callable(field.default_factory) else field.default
        if isinstance(value, np.ndarray):
            assert value.tobytes() == other.tobytes()
        else:
            assert value == other, field.name
            assert value != default, field.name
    assert all(getattr(found, f.name) == getattr(RECORDING, f.name) for f in fields(Recording) if f.name != "sweeps")


@given(
    arrays.arrays(np.float64, st.integers(1, 300)),
    st.floats(0.1, 1000.0),
    st.text(st.characters(categories=["L", "N", "P", "Zs"], exclude_characters="\xa0")),
)
def test_any_samples_rate_and_name_are_the_same_bits(trace, rate, name):
    sweep = RecordedSweep(0, trace, rate, -trace)
    found = carried(replace(RECORDING, sweeps=(sweep, sweep), channels=(Channel(name, "mV"),)))
    for each in found.sweeps:
        assert (each.response.tobytes(), each.command.tobytes()) == (trace.tobytes(), (-trace).tobytes())
        assert each.rate == rate
    assert found.channels[0].name == "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


@pytest.mark.parametrize("year", [1, 1969, 2201, 9999])
def test_a_start_that_no_rig_can_have_had_is_unknown(year):
    sweep = replace(SWEEP, start=datetime(year, 6, 1, tzinfo=UTC))
    assert carried(replace(RECORDING, sweeps=(sweep,))).sweeps[0].start is None


def test_a_recording_longer_than_any_is_refused_before_anything_is_sent(monkeypatch):
    monkeypatch.setattr(answer, "_MOST_SAMPLES", 5)
    pipe = io.BytesIO()
    with pytest.raises(RecordingError, match="1 sweeps with 6 samples, at most"):
        send(pipe, RECORDING)
    assert pipe.getvalue() == b""


def test_samples_that_are_only_claimed_are_not_allocated():
    pipe = io.BytesIO()
    send_object(pipe, {"sweeps": [{"samples": 2**50, "has_command": False}]})
    pipe.seek(0)
    with pytest.raises(ValueError, match="claims more samples"):
        receive(pipe, Path("a.h5"))


@pytest.mark.parametrize("text", [b"[1]", b"{", b"\xff"])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        receive_object(io.BytesIO(len(text).to_bytes(8, "little") + text))


def test_a_text_that_is_only_claimed_is_not_allocated():
    with pytest.raises(ValueError, match="at most"):
        receive_object(io.BytesIO((2**60).to_bytes(8, "little")))


def test_an_answer_that_breaks_off_is_an_end():
    pipe = io.BytesIO()
    send(pipe, RECORDING)
    with pytest.raises(EOFError):
        receive(io.BytesIO(pipe.getvalue()[:-1]), Path("a.h5"))
