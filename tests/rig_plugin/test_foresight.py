"""What the sweeps so far predict of the next is worked out while that one is played; no garbage is searched then."""

import gc
import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from estimators.observer import Verdict
from hardware.model_cell import ModelCell
from rig_plugin.foresight import Foresight
from rig_plugin.lull import lull
from rig_plugin.protocol import family
from rig_plugin.session import Session
from simulators.stimulus import step

STEPS = tuple(step(pA, onset=100.0, duration=200.0, tail=50.0) for pA in (-50.0, 0.0, 50.0))


class Rig(ModelCell):
    """A cell of -70 mV that says when the first sample of a sweep was asked for."""

    def __init__(self):
        super().__init__(lambda stimulus, rate, rng: 0.0 * stimulus.command(rate) - 70.0, pace="max")
        self.asked = threading.Event()

    def _read(self):
        self.asked.set()
        return super()._read()


class Estimate:
    """An observer whose prediction waits until the sweep is played, and then until it is observed, if it may."""

    def __init__(self, rig):
        self.rig, self.calls, self.observed = rig, [], threading.Event()

    def warm(self, *, overlays=False):
        """Have nothing to compile."""

    def expect(self, context):
        # A prediction that is made before the sweep begins waits here for ever.
        assert self.rig.asked.wait(60)
        self.observed.wait(0.05)
        self.rig.asked.clear()
        self.observed.clear()
        self.calls.append("predicted")

    def observe(self, row, context, prediction=None, refusal=None):
        self.observed.set()
        self.calls.append("observed")
        return Verdict(None, 1, True, 1.0, ())


def test_a_sweep_is_predicted_while_it_is_played_and_never_from_itself():
    rig = Rig()
    estimate = Estimate(rig)
    Session(rig, estimate, (), family(STEPS)).run()
    assert estimate.calls == 3 * ["predicted", "observed"]


def test_a_prediction_that_fails_ends_the_session_with_its_reason_and_the_cell_at_rest(monkeypatch):
    rig = Rig()
    estimate = Estimate(rig)
    monkeypatch.setattr(estimate, "expect", lambda context: int("nothing"))
    with pytest.raises(ValueError, match="nothing"):
        Session(rig, estimate, (), family(STEPS)).run()
    assert estimate.calls == []
    assert not rig._is_open


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_linear_algebra_between_sweeps_has_one_thread_and_as_many_as_before_afterwards(monkeypatch):
    rig, threads = Rig(), []
    estimate = Estimate(rig)
    observe = estimate.observe
    monkeypatch.setattr(
        estimate, "observe", lambda *given, **more: threads.append(blas_threads()) or observe(*given, **more)
    )
    with threadpool_limits(limits=2, user_api="blas"):
        Session(rig, estimate, (), family(STEPS)).run()
        assert (threads, blas_threads()) == ([{1}, {1}, {1}], {2})


def test_nothing_is_foreseen_where_nothing_was_asked():
    with Foresight() as foresight:
        assert foresight.answer() is None
        foresight.ask(lambda: "this")
        assert [foresight.answer(), foresight.answer()] == ["this", None]


def test_what_was_there_before_a_recording_is_out_of_every_search_until_its_end():
    before = gc.get_freeze_count()
    gc.unfreeze()
    with lull():
        first = gc.get_freeze_count()
        with lull():
            assert gc.get_freeze_count() == first > 10_000
        assert gc.get_freeze_count() == first
    assert gc.get_freeze_count() == 0
    if before:
        gc.freeze()
