import pytest

from hardware.model_cell import ModelCell
from rig_plugin.gaze import GazeError
from rig_plugin.protocol import Request, family
from rig_plugin.session import Session
from tests.rig_plugin.estimate import PARAMETERS, STEPS, Estimate, Notes, overlaid, passive


@pytest.fixture
def rig():
    return ModelCell(passive, pace="max")


@pytest.fixture
def estimate():
    return Estimate()


@pytest.fixture
def make(rig, estimate):
    def make(protocol=None, recorder=None, *listeners):
        return Session(rig, estimate, PARAMETERS, protocol or family(STEPS), recorder, listeners)

    return make


def test_slices_are_told_last_of_all_and_only_while_somebody_looks(rig, estimate):
    notes = Notes()
    session = overlaid(rig, estimate, notes)
    for trial in session.trials():
        session.look(("bridge", "C") if trial.index == 0 else ())
    events = [name for name, *_ in notes.told if name not in ("block", "status")]
    trial = ["started", "finished", "overlaid"]
    assert events == [*trial, *trial, "sliced", *trial, "ended"]
    assert notes.named("sliced") == [[1, ("bridge", "C")]]
    assert estimate.calls.count("slices") == 1


def test_nothing_is_told_of_a_posterior_that_is_not_known(rig, estimate):
    notes = Notes()

    def protocol():
        yield Request(None, refusal="It is not a sweep.")
        yield STEPS[0]

    session = overlaid(rig, estimate, notes, protocol=protocol())
    session.look(("C",))
    session.run()
    assert notes.named("sliced") == [[1, ("C",)]]


def test_slices_that_fail_are_logged_and_the_recording_goes_on(make, estimate, monkeypatch, caplog):
    def fail(names):
        raise FloatingPointError("no density")

    monkeypatch.setattr(estimate, "slices", fail)
    session = make()
    session.look(("C",))
    assert len(list(session.trials())) == 3
    assert "could not be sliced along C" in caplog.text


@pytest.mark.parametrize("names", [("x",), ("C", "C"), ("C", "bridge", "g", "h", "i", "j")])
def test_who_looks_at_what_is_not_there_is_refused_and_what_was_looked_at_stays(rig, names, estimate):
    notes = Notes()
    session = overlaid(rig, estimate, notes)
    session.look(("C",))
    with pytest.raises(GazeError, match="at most 5 different ones of C, bridge were wanted"):
        session.look(names)
    session.run()
    assert notes.named("sliced") == [[trial, ("C",)] for trial in range(3)]
