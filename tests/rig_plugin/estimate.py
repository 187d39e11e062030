"""An observer in a few lines, who is told what, and a protocol: what the sessions of several tests are made of."""

import numpy as np

from estimators.observer import Verdict
from estimators.overlay import Overlay
from rig_plugin.protocol import family
from rig_plugin.session import Session
from simulators.parameter import Parameter
from simulators.stimulus import step

PARAMETERS = (Parameter("C", "pF", 15.0, 400.0, "log"), Parameter("bridge", "MOhm", -20.0, 20.0, "normal"))
STEPS = tuple(step(pA, onset=100.0, duration=200.0, tail=50.0) for pA in (-50.0, 0.0, 50.0))
SAMPLES = 3 * 350 * 20


def passive(stimulus, rate, rng):
    """Answer -70 mV and .1 GOhm at once."""
    return -70.0 + 0.1 * stimulus.command(rate)


class Estimate:
    """An observer in a few lines: it notes what it is asked and believes every sweep that is not refused."""

    def __init__(self):
        self.calls, self.contexts, self.rows, self.used = [], [], [], 0

    def warm(self, *, overlays=False):
        self.calls.append("warm for overlays" if overlays else "warm")

    def expect(self, context):
        self.calls.append("expect")

    def observe(self, row, context, prediction=None, refusal=None):
        self.calls.append("observe")
        self.contexts.append(context)
        self.rows.append(row)
        self.used += refusal is None
        draws = np.tile([100.0, 0.0], (9, 1)) if self.used else None
        return Verdict(draws, self.used, refusal is None, 1.0, (refusal,) if refusal else ())

    def overlay(self, context):
        self.calls.append("overlay")
        moments = np.arange(0.5, context.baseline + context.duration + context.tail)
        return Overlay(moments, np.full(moments.size, -90.0), np.full(moments.size, -80.0))

    def slices(self, names):
        self.calls.append("slices")
        return names if self.used else None


_EVENTS = (
    "started", "block", "finished", "overlaid", "sliced", "tested", "proposed", "decided", "dosed", "status", "ended",
)  # fmt: skip


class Notes:
    """A listener that notes what it is told."""

    def __init__(self, then=None):
        self.told, self.then = [], then or {}

    def __getattr__(self, event):
        if event not in _EVENTS:
            raise AttributeError(event)

        def note(*what):
            self.told.append((event, *what))
            if event in self.then:
                self.then[event](*what)

        return note

    def named(self, event):
        return [what for name, *what in self.told if name == event]


def overlaid(rig, estimate, *listeners, protocol=None):
    return Session(rig, estimate, PARAMETERS, protocol or family(STEPS), None, listeners, overlays=True)
