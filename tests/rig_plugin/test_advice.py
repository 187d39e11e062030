"""What is weighed is what will be played, and what will be read of it."""

import numpy as np
import pytest

import estimators.choice
from estimators.features import NAMES
from estimators.pretrained import FIRST
from rig_plugin.adaptive_settings import AdaptiveSettings
from rig_plugin.advice import Question, advise
from rig_plugin.crop import crop
from rig_plugin.protocol_settings import ProtocolSettings
from simulators.harm import Harm
from simulators.limits import Limits

SHAPES = {
    "plain": ProtocolSettings(onset=200.0, tail=250.0),
    "longer than what is read": ProtocolSettings(onset=400.0, tail=900.0),
    "behind a test pulse": ProtocolSettings(onset=100.0, tail=300.0, test_pulse=-20.0, recovery=180.0),
}


@pytest.fixture
def settings(monkeypatch):
    """What the choice was told of the sweep to come."""
    told, choose = [], estimators.choice.choose

    def spy(checkpoint, rows, contexts, setting, candidates, **more):
        told.append(setting)
        return choose(checkpoint, rows, contexts, setting, candidates, **more)

    monkeypatch.setattr(estimators.choice, "choose", spy)
    return told


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_network_is_told_of_a_candidate_what_will_be_read_of_its_sweep(settings, shape):
    question = Question(
        FIRST, np.empty((0, len(NAMES))), (), AdaptiveSettings(), "automatic", shape, 0.0, 20.0, 12.0, 0.0, 500.0,
        Limits(), Harm(),
    )  # fmt: skip
    given = advise(question)
    assert given.choice.candidate is not None
    for offer, stimulus in zip(given.choice.offers, given.stimuli, strict=True):
        assert offer.candidate.context(settings[0]) == crop(stimulus).context(20.0, start=12.0)
        assert "outside" not in (offer.refusal or "")
    assert given.stimuli[given.choice.chosen].duration == shape.stimuli()[0].duration - shape.duration + 500.0
