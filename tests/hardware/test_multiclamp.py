"""A MultiClamp heard through a Commander that answers by the documented messages, packets and functions."""

import ctypes
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiclamp_fake import BEGINNING, IS_700A, IS_700B, REST, FakeLibrary, FakeWindow, packet

from hardware.amplifier import AmplifierError, Setting
from hardware.multiclamp import Message, MultiClamp
from hardware.multiclamp_commander import Commander, library
from hardware.multiclamp_telegraph import HeadstageId, telegram
from hardware.multiclamp_window import mailbox

OFFSETS = {"uOperatingMode": 20, "dAlpha": 28, "uScaleFactorUnits": 44, "dLPFCutoff": 48, "dExtCmdSens": 64}


def clamp(window, stage=IS_700B, commander=None):
    return MultiClamp(window, stage, commander, patience=0.05)


def test_the_offsets_are_those_of_the_documented_structure():
    assert struct.calcsize(BEGINNING) == 92
    assert struct.calcsize(BEGINNING) + struct.calcsize(REST) == 172
    for name, offset in OFFSETS.items():
        before = {"uOperatingMode": "<5I", "dAlpha": "<7I", "uScaleFactorUnits": "<7I2d", "dLPFCutoff": "<7I2dI",
                  "dExtCmdSens": "<7I2dI2d"}[name]  # fmt: skip
        assert struct.calcsize(before) == offset


@pytest.mark.parametrize("stage", [IS_700A, IS_700B], ids=str)
def test_a_packet_says_how_the_headstage_stands(stage):
    told = telegram(packet(stage))
    assert told.headstage.packed == stage.packed
    reading = told.reading
    assert reading.mode == Setting("current", "telegraph")
    assert reading.gain.value == pytest.approx(50.0)
    assert reading.corner.value == pytest.approx(6.0)
    assert reading.sensitivity.value == pytest.approx(400.0)


def test_a_packet_in_voltage_clamp_is_in_pA_and_mV():
    told = telegram(packet(mode=0, signal=0, alpha=2.0, factor=0.5, unit=6, sensitivity=0.02)).reading
    assert (told.mode.value, told.gain.value) == ("voltage", 1.0)
    assert told.sensitivity.value == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("mode", "signal", "unit", "per_unit"),
    [(1, 20, 0, 1.0), (1, 20, 1, 1e3), (1, 20, 2, 1e6), (0, 0, 3, 1e-9), (0, 0, 4, 1e-6), (0, 0, 5, 1e-3),
     (0, 0, 6, 1.0), (0, 0, 7, 1e3)],
)  # fmt: skip
def test_each_unit_of_the_output_is_understood(mode, signal, unit, per_unit):
    told = telegram(packet(mode=mode, signal=signal, unit=unit, alpha=2.0, factor=3.0)).reading
    assert told.gain.value == pytest.approx(6.0 * per_unit)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"signal": 21}, "membrane potential .* was wanted: choose it in the Commander"),
        ({"mode": 0, "signal": 1}, "membrane current .* was wanted"),
        ({"unit": 6}, "the unit 6 in current clamp"),
        ({"unit": 8}, "the unit 8 in current clamp"),
        ({"alpha": 0.0}, "gain is 0, a positive one"),
        ({"alpha": float("nan")}, "gain is nan, a positive one"),
        ({"mode": 3}, "mode 3 of hardware 1"),
        ({"hardware": 2}, "mode 1 of hardware 2"),
        ({"size": 200}, "says 200 .*256 were wanted"),
        ({"version": 5}, "says 256 .*128 were wanted"),
    ],
    ids=str,
)
def test_a_packet_that_would_give_a_wrong_scale_is_refused(changes, said):
    with pytest.raises(AmplifierError, match=said):
        telegram(packet(**changes))


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_never_a_reading(data):
    with pytest.raises(AmplifierError):
        telegram(data)


@given(st.integers(0, 255))
def test_a_packet_that_was_cut_off_is_refused(size):
    with pytest.raises(AmplifierError):
        telegram(packet()[:size])


@pytest.mark.parametrize(
    ("stage", "packed"), [(IS_700B, 830123 | 2 << 28), (IS_700A, 3 | 1 << 8 | 1 << 16)], ids=["700B", "700A"]
)
def test_a_headstage_is_packed_as_documented(stage, packed):
    assert stage.packed == packed


@pytest.mark.parametrize("numbers", [{"channel": 0}, {"channel": 16}, {"serial": 1 << 28}, {"port": 256}, {"bus": -1}])
def test_a_headstage_that_fits_no_message_is_refused(numbers):
    with pytest.raises(AmplifierError, match="were wanted"):
        HeadstageId(**numbers)


def test_an_amplifier_that_is_open_is_read_as_it_stands_now():
    window = FakeWindow(IS_700A, IS_700B)
    amplifier = clamp(window)
    amplifier.open()
    amplifier.open()
    assert amplifier.read().gain.value == pytest.approx(50.0)
    window.turn(IS_700B, alpha=20.0)
    assert amplifier.read().gain.value == pytest.approx(200.0)
    assert window.subscribed == {IS_700B.packed}
    amplifier.close()
    amplifier.close()
    assert (window.subscribed, window.is_open) == (set(), False)
    assert [kind for kind, _ in window.sent].count("open") == 1


def test_what_came_before_the_question_is_not_the_answer():
    window = FakeWindow(IS_700B)
    amplifier = clamp(window)
    amplifier.open()
    window.turn(IS_700B, alpha=1.0)
    window.packets[IS_700B.packed] = packet(alpha=7.0)
    assert amplifier.read().gain.value == pytest.approx(70.0)


def test_the_packet_of_another_headstage_is_read_past():
    window = FakeWindow(IS_700A, IS_700B)
    amplifier = clamp(window)
    amplifier.open()
    post = window.post

    def answered_by_both(kind, headstage):
        window.came.append(Message("request", 0, packet(IS_700A, alpha=100.0)))
        post(kind, headstage)

    window.post = answered_by_both
    assert amplifier.read().gain.value == pytest.approx(50.0)


@pytest.mark.parametrize("moment", ["between readings", "while it is asked"])
def test_a_commander_that_starts_anew_is_subscribed_to_again(moment):
    window = FakeWindow(IS_700B)
    amplifier = clamp(window)
    amplifier.open()
    amplifier.read()
    if moment == "between readings":
        window.restart(IS_700B)
    else:
        post = window.post

        def restarts(kind, headstage):
            window.post = post
            window.sent.append((kind, headstage))
            window.restart(IS_700B)

        window.post = restarts
    assert amplifier.read().mode.value == "current"
    assert window.subscribed == {IS_700B.packed}


def test_a_silent_commander_is_named_and_never_an_old_reading():
    window = FakeWindow(IS_700B)
    amplifier = clamp(window)
    amplifier.open()
    amplifier.read()
    window.is_deaf = True
    with pytest.raises(
        AmplifierError, match=r"No MultiClamp Commander told within 0.05 s how the MultiClamp 700B number"
    ):
        amplifier.read()


def test_a_closed_amplifier_says_so():
    with pytest.raises(AmplifierError, match="closed"):
        clamp(FakeWindow(IS_700B)).read()


@pytest.mark.parametrize("stage", [IS_700A, IS_700B], ids=str)
def test_the_commander_adds_bridge_holding_and_neutralization(stage):
    functions = FakeLibrary()
    amplifier = clamp(FakeWindow(stage), stage, Commander(functions, stage))
    amplifier.open()
    reading = amplifier.read()
    assert functions.selected == stage.packed
    assert reading.bridge == Setting(12.5, "commander")
    assert reading.holding.value == pytest.approx(-30.0)
    assert reading.neutralization.value == pytest.approx(4.0)
    amplifier.close()
    assert functions.handles == 0


def test_what_is_switched_off_is_zero_and_not_what_its_field_says():
    functions = FakeLibrary()
    functions.values |= {"BridgeBalEnable": 0, "HoldingEnable": 0, "NeutralizationEnable": 0}
    commander = Commander(functions, IS_700B)
    commander.open()
    assert {name: setting.value for name, setting in commander.settings("current").items()} == {
        "bridge": 0.0, "holding": 0.0, "neutralization": 0.0,
    }  # fmt: skip


def test_voltage_clamp_has_a_holding_in_mV_and_no_bridge():
    functions = FakeLibrary(mode=0)
    functions.values["Holding"] = -0.07
    window = FakeWindow(IS_700B)
    amplifier = clamp(window, commander=Commander(functions, IS_700B))
    amplifier.open()
    window.turn(IS_700B, mode=0, signal=0, unit=6)
    reading = amplifier.read()
    assert reading.holding.value == pytest.approx(-70.0)
    assert reading.bridge == reading.neutralization == Setting()


def test_where_telegraph_and_commander_disagree_on_the_mode_nothing_is_believed():
    amplifier = clamp(FakeWindow(IS_700B), commander=Commander(FakeLibrary(mode=0), IS_700B))
    amplifier.open()
    with pytest.raises(AmplifierError, match="mode changed while it was read"):
        amplifier.read()


def test_i_equals_zero_is_read_without_asking_the_commander():
    window = FakeWindow(IS_700B)
    amplifier = clamp(window, commander=Commander(FakeLibrary(mode=2), IS_700B))
    amplifier.open()
    window.turn(IS_700B, mode=2, sensitivity=0.0)
    assert amplifier.read().mode.value == "zero"


@pytest.mark.parametrize("stages", [(), (IS_700A,), (HeadstageId(channel=1, serial=830123),)], ids=str)
def test_a_headstage_that_no_commander_has_is_named_and_nothing_stays_open(stages):
    functions, window = FakeLibrary(stages), FakeWindow()
    with pytest.raises(
        AmplifierError, match=r"number 830123, channel 2 .*error 6002, MultiClamp Commander command failed"
    ):
        clamp(window, commander=Commander(functions, IS_700B)).open()
    assert (functions.handles, window.is_open) == (0, False)


def test_a_function_that_fails_says_which_and_why():
    functions = FakeLibrary()
    commander = Commander(functions, IS_700B)
    commander.open()
    functions.values["BridgeBalResist"] = None
    with pytest.raises(AmplifierError, match="failed at GetBridgeBalResist: error 6006, MultiClamp Commander command"):
        commander.settings("current")


def test_a_closed_commander_says_so():
    with pytest.raises(AmplifierError, match="library is closed"):
        Commander(FakeLibrary(), IS_700B).settings("current")


def test_a_library_without_a_commander_is_refused():
    functions = FakeLibrary()
    functions.MCCMSG_CreateObject = lambda error: setattr(error.contents, "value", 6001)
    with pytest.raises(AmplifierError, match="error 6001"):
        Commander(functions, IS_700B).open()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has them.")
@pytest.mark.parametrize("make", [mailbox, library])
def test_another_system_than_windows_is_told_what_to_do(make):
    with pytest.raises(AmplifierError, match=r"enter the settings by\s*hand"):
        make()


def test_pointers_are_what_the_library_is_given():
    functions = FakeLibrary()
    seen = []
    get_mode = functions.MCCMSG_GetMode
    functions.MCCMSG_GetMode = lambda *given: (seen.extend(given), get_mode(*given))[1]
    commander = Commander(functions, IS_700B)
    commander.open()
    commander.settings("current")
    assert isinstance(seen[0], ctypes.c_void_p)
    assert isinstance(seen[1], ctypes.POINTER(ctypes.c_uint))
    assert isinstance(seen[2], ctypes.POINTER(ctypes.c_int))
