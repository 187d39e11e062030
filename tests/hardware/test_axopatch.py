"""The telegraphs of an Axopatch 200B, position by position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.amplifier import AmplifierError, Setting
from hardware.axopatch import Axopatch200B

MODES = {6.0: "voltage", 3.0: "zero", 2.0: "current", 1.0: "current"}
GAINS = {
    0.5: 0.05, 1.0: 0.1, 1.5: 0.2, 2.0: 0.5, 2.5: 1.0, 3.0: 2.0, 3.5: 5.0, 4.0: 10.0, 4.5: 20.0, 5.0: 50.0,
    5.5: 100.0, 6.0: 200.0, 6.5: 500.0,
}  # fmt: skip
CORNERS = {2.0: 1.0, 4.0: 2.0, 6.0: 5.0, 8.0: 10.0, 10.0: 100.0}
STANDS = {"mode": 2.0, "gain": 4.0, "filter": 6.0, "capacitance": 0.0}


def read(beta=1.0, noise=0.0, **volts):
    rng = np.random.default_rng(1)
    channels = {name: v + noise * rng.normal(size=200) for name, v in (STANDS | volts).items() if v is not None}
    return Axopatch200B(lambda: channels, beta).read()


@pytest.mark.parametrize(("volts", "mode"), MODES.items())
def test_each_mode_is_read(volts, mode):
    assert read(mode=volts).mode == Setting(mode, "telegraph")


@pytest.mark.parametrize(("volts", "gain"), GAINS.items())
def test_each_gain_is_read_in_voltage_clamp(volts, gain):
    assert read(mode=6.0, gain=volts).gain == Setting(gain, "telegraph")


@pytest.mark.parametrize(("volts", "corner"), CORNERS.items())
def test_each_corner_is_read(volts, corner):
    assert read(filter=volts).corner == Setting(corner, "telegraph")


@pytest.mark.parametrize("volts", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("mode", [3.0, 2.0, 1.0])
def test_a_gain_that_only_voltage_clamp_has_is_refused_in_the_others(volts, mode):
    with pytest.raises(AmplifierError, match="check which telegraph is on which channel"):
        read(mode=mode, gain=volts)


def test_track_clamps_nothing_and_is_refused():
    with pytest.raises(AmplifierError, match="TRACK"):
        read(mode=4.0)


@pytest.mark.parametrize(
    ("beta", "mode", "sensitivity"), [(1.0, 2.0, 2000.0), (0.1, 1.0, 20_000.0), (0.1, 6.0, 20.0), (1.0, 3.0, 0.0)]
)
def test_the_command_s_sensitivity_follows_mode_and_headstage(beta, mode, sensitivity):
    assert read(beta, mode=mode).sensitivity.value == pytest.approx(sensitivity)


@pytest.mark.parametrize(("mode", "sensitivity"), [(6.0, 100.0), (2.0, 100_000.0)])
def test_the_command_input_at_the_back_divides_by_ten_where_that_in_front_divides_by_fifty(mode, sensitivity):
    channels = {name: np.full(200, volts) for name, volts in (STANDS | {"mode": mode}).items()}
    told = Axopatch200B(lambda: channels, 0.1, is_rear=True).read().sensitivity
    assert (told.value, told.source) == (pytest.approx(sensitivity), "rig file")


@pytest.mark.parametrize(
    ("volts", "beta", "picofarads"), [(3.3, 1.0, 33.0), (3.3, 0.1, 330.0), (-3.3, 1.0, 0.0), (0.0, 1.0, 0.0)]
)
def test_the_capacitance_dial_is_read_in_voltage_clamp_and_below_zero_it_is_off(volts, beta, picofarads):
    reading = read(beta, mode=6.0, capacitance=volts)
    assert reading.neutralization.value == pytest.approx(picofarads)
    assert read(beta, mode=2.0, capacitance=volts).neutralization == Setting()


def test_what_no_telegraph_tells_is_unknown():
    reading = read(filter=None, capacitance=None)
    assert reading.corner == reading.neutralization == reading.bridge == reading.holding == Setting()


@given(
    mode=st.sampled_from(list(MODES)), gain=st.sampled_from([v for v in GAINS if v >= 2.0]),
    corner=st.sampled_from(list(CORNERS)), shift=st.floats(-0.04, 0.04),
)  # fmt: skip
def test_noise_and_a_small_offset_move_no_position(mode, gain, corner, shift):
    reading = read(noise=0.02, mode=mode + shift, gain=gain + shift, filter=corner + shift)
    assert (reading.mode.value, reading.gain.value, reading.corner.value) == (MODES[mode], GAINS[gain], CORNERS[corner])


@pytest.mark.parametrize(
    ("name", "volts"),
    [("mode", 0.0), ("mode", 1.5), ("mode", 5.0), ("gain", 0.2), ("gain", 4.25), ("gain", 7.0), ("filter", 3.0)],
)
def test_a_voltage_between_positions_is_refused_with_its_value(name, volts):
    with pytest.raises(AmplifierError, match=f"The {name} telegraph is at {volts:.2f} V, between its positions"):
        read(**{name: volts})


@pytest.mark.parametrize("name", ["mode", "gain", "filter"])
def test_a_switch_that_is_turned_while_it_is_read_is_refused(name):
    channels = {channel: np.full(200, volts) for channel, volts in STANDS.items()}
    channels[name] = np.where(np.arange(200) < 150, STANDS[name], {"mode": 6.0, "gain": 4.5, "filter": 8.0}[name])
    with pytest.raises(AmplifierError, match="changed while it was read"):
        Axopatch200B(lambda: channels).read()


@pytest.mark.parametrize("name", ["mode", "gain"])
def test_a_telegraph_that_is_needed_and_not_there_is_named(name):
    with pytest.raises(AmplifierError, match=f"The telegraph of the {name} is not among the channels"):
        read(**{name: None})


@pytest.mark.parametrize("samples", [np.array([]), np.full(9, np.nan), np.zeros((2, 2))], ids=["none", "nan", "2d"])
def test_samples_that_are_none_are_refused(samples):
    channels = {channel: np.full(200, volts) for channel, volts in STANDS.items()} | {"gain": samples}
    with pytest.raises(AmplifierError, match="no finite samples"):
        Axopatch200B(lambda: channels).read()


def test_a_voltage_beyond_any_position_is_refused():
    with pytest.raises(AmplifierError, match=r"beyond the \+-10 V"):
        read(filter=11.2)


def test_another_headstage_gain_is_refused():
    with pytest.raises(AmplifierError, match=r"1 or 0.1 was wanted"):
        read(beta=0.5)
