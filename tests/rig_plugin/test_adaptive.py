"""The adaptive protocol: what it plays, what it falls back to, and when it ends."""

import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from estimators.features import NAMES
from hardware.decision import Decision
from rig_plugin.adaptive import Adaptive
from rig_plugin.adaptive_settings import AdaptiveSettings
from rig_plugin.advice import Advice, Question
from rig_plugin.adviser import Adviser, AdviserError
from rig_plugin.interval import Interval
from rig_plugin.protocol_settings import ProtocolSettings
from rig_plugin.toml_table import SettingsError
from simulators.harm import Harm
from simulators.limits import Limits
from simulators.stimulus import step

STEPS = tuple(step(amplitude) for amplitude in (20.0, 80.0, 40.0))


@dataclass(frozen=True)
class Offer:
    gain: float | None
    refusal: str | None = None
    error: float | None = 0.07
    candidate: str = "20 pA"


@dataclass(frozen=True)
class Choice:
    """As `estimators.choice` gives it, as far as it is read."""

    offers: tuple = (Offer(0.7), Offer(1.4, candidate="80 pA"), Offer(3.0, "too much"))
    chosen: int | None = 1
    reason: str = "80 pA is expected to gain 1.40 nat."
    stop: str | None = None
    in_time: bool = True


class Script:
    """An adviser who says what a test wrote down; None comes too late."""

    def __init__(self, *answers):
        self.answers, self.asked, self.is_closed = [True, *answers], [], False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.is_closed = True

    def ask(self, work, *arguments):
        self.asked.append(arguments)
        self.now = self.answers.pop(0)

    def answer(self, seconds):
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


@dataclass
class Known:
    contexts: list = field(default_factory=list)

    @property
    def known(self):
        return np.zeros((len(self.contexts), len(NAMES))), tuple(self.contexts)


def advice(**changes):
    return Advice(replace(Choice(), **changes), STEPS)


def question(mode="automatic", **settings):
    return Question(
        Path("net.h5"), np.empty((0, len(NAMES))), (), AdaptiveSettings(**settings), mode,
        ProtocolSettings(onset=200.0, tail=300.0), 0.0, 20.0, 0.0, 0.0, 500.0, Limits(), Harm(),
    )  # fmt: skip


def made(adviser, interval=None, known=None, **settings):
    said = []
    asked = replace(question(**settings), interval=0.0 if interval is None else interval.duration)
    adaptive = Adaptive(asked, known or Known(), interval or Interval(), STEPS, adviser)
    return Told(adaptive, said), said


class Told:
    """An adaptive protocol whose decisions are heard, as a session hears them."""

    def __init__(self, adaptive, said):
        self.adaptive, self.said = adaptive, said

    @property
    def late(self):
        return self.adaptive.late

    def play(self):
        protocol, trial = self.adaptive.play(), None
        try:
            while True:
                asked = protocol.send(trial)
                if isinstance(asked, Decision):
                    self.said.append(asked.said)
                    trial = None
                else:
                    trial = yield asked
        except StopIteration as end:
            return end.value
        finally:
            protocol.close()


def ended(protocol, trial=None):
    """Send a trial and give why the protocol ended with it."""
    with pytest.raises(StopIteration) as end:
        protocol.send(trial)
    return end.value.value


@pytest.fixture
def trial(scripted):
    return scripted.trial(3)


def distrusted(trial):
    return replace(trial, trust=replace(trial.trust, in_distribution=False, reason="It is a voltage clamp."))


def test_the_sweep_that_teaches_most_is_played_with_what_was_weighed(trial):
    adaptive, said = made(adviser := Script(advice(), advice(stop="Narrow enough.")))
    protocol = adaptive.play()
    request = next(protocol)
    assert request.stimulus == STEPS[1] and request.gain == pytest.approx(1.4 / np.log(2.0))
    # What is refused is not among them.
    assert [candidate.stimulus for candidate in request.candidates] == list(STEPS[:2])
    assert ended(protocol, trial) is None
    assert said == ["80 pA is expected to gain 1.40 nat.", "Narrow enough."] and adviser.is_closed


def test_of_many_that_were_weighed_the_best_are_shown_and_always_the_one_that_was_chosen():
    offers = tuple(Offer(0.01 * k) for k in range(60))
    many = Advice(replace(Choice(), offers=offers, chosen=3), tuple(step(float(k + 1)) for k in range(60)))
    request = next(made(Script(many))[0].play())
    shown = [candidate.stimulus.amplitude for candidate in request.candidates]
    assert shown == [4.0, *(float(k + 1) for k in range(40, 60))]


def test_automatic_choice_ends_at_the_first_sweep_that_is_not_trusted(trial):
    adaptive, _ = made(Script(advice(), advice()))
    protocol = adaptive.play()
    next(protocol)
    assert "not trusted: It is a voltage clamp" in ended(protocol, distrusted(trial))


def test_who_accepts_each_sweep_goes_on_after_one_that_is_not_trusted(trial):
    adaptive, _ = made(Script(advice(), advice()), mode="accept")
    protocol = adaptive.play()
    next(protocol)
    assert protocol.send(distrusted(trial)).stimulus == STEPS[1]
    protocol.close()


def test_what_is_passed_over_gives_way_to_another_that_is_proven_as_the_first_was_until_nothing_is_left():
    """Nothing but what was chosen is proven harmless, so that another has to be chosen."""
    adviser = Script(advice(), advice(chosen=0), advice(chosen=None))
    adaptive, said = made(adviser, mode="accept")
    protocol = adaptive.play()
    assert next(protocol).stimulus == STEPS[1]
    assert protocol.send(None).stimulus == STEPS[0]
    assert ended(protocol) is None and said[-1] == "All that may be played was passed over."
    assert [asked[0].passed for asked in adviser.asked[1:]] == [(), ("80 pA",), ("80 pA", "20 pA")]


def test_who_passes_over_a_sweep_waits_for_the_next_choice_however_late_it_is():
    known, interval = Known([question_context()]), Interval(1e-3)
    interval.begin()
    adaptive, _ = made(adviser := Script(advice(), advice(chosen=0)), interval, known, mode="accept")
    protocol = adaptive.play()
    assert next(protocol).stimulus == STEPS[1]
    assert protocol.send(None).stimulus == STEPS[0]
    assert adaptive.late == 0 and adviser.asked[-1][0].budget is None
    protocol.close()


def test_a_choice_that_comes_too_late_plays_the_last_good_sweep_again_and_is_counted(trial, scripted):
    known = Known()
    interval = Interval(1e-3)
    adaptive, said = made(Script(advice(), None, advice()), interval, known)
    protocol = adaptive.play()
    next(protocol)
    known.contexts.append(replace(question_context(), start=0.0))
    interval.begin()
    assert protocol.send(trial).stimulus == trial.sweep.stimulus
    assert adaptive.late == 1 and "too late (1 so far)" in said[-1]
    assert protocol.send(trial).stimulus == STEPS[1]
    protocol.close()


def question_context():
    from estimators.context import Context

    return Context(20.0, 0.0, 1.0, 500.0, 200.0, 300.0, 20.0)


def test_without_a_pace_the_choice_is_waited_for_and_has_all_its_time(trial):
    known = Known([question_context()])
    adaptive, _ = made(adviser := Script(advice(), advice()), known=known)
    protocol = adaptive.play()
    next(protocol)
    assert adviser.asked[-1][0].budget is None and adviser.asked[-1][0].seed == 1
    protocol.close()
    interval = Interval(5000.0)
    interval.begin()
    for wanted, least, most in ((250.0, 250.0, 250.0), (60_000.0, 4000.0, 4900.0)):
        paced, _ = made(adviser := Script(advice()), interval, known, budget=wanted)
        protocol = paced.play()
        next(protocol)
        assert least <= adviser.asked[-1][0].budget <= most
        protocol.close()


def test_a_search_that_the_budget_ended_before_anything_was_found_harmless_is_late_too(trial):
    known = Known([question_context()])
    late = advice(chosen=None, in_time=False, reason="In the time there was, none was found harmless.")
    adaptive, _ = made(Script(advice(), late), known=known)
    protocol = adaptive.play()
    next(protocol)
    assert protocol.send(trial).stimulus == trial.sweep.stimulus and adaptive.late == 1
    protocol.close()


def test_an_adviser_that_dies_costs_a_choice_and_nothing_else(trial):
    adaptive, said = made(Script(advice(), AdviserError("It has died."), advice()))
    protocol = adaptive.play()
    next(protocol)
    assert protocol.send(trial).stimulus == trial.sweep.stimulus and said[-1] == "It has died."
    assert protocol.send(trial).stimulus == STEPS[1]
    protocol.close()


def test_where_nothing_may_be_played_the_reason_ends_it():
    adaptive, _ = made(Script(advice(chosen=None, reason="None of 3 candidates may be played.")))
    assert ended(adaptive.play()) == "None of 3 candidates may be played."


def test_as_many_sweeps_are_chosen_as_were_asked_for(trial):
    adaptive, said = made(Script(*3 * [advice()]), sweeps=2)
    protocol = adaptive.play()
    next(protocol)
    protocol.send(trial)
    assert ended(protocol, trial) is None and "2 sweeps were chosen" in said[-1]


def test_a_suggestion_plays_the_family_and_tells_the_gains_beside_it(trial):
    adaptive, said = made(Script(*3 * [advice()]), mode="suggest")
    protocol = adaptive.play()
    requests = [next(protocol), protocol.send(trial), protocol.send(trial)]
    assert [request.stimulus for request in requests] == list(STEPS)
    assert [len(request.candidates) for request in requests] == [0, 2, 2] and said[0].startswith("Suggested: 80 pA")
    assert ended(protocol, trial) is None


@pytest.mark.parametrize(
    ("widths", "wanted"),
    [({}, ("C", "g_M")), ({"g_M": 0.1}, ("g_M",)), ({"noise": 0.0, "C": 5.0}, ("C", "noise"))],
)
def test_all_of_the_cell_matters_or_what_is_named(widths, wanted):
    assert AdaptiveSettings(widths=widths).parameters(("C", "g_M", "noise", "bridge")) == wanted


def test_what_the_network_does_not_infer_is_refused_by_its_name():
    with pytest.raises(SettingsError, match="names g_h, which the network does not infer"):
        AdaptiveSettings(widths={"g_h": 1.0}).parameters(("C",))
    with pytest.raises(SettingsError, match="a width of at least 0"):
        AdaptiveSettings(widths={"C": -1.0}).parameters(("C",))


def double(number):
    return 2 * number


def vanish():
    os._exit(1)


def dawdle():
    time.sleep(60.0)


def answered(adviser):
    while (answer := adviser.answer(1.0)) is None:
        pass
    return answer


@pytest.mark.long
def test_a_process_answers_dies_and_is_replaced():
    with Adviser() as adviser:
        adviser.ask(double, 4)
        assert answered(adviser) == 8 and not adviser.is_busy
        adviser.ask(vanish)
        with pytest.raises(AdviserError, match="has died"):
            answered(adviser)
        adviser.ask(double, 5)
        assert answered(adviser) == 10
        adviser.ask(dawdle)
        assert adviser.answer(0.01) is None and adviser.is_busy
    with pytest.raises(AdviserError, match="asked nothing"):
        adviser.answer(0.0)
