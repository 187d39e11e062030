"""What an amplifier says decides what may be put out, and which sweep counts."""

from dataclasses import asdict, fields, replace

import numpy as np
import pytest

from hardware.amplifier import Amplifier, AmplifierError, Reading, Setting, changed, unfit
from hardware.amplifier_manual import ManualAmplifier
from hardware.model_cell import ModelCell
from hardware.rig import RigError
from simulators.limits import Limits
from simulators.stimulus import step

STEP = step(50.0, holding=-10.0, onset=60.0, duration=40.0, tail=20.0)
STANDS = Reading(
    mode=Setting("current", "telegraph"),
    gain=Setting(10.0, "telegraph"),
    corner=Setting(6.0, "telegraph"),
    sensitivity=Setting(400.0, "telegraph"),
    bridge=Setting(12.0, "commander"),
    holding=Setting(-30.0, "commander"),
    neutralization=Setting(4.0, "commander"),
)
OTHERWISE = {
    "mode": "voltage", "gain": 20.0, "corner": 10.0, "sensitivity": 2000.0, "bridge": 13.0, "holding": -32.0,
    "neutralization": 5.0, "residual": 3.0,
}  # fmt: skip


class Scripted(Amplifier):
    """Stands as it is told, reading by reading; the last stays."""

    def __init__(self, *readings):
        self.readings, self.asked, self.calls = list(readings), 0, []

    def open(self):
        self.calls.append("open")

    def close(self):
        self.calls.append("close")

    def _read(self):
        self.asked += 1
        told = self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]
        if isinstance(told, Exception):
            raise told
        return told


def cell(amplifier, **more):
    rig = ModelCell(lambda s, rate, rng: -70.0 + 0.1 * s.command(rate), rate=10.0, pace="max", **more)
    rig.ask(amplifier)
    return rig


def other(name):
    return replace(STANDS, **{name: Setting(OTHERWISE[name], "telegraph")})


def test_an_amplifier_that_stands_still_has_not_changed():
    assert changed(STANDS, STANDS) is None
    assert changed(Reading(), Reading()) is None


@pytest.mark.parametrize("name", [field.name for field in fields(Reading)])
def test_every_setting_that_was_changed_is_named_with_both_values(name):
    said = changed(STANDS, other(name))
    was = getattr(STANDS, name).value
    assert f"{name} from {'unknown' if was is None else was if isinstance(was, str) else f'{was:g}'} to " in said
    assert said.endswith("record the sweep again.")


@pytest.mark.parametrize("name", [field.name for field in fields(Reading)])
def test_a_setting_that_is_no_longer_known_has_changed(name):
    known = other(name)
    assert "to unknown" in changed(known, replace(known, **{name: Setting()}))
    assert "from unknown" in changed(replace(known, **{name: Setting()}), known)


def test_the_noise_of_a_telegraph_changes_nothing_and_a_step_of_the_gain_does():
    assert changed(STANDS, replace(STANDS, holding=Setting(-30.4, "commander"))) is None
    assert changed(STANDS, replace(STANDS, neutralization=Setting(4.3, "telegraph"))) is None
    assert changed(STANDS, replace(STANDS, gain=Setting(10.001, "telegraph"))) is not None


@pytest.mark.parametrize("clamp", ["current", "voltage"])
@pytest.mark.parametrize("mode", ["current", "voltage", "zero", None])
def test_a_stimulus_fits_its_own_mode_and_no_other(mode, clamp):
    reading = Reading(mode=Setting(mode, "telegraph") if mode else Setting())
    reason = unfit(reading, clamp)
    assert (reason is None) == (mode == clamp)
    if reason:
        assert f"for {clamp} clamp: nothing is put out" in reason


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(value):
    with pytest.raises(AmplifierError, match="a finite number was wanted"):
        Setting(value, "telegraph")


@pytest.mark.parametrize(("value", "source"), [(None, "telegraph"), (1.0, "unknown")])
def test_a_value_goes_with_who_says_it(value, source):
    with pytest.raises(AmplifierError, match="goes with who says it"):
        Setting(value, source)


def test_a_reading_comes_back_from_what_a_file_keeps():
    kept = asdict(STANDS)
    assert Reading.of(kept) == STANDS
    assert Reading.of(kept | {"of a later version": {"value": 1, "source": "telegraph"}}) == STANDS
    assert Reading.of(None) is None


def test_a_manual_amplifier_stands_as_it_was_entered():
    amplifier = ManualAmplifier(STANDS)
    assert amplifier.read() == STANDS
    amplifier.enter(other("bridge"))
    assert amplifier.read().bridge.value == 13.0


def test_a_manual_amplifier_without_a_mode_is_refused():
    with pytest.raises(AmplifierError, match="enter it as mode in"):
        ManualAmplifier(replace(STANDS, mode=Setting()))


def test_nothing_is_put_out_where_the_mode_does_not_fit():
    for reading in (other("mode"), replace(STANDS, mode=Setting()), replace(STANDS, mode=Setting("zero", "telegraph"))):
        with cell(Scripted(reading), exit_level=-5.0) as rig:
            for begin in (rig.play(STEP), rig.hold(20.0)):
                with pytest.raises(AmplifierError, match="nothing is put out"):
                    next(begin)
            with pytest.raises(AmplifierError, match="nothing is put out"):
                rig.seen(STEP)
            assert rig.output == -5.0


def test_an_amplifier_that_can_not_be_read_lets_nothing_out():
    with cell(Scripted(AmplifierError("It is silent."))) as rig, pytest.raises(AmplifierError, match="silent"):
        next(rig.play(STEP))


def test_the_cell_gets_the_command_and_what_the_amplifier_injects():
    with cell(Scripted(STANDS)) as rig:
        seen = rig.seen(STEP)
        blocks = list(rig.play(STEP))
    assert (seen.holding, seen.amplitude) == (-40.0, 50.0)
    command = np.concatenate([block.command for block in blocks])
    np.testing.assert_allclose(command, seen.command(10.0))
    np.testing.assert_allclose(np.concatenate([block.response for block in blocks]), -70.0 + 0.1 * command)
    assert rig.output == 0.0


def test_the_limits_hold_for_the_command_and_the_injected_current_together():
    rig = cell(Scripted(replace(STANDS, holding=Setting(-200.0, "commander"))), limits=Limits(-100.0, 100.0))
    with rig:
        for begin in (lambda: rig.seen(STEP), lambda: next(rig.play(STEP)), lambda: next(rig.hold(-10.0))):
            with pytest.raises(ValueError, match="outside the limits"):
                begin()
        assert rig.output == 0.0


def test_a_sweep_during_which_the_amplifier_was_changed_is_invalid_and_the_next_is_not():
    with cell(Scripted(STANDS, other("gain"))) as rig:
        list(rig.play(STEP))
        assert "gain from 10 to 20" in rig.invalid
        list(rig.play(STEP))
        assert rig.invalid is None


def test_what_was_changed_between_its_design_and_its_start_makes_a_sweep_invalid():
    with cell(Scripted(STANDS, other("holding"))) as rig:
        rig.seen(STEP)
        list(rig.play(STEP))
        assert "holding from -30 to -32" in rig.invalid
        list(rig.play(STEP))
        assert rig.invalid is None


def test_an_amplifier_that_falls_silent_during_a_sweep_makes_it_invalid():
    with cell(Scripted(STANDS, AmplifierError("It is silent."))) as rig:
        assert sum(block.response.size for block in rig.play(STEP)) == 1200
        assert "unknown, so the sweep is not used: It is silent." in rig.invalid


def test_an_abandoned_sweep_is_compared_too_and_ends_at_the_exit_level():
    with cell(Scripted(STANDS, AmplifierError("It is silent.")), exit_level=-5.0) as rig:
        blocks = rig.play(STEP)
        next(blocks)
        blocks.close()
        assert rig.output == -5.0


def test_where_a_sweep_came_from_says_how_the_amplifier_stood():
    with cell(Scripted(replace(STANDS, residual=Setting(3.0, "rig file")))) as rig:
        assert rig.origin.amplifier is None
        list(rig.play(STEP))
        origin = rig.origin
    assert origin.amplifier.gain == Setting(10.0, "telegraph")
    assert (origin.holding_source, origin.bridge) == ("amplifier", 0.003)


def test_without_an_amplifier_nothing_is_asked_and_nothing_is_known():
    with cell(None) as rig:
        assert rig.seen(STEP) is STEP
        list(rig.play(STEP))
        assert (rig.invalid, rig.origin.amplifier) == (None, None)
        assert rig.origin == replace(rig.provenance, gains=dict(rig.gains))


def test_the_amplifier_is_opened_before_the_rig_and_closed_after_it():
    amplifier = Scripted(STANDS)
    rig = cell(amplifier)
    with rig:
        assert amplifier.calls == ["open"]
        with pytest.raises(RigError, match="The rig is open"):
            rig.ask(None)
    assert amplifier.calls == ["open", "close"]


def test_the_amplifier_is_let_go_where_the_rig_can_not_be_opened(monkeypatch):
    amplifier = Scripted(STANDS)
    rig = cell(amplifier)

    def fail():
        raise RigError("It is not there.")

    monkeypatch.setattr(rig, "_open", fail)
    with pytest.raises(RigError, match="not there"):
        rig.open()
    assert amplifier.calls == ["open", "close"]


def test_a_rig_without_telegraph_channels_says_so():
    with pytest.raises(RigError, match="enter the settings by hand"):
        cell(None).telegraphs()
