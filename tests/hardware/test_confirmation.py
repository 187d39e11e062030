"""A test pulse tells current clamp from what is none, before anything else is put out."""

import math

import numpy as np
import pytest

from hardware.confirmation import confirm, misfit
from hardware.model_cell import ModelCell
from hardware.pulse import Pulse
from hardware.rig import Block, RigError
from simulators.electrode import IDEAL, Electrode
from simulators.limits import Limits
from simulators.passive import Passive

PULSE = Pulse("current", -20.0, 50.0, 150.0, 250.0, 2)
CELL = (100.0, 5.0, -70.0)  # pF, nS, mV
AT = 0.05  # An amplifier's 0.5 mV/pA at an input of 100 mV/V, and its 20 mV/V at an output of 400 pA/V.


def current_clamp(cell=CELL, noise=0.1, series=10.0):
    def simulate(stimulus, rate, rng):
        quiet = Electrode(series=series, bridge=series / 3.0, capacitance=2.0, white=noise)
        return Passive(electrode=quiet).simulate(np.array([cell]), stimulus, rate, rng)[0]

    return simulate


def voltage_clamp(cell=CELL, held=-70.0, sign=1.0, electrode=IDEAL):
    """The same volts at an amplifier in voltage clamp: its current comes back as if it were a voltage."""

    def simulate(stimulus, rate, rng):
        epochs = [(held + AT * epoch.level, epoch.duration) for epoch in stimulus.epochs]
        clamped = stimulus.__class__("voltage", tuple(type(stimulus.epochs[0])(*epoch) for epoch in epochs))
        response = Passive(electrode=electrode).simulate(np.array([cell]), clamped, rate, rng)[0]
        return sign * AT * response + rng.normal(0.0, 0.1, response.size)

    return simulate


def rig_of(simulate, **asked):
    return ModelCell(simulate, pace="max", **asked)


def said_of(simulate):
    with rig_of(simulate) as rig:
        return misfit(PULSE, np.concatenate([b.response for b in rig.play(PULSE.stimulus())]), rig.rate)


@pytest.mark.parametrize(
    "cell",
    [(100.0, 5.0, -70.0), (30.0, 1.0, -60.0), (300.0, 30.0, -80.0), (33.0, 2.0, 0.0), (20.0, 10.0, -65.0)],
    ids=["pyramidal", "small", "large and leaky", "model cell", "fast"],
)
def test_a_cell_in_current_clamp_is_confirmed(cell):
    assert said_of(current_clamp(cell)) is None
    with rig_of(current_clamp(cell)) as rig:
        said = confirm(rig, lambda: False)
        assert said.resistance == pytest.approx(1e3 / cell[1], rel=0.2)
        assert rig.output == 0.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("cell", [CELL, (30.0, 1.0, -60.0), (300.0, 30.0, -80.0)])
@pytest.mark.parametrize("held", [-70.0, 0.0, -1400.0])
@pytest.mark.parametrize("series", [5.0, 20.0])
def test_a_cell_in_voltage_clamp_is_none_wherever_its_holding_current_puts_it(cell, held, sign, series):
    assert said_of(voltage_clamp(cell, held, sign, Electrode(series=series, white_current=0.5))) is not None


def test_the_current_that_falls_back_is_called_voltage_clamp():
    assert "jumps and falls back as a current does, which looks like voltage clamp" in said_of(
        voltage_clamp(electrode=Electrode(series=10.0, white_current=0.5))
    )


def constant(level, noise=0.0):
    return lambda stimulus, rate, rng: level + noise * rng.normal(size=len(stimulus.command(rate)))


def shifted(mV):
    return lambda stimulus, rate, rng: current_clamp((100.0, 5.0, 0.0))(stimulus, rate, rng) + mV


def ohmic(MOhm, rest=-60.0):
    return lambda stimulus, rate, rng: (
        rest + 1e-3 * MOhm * stimulus.command(rate) + rng.normal(0.0, 0.05, len(stimulus.command(rate)))
    )


@pytest.mark.parametrize(
    ("simulate", "said"),
    [
        (constant(0.0), "stands still at 0.0 mV, so that input is not connected or saturated"),
        (constant(120.0), "stands still at 120.0 mV"),
        (constant(-1000.0, 0.1), "reaches -1000 mV, so that input is saturated"),
        (constant(-70.0, 0.2), "looks like no cell, I = 0, voltage clamp, or a command that is not connected"),
        (current_clamp((1.0, 200.0, 0.0)), "MOhm at 0 mV, 10 at least were wanted"),
        (ohmic(-100.0), "10 at least were wanted"),
        (ohmic(200.0), "does not charge as a membrane does"),
        (shifted(60.0), "the voltage before it is 60 mV, -120 to 30 mV was wanted"),
        (current_clamp((1.0, 0.18, 0.0), noise=0.02), "at most 5000 MOhm"),
    ],
    ids=["unplugged", "at its end", "saturated", "I = 0", "bath", "reversed", "resistor", "offset", "seal"],
)
def test_what_is_no_cell_in_current_clamp_is_refused_with_what_it_looks_like(simulate, said):
    assert said in said_of(simulate)
    with rig_of(simulate) as rig, pytest.raises(RigError, match="did not confirm current clamp") as refused:
        confirm(rig, lambda: False)
    assert said in str(refused.value) and 'kind = "manual" and mode = "current"' in str(refused.value)
    assert rig.output == 0.0


class Loses(ModelCell):
    """A rig that loses ten samples of the first pulses, or of all."""

    def __init__(self, times):
        super().__init__(current_clamp(), pace="max")
        self.left = times

    def _read(self):
        block = super()._read()
        if block is None or self._position != 4000 or not self.left:
            return block
        self.left -= 1
        return Block(block.response[10:], block.command[10:], 10)


def test_a_pulse_that_went_wrong_once_is_played_again_and_one_that_does_twice_is_refused():
    with Loses(1) as rig:
        assert confirm(rig, lambda: False) is not None
    with Loses(2) as rig, pytest.raises(RigError, match="samples of the answer were lost"):
        confirm(rig, lambda: False)


@pytest.mark.parametrize(
    ("low", "high", "exit_level", "levels"),
    [
        (-100.0, 100.0, 0.0, {0.0, -20.0}),
        (-8.0, 100.0, 0.0, {0.0, -8.0}),
        (0.0, 12.0, 0.0, {0.0, 12.0}),
        (-100.0, 100.0, -30.0, {-30.0, -50.0}),
    ],
)
def test_the_pulse_is_what_the_limits_leave_from_the_exit_level(low, high, exit_level, levels):
    played = set()

    def simulate(stimulus, rate, rng):
        played.update(epoch.level for epoch in stimulus.epochs)
        return current_clamp(noise=0.02)(stimulus, rate, rng)

    with rig_of(simulate, limits=Limits(low, high), exit_level=exit_level) as rig:
        assert confirm(rig, lambda: False) is not None
    assert played == levels


def test_limits_without_room_for_a_pulse_are_refused():
    with rig_of(current_clamp(), limits=Limits(-3.0, 4.0)) as rig, pytest.raises(RigError, match="leave no room"):
        confirm(rig, lambda: False)


def test_who_ends_it_gets_no_verdict_and_the_cell_its_exit_level():
    looks = iter((False, False, True))
    with rig_of(constant(0.0)) as rig:
        assert confirm(rig, lambda: next(looks, True)) is None
        assert rig.output == 0.0


def test_the_pulse_lasts_under_a_second():
    assert PULSE.stimulus().duration < 1000.0
    assert math.isclose(PULSE.stimulus().duration, 900.0)
